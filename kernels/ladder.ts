// A ladder is the way to a kernel's winning plan: its slower ancestors, each a whole plan that computes the same, then the
// plans of the library that came of them. An ancestor's file opens with what changed from the rung before and what it moves and
// computes. Ancestors are no part of the library: who wants to run one launches `kernelOfRung`.
import type { Kernel, ParamValues } from './kernel.ts';
import type { OwnPlans, ReferencePlan, WasmPlanner, WebGpuFacts, WebGpuPlan } from './plan.ts';
import { referencePlans } from './reference.ts';
import { webGpuPlans } from './webgpu.ts';

interface Step {
  /** Also the name of the plan. */
  readonly name: string;
  /** What changed from the rung before, in one sentence; of an ancestor the one that its file opens with. */
  readonly description: string;
}

export interface WebGpuRung<P extends ParamValues> extends Step {
  /** The passes, or undefined where the shader cannot take these parameters on this adapter. */
  plan(params: P, facts: WebGpuFacts): WebGpuPlan | undefined;
}

export interface WasmRung<P extends ParamValues> extends Step {
  readonly threads: number;
  /** Phases of exports of the module of ladders (kernels/<family>/ladder/*.as.ts); absent: the library's own plan. */
  readonly plan?: WasmPlanner<P>;
  /** False where an ancestor leaves these parameters out. */
  fits(params: P): boolean;
}

export interface Ladder<P extends ParamValues = ParamValues> {
  readonly name: string;
  readonly kernel: Kernel<P>;
  /** Slowest first, in the order of thought. */
  readonly webgpu: readonly WebGpuRung<P>[];
  readonly wasm: readonly WasmRung<P>[];
}

/** The first sentence of the comment that a file opens with, on one line. */
export function openingSentence(text: string): string {
  const comment = /^(?:\/\/.*\n)+/.exec(text)?.[0].replace(/^\/\/ ?/gm, '') ?? '';
  const line = comment.replace(/\s+/g, ' ').trim();
  return /^.*?\.(?= |$)/.exec(line)?.[0] ?? line;
}

/** A rung with a shader of its own. `module` is the file's text, which opens with what changed. */
export const ancestor = <P extends ParamValues>(
  name: string,
  module: string,
  plan: (params: P, facts: WebGpuFacts) => Omit<WebGpuPlan, 'name'> | undefined,
): WebGpuRung<P> => ({
  name,
  description: openingSentence(module),
  plan(params, facts) {
    const passes = plan(params, facts);
    return passes && { name, ...passes };
  },
});

/** A rung that the library has as a plan of that name. */
export const ofLibrary = <P extends ParamValues>(
  kernel: Kernel<P>,
  name: string,
  description: string,
): WebGpuRung<P> => ({
  name,
  description,
  plan(params, facts) {
    const plan = webGpuPlans.get(kernel)(params as never, facts, name);
    return plan.name === name ? plan : undefined;
  },
});

/** A WASM rung with one phase: an export of the module of ladders, called once for all of its tasks. */
export const wasmAncestor = <P extends ParamValues>(
  name: string,
  source: string,
  exportName: string,
  fits: (params: P) => boolean,
  threadScratch: (params: P) => number = () => 0,
): WasmRung<P> => ({
  name,
  description: openingSentence(source),
  threads: 1,
  fits,
  plan: (params) => ({
    name,
    phases: [{ exportName, tasks: 1 }],
    threadScratch: threadScratch(params),
  }),
});

/** The library's WASM plan on one thread and on two: where every WASM ladder ends. */
export const wasmLibrary = (description: string): WasmRung<ParamValues>[] => [
  { name: 'library', description, threads: 1, fits: () => true },
  { name: 'library, 2 threads', description: 'Two threads share the tasks.', threads: 2, fits: () => true },
];

/** The kernel of a ladder under another name, with the plan of one rung; on `reference` it is the kernel itself. */
export function kernelOfRung<P extends ParamValues>(
  { kernel }: Ladder<P>,
  rung: WebGpuRung<P> | WasmRung<P>,
): Kernel<P> {
  if ('threads' in rung && !rung.plan) return kernel;
  const reference = referencePlans.get(kernel) as ReferencePlan<P>;
  const plans: OwnPlans<P> =
    'threads' in rung ? { reference, wasm: rung.plan } : { reference, webgpu: webGpuPlanOf(kernel.name, rung) };
  return { ...kernel, name: `${kernel.name} ${rung.name}`, plans: plans as unknown as OwnPlans<never> };
}

function webGpuPlanOf<P extends ParamValues>(kernel: string, rung: WebGpuRung<P>): OwnPlans<P>['webgpu'] {
  return (params, facts) => {
    const plan = rung.plan(params, facts);
    if (!plan) throw new RangeError(`the plan '${rung.name}' of ${kernel} does not take ${JSON.stringify(params)}`);
    return plan;
  };
}
