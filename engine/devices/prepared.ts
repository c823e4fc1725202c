// A launch made ready once for many runs, as devices keep it: what was planned, and the packed parameters, which may change as long
// as the plan stays the one that was chosen.
import { type Kernel, packParams, type ParamValues } from '../../kernels/kernel.ts';
import type { PreparedLaunch } from './device.ts';
import { havePlanInCommon } from './plan-cache.ts';

/** Queues the launch with these parameters, which are given packed as well. */
export type RunPlan = (params: ParamValues, words: Int32Array) => void;

export class PreparedPlan implements PreparedLaunch {
  readonly plan: string | undefined;
  readonly #kernel: Kernel<never>;
  readonly #words: Int32Array;
  readonly #run: RunPlan;
  #params: ParamValues;

  constructor(plan: string | undefined, kernel: Kernel<never>, params: ParamValues, words: Int32Array, run: RunPlan) {
    this.plan = plan;
    this.#kernel = kernel;
    this.#params = params;
    this.#words = words;
    this.#run = run;
  }

  run(): void {
    this.#run(this.#params, this.#words);
  }

  tune(params: ParamValues): boolean {
    if (!havePlanInCommon(this.#kernel, this.#params, params)) return false;
    this.#params = params;
    packParams(this.#kernel, params as never, this.#words);
    return true;
  }
}
