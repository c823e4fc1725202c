// A ladder is the way to a kernel's winning shader: its slower ancestors, each a whole plan that computes the same. Each WGSL
// file opens with one sentence on what changed from the step before.
import type { WebGpuFacts, WebGpuPlan } from './plan.ts';

export interface LadderStep<P> {
  /** Also the name of the plan, by which benchmarks and tests ask for it. */
  readonly name: string;
  /** WGSL text, as in its file. */
  readonly module: string;
  /** What changed: the sentence that the module opens with. */
  readonly description: string;
  /** False where the shader cannot take these parameters. */
  fits(params: P): boolean;
  /** The passes with their launch grids. */
  plan(params: P, facts: WebGpuFacts): WebGpuPlan;
}

/** The first sentence of the comment that a module opens with, on one line. */
export function openingSentence(module: string): string {
  const comment = /^(?:\/\/.*\n)+/.exec(module)?.[0].replace(/^\/\/ ?/gm, '') ?? '';
  const text = comment.replace(/\s+/g, ' ').trim();
  return /^.*?\.(?= |$)/.exec(text)?.[0] ?? text;
}
