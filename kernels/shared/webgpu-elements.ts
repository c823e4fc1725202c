// Plans that visit elements in order, shared by the families: a thread per element, or a thread per four neighbours, which
// keeps more bytes in flight. Modules name the two entry points `perElement` and `perFour`.
import type { WebGpuFacts, WebGpuPass, WebGpuPlan } from '../plan.ts';
import { grid1d } from './webgpu-grid.ts';
import { WORKGROUP } from './wgsl.ts';

/** A pass of one thread per item. */
export function threadPass(
  module: string,
  entryPoint: string,
  items: number,
  facts: WebGpuFacts,
  constants: Readonly<Record<string, number>> = {},
): WebGpuPass {
  const workgroups = grid1d(items, WORKGROUP, facts);
  return { module, entryPoint, workgroups, constants: { ...constants, workgroupSize: WORKGROUP } };
}

/** `perFour` if `fitsFour` (groups of four do not straddle anything), else `perElement`, which `prefer` can ask for too. */
export function elementPass(
  module: string,
  n: number,
  fitsFour: boolean,
  facts: WebGpuFacts,
  prefer: string | undefined,
  constants: Readonly<Record<string, number>> = {},
): WebGpuPass {
  return fitsFour && prefer !== 'perElement'
    ? threadPass(module, 'perFour', n / 4, facts, constants)
    : threadPass(module, 'perElement', n, facts, constants);
}

/** A plan of that pass alone, named by its entry point. */
export function elementPlan(...args: Parameters<typeof elementPass>): WebGpuPlan {
  const pass = elementPass(...args);
  return { name: pass.entryPoint ?? 'main', passes: [pass] };
}
