// Every kernel has plans for every device and a generator of random cases, so that none escapes the agreement tests, and the
// modules for WASM export what its plans call. What is missing is named with the file that it belongs in.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import * as kernels from '../../kernels/index.ts';
import { referencePlans } from '../../kernels/reference.ts';
import { wasmPlans } from '../../kernels/wasm.ts';
import { webGpuPlans } from '../../kernels/webgpu.ts';
import { repositoryRoot } from '../shared-data.ts';
import { caseSources } from './generators/index.ts';

const root = repositoryRoot();

/** Kernels among the exports of kernels/index.ts. */
const described = Object.values(kernels)
  .filter((value): value is kernels.Kernel<never> => typeof value === 'object' && 'fields' in value && 'flops' in value)
  .map(({ name }) => name);

/** The text of what each family describes. */
const families = new Map(
  readdirSync(path.join(root, 'kernels'), { withFileTypes: true }).flatMap((entry) => {
    if (!entry.isDirectory()) return [];
    const folder = path.join(root, 'kernels', entry.name);
    const files = readdirSync(folder).filter((name) => name.endsWith('.ts'));
    return [[entry.name, files.map((name) => readFileSync(path.join(folder, name), 'utf8')).join('\n')] as const];
  }),
);

function familyOf(kernel: string): string {
  const found = [...families].find(([, text]) => text.includes(`name: '${kernel}'`));
  return found ? found[0] : `the family of ${kernel}`;
}

const tables = [
  { names: referencePlans.names(), fileOf: (family: string) => `kernels/${family}/reference.ts` },
  { names: wasmPlans.names(), fileOf: (family: string) => `kernels/${family}/plans.wasm.ts` },
  { names: webGpuPlans.names(), fileOf: (family: string) => `kernels/${family}/plans.webgpu.ts` },
  {
    names: caseSources.map(({ kernel }) => kernel),
    fileOf: (family: string) => `test/kernels/generators/${family}.ts`,
  },
];

t.test('every kernel has plans for every device and a generator of random cases', (t) => {
  t.ok(described.length > 30);
  for (const { names, fileOf } of tables) {
    const missing = described.flatMap((name) => (names.includes(name) ? [] : [`${fileOf(familyOf(name))}: ${name}`]));
    t.same(missing, [], 'what is missing goes into this file');
    const unknown = names.flatMap((name) => (described.includes(name) ? [] : [name]));
    t.same(unknown, [], 'what has plans is exported from kernels/index.ts');
  }
  t.end();
});

for (const relaxedSimd of [false, true]) {
  const file = `dist/wasm/${relaxedSimd ? 'relaxed' : 'simd'}.wasm`;
  t.test(`what the plans call is in ${file}`, (t) => {
    // Read as a list of names: an engine without relaxed SIMD would not compile the module.
    const module = readFileSync(path.join(root, file), 'latin1');
    const missing = new Set<string>();
    for (const { kernel, params, exampleParams } of caseSources) {
      const plan = wasmPlans.find({ name: kernel });
      for (const each of plan ? [...exampleParams, ...fc.sample(params, { seed: 7, numRuns: 50 })] : []) {
        for (const threads of [1, 8]) {
          for (const { exportName } of plan!(each as never, { threads, relaxedSimd }).phases) {
            // An export is the length of its name, the name, and a zero: the kind of thing that functions are.
            if (module.includes(`${String.fromCharCode(exportName.length)}${exportName}\0`)) continue;
            missing.add(`kernels/${familyOf(kernel)}/*.as.ts: ${exportName}`);
          }
        }
      }
    }
    t.same([...missing], [], 'what is missing goes into such a file');
    t.end();
  });
}
