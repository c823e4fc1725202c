// A plan made ready for one device: its pipelines, and which buffers of a launch each pass binds, by their place among the
// inputs, the outputs and the scratch buffers.
import type { WebGpuPass, WebGpuPlan } from '../../../kernels/plan.ts';
import { DeviceError } from '../../errors.ts';
import type { Operands } from '../plan-cache.ts';
import type { PendingPipeline, PipelineCache } from './pipelines.ts';

export interface ResolvedPass {
  readonly pipeline: PendingPipeline;
  /** Places of the buffers that it binds. */
  readonly places: readonly number[];
  readonly workgroups: readonly [number, number, number];
}

export interface ResolvedPlan {
  readonly name: string;
  /** Names its launches in error messages. */
  readonly label: string;
  /** Those that start any work. */
  readonly passes: readonly ResolvedPass[];
  /** Bytes of each scratch buffer. */
  readonly scratch: readonly number[];
}

/** A buffer of a launch by its name. */
interface Bound {
  readonly place: number;
  readonly written: boolean;
}

/** A pass that starts work, with the places of the buffers that it binds and, for each, `r` or `w`. */
export interface BoundPass {
  readonly pass: WebGpuPass;
  readonly places: readonly number[];
  readonly pattern: string;
}

/** Throws DeviceError where a pass binds what is not there. */
export function bindPasses(kernel: string, plan: WebGpuPlan, { inputs, outputs }: Operands): BoundPass[] {
  const bound = new Map<string, Bound>();
  const bind = (name: string, written: boolean): void => {
    if (bound.has(name)) throw new DeviceError(`two operands are called '${name}'`, { operation: kernel });
    bound.set(name, { place: bound.size, written });
  };
  for (const { name } of inputs) bind(name, false);
  for (const { name } of outputs) bind(name, true);
  for (const name of Object.keys(plan.scratch ?? {})) bind(name, true);
  return plan.passes
    .filter(({ workgroups }) => !workgroups.includes(0))
    .map((pass) => ({ pass, ...bindingsOf(pass, bound) }));
}

/** As `bindPasses`. Pipelines that are new begin to compile. */
export function resolvePlan(
  kernel: string,
  plan: WebGpuPlan,
  operands: Operands,
  pipelines: PipelineCache,
): ResolvedPlan {
  const label = `${kernel}.${plan.name}`;
  const passes = bindPasses(kernel, plan, operands).map(({ pass, places, pattern }): ResolvedPass => ({
    pipeline: pipelines.pipeline(pass, pattern, label),
    places,
    workgroups: pass.workgroups,
  }));
  return { name: plan.name, label, passes, scratch: Object.values(plan.scratch ?? {}) };
}

/** The buffers that a pass binds, in order, and its access pattern. */
function bindingsOf(pass: WebGpuPass, bound: ReadonlyMap<string, Bound>): { pattern: string; places: number[] } {
  const names = pass.bindings ?? [...bound].map(([name, { written }]) => (written ? `${name}*` : name));
  let pattern = '';
  const places = names.map((marked) => {
    const written = marked.endsWith('*');
    const entry = bound.get(written ? marked.slice(0, -1) : marked);
    if (!entry) throw new DeviceError(`a pass binds '${marked}', which the kernel does not have`);
    pattern += written ? 'w' : 'r';
    return entry.place;
  });
  return { pattern, places };
}
