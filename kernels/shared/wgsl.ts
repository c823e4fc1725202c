// Text put before WGSL modules: named constants from the enums of codes, and the functions shared by several families.
// Leaves out everything that a shader can say itself.
import floats from './float.wgsl';
import math from './math.wgsl';
import power from './power.wgsl';
import thread from './thread.wgsl';
import trigonometry from './trigonometry.wgsl';

/** `Unary.leakyRelu` with the prefix `unary` becomes `const UNARY_LEAKY_RELU = 15u;`. */
export function wgslConstants(prefix: string, codes: Readonly<Record<string, string | number>>): string {
  // A TypeScript enum also maps its numbers back to names.
  const entries = Object.entries(codes).filter(([, code]) => typeof code === 'number');
  return entries.map(([name, code]) => `const ${upperSnake(prefix)}_${upperSnake(name)} = ${code}u;\n`).join('');
}

const upperSnake = (name: string): string => name.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toUpperCase();

/** Tests on bits, and NaN and infinities as values. */
export const floatFunctions = floats;

/** exp, log and the other transcendental functions with stated error bounds. Contains `floatFunctions`. */
export const mathFunctions = floats + math + power + trigonometry;

/** What an entry point is given where each thread has an item, and `workgroupSize`. */
export const threadFunctions = thread;

/** Threads of a workgroup where nothing is shared within it. */
export const WORKGROUP = 256;
