// Where operations and backward passes announce themselves while a compiled step runs. The recorder (record.ts) writes them down, the
// player (replay.ts) answers those that it knows without running them. Knows neither.
import type { BackwardOptions } from '../backward.ts';
import type { Operation } from '../operation.ts';
import type { Tensor } from '../tensor.ts';

export interface Tracer {
  /** The outputs of an operation; `run` computes them and writes on the tape. */
  apply(
    operation: Operation<never>,
    inputs: readonly (Tensor | undefined)[],
    attrs: unknown,
    run: () => Tensor[],
  ): Tensor[];
  /** A backward pass into the `grad` of leaves; `run` does it and returns what it left there. */
  backward(output: Tensor, options: BackwardOptions, run: () => Map<Tensor, Tensor>): void;
}

let tracer: Tracer | undefined;

export const currentTracer = (): Tracer | undefined => tracer;

export const setTracer = (next: Tracer | undefined): void => void (tracer = next);

/** Calls of one run are numbered from its base on; `TapeNode.trace` holds base + number. */
export const CALLS_PER_RUN = 2 ** 20;

let runs = 0;

/** The base of a new run, unlike any other's. */
export const newRun = (): number => CALLS_PER_RUN * runs++;

/** The number of a call within the run of this base, or undefined for a node that was made elsewhere. */
export const callOf = (trace: number, base: number): number | undefined =>
  trace >= base && trace < base + CALLS_PER_RUN ? trace - base : undefined;
