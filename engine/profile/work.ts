// Whose work is being done. Modules, the tape, the optimisers and `region` tell the observer of the moment, which is the
// profiler while it runs and otherwise nobody: then this costs a test for undefined. Leaves out what is made of it.
import { takes } from '../call-check.ts';
import type { Module } from '../nn/module.ts';
import { callback, text } from '../parameters.ts';
import type { Parameter, Tensor } from '../tensor.ts';

/** What work is done for: a module, or the innermost one that holds this tensor or all of these, if there is one. */
export type Layer = Module | Tensor | readonly Tensor[] | undefined;

export interface WorkObserver {
  /** The layer at work, which a new node of the tape remembers. */
  readonly layer: Layer;
  /** Runs the part of backward that computes the gradient of `operation`, called in its time by `layer`. */
  backward<T>(operation: string, layer: Layer, body: () => T): T;
  /** Runs an optimiser's update of parameters. */
  update(parameters: readonly Parameter[], body: () => void): void;
  region<T>(name: string, body: () => T): T;
}

let observer: WorkObserver | undefined;

export const workObserver = (): WorkObserver | undefined => observer;

export function observeWork(next: WorkObserver | undefined): void {
  observer = next;
}

/** Runs a part of backward, which is done for `layer`, under the eyes of the observer if there is one. */
export const backwardWork = <T>(operation: string, layer: Layer, body: () => T): T =>
  observer ? observer.backward(operation, layer, body) : body();

/** The name under which waiting for data counts as such in profiles. */
export const DATA_REGION = 'data';

const takesRegion = takes('region', { name: text, body: callback });

/**
 * Names a piece of work for the profiler: its time, until its promise settles if it returns one, is on the track of regions
 * of the trace. Time in regions called `data` counts as waiting for data.
 */
export function region<T>(...args: [name: string, body: () => T]): T {
  const [name, body] = takesRegion(args);
  return observer ? observer.region(name, body) : body();
}
