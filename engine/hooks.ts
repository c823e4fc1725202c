// Hooks on gradients: functions that see the gradient of a tensor during backward and may put another in its place.
import { ShapeError, showShape } from './errors.ts';
import { sameShape } from './shape.ts';
import type { Tensor } from './tensor.ts';

export type GradientHook = (gradient: Tensor) => Tensor | undefined | void;

/** Adds a hook to the list of its tensor. Returns the function that takes it out again. */
export function addHook(hooks: GradientHook[], hook: GradientHook): () => void {
  hooks.push(hook);
  return () => {
    const at = hooks.indexOf(hook);
    if (at >= 0) hooks.splice(at, 1);
  };
}

/** The hooks of an operation's outputs. */
export class OutputHooks {
  readonly #lists: GradientHook[][] = [];

  /** Those of one output, to be added to. */
  of(output: number): GradientHook[] {
    return (this.#lists[output] ??= []);
  }

  /** What they make of the gradients of the outputs. */
  apply(gradients: readonly (Tensor | undefined)[]): readonly (Tensor | undefined)[] {
    return gradients.map((gradient, i) => gradient && applyHooks(gradient, this.#lists[i]));
  }
}

/** Hooks run in the order of their registration; each sees what the one before it returned. */
function applyHooks(gradient: Tensor, hooks: readonly GradientHook[] | undefined): Tensor {
  // A copy of the list: a hook may remove itself.
  for (const hook of hooks ? [...hooks] : []) {
    const replacement = hook(gradient);
    if (!replacement) continue;
    if (!sameShape(replacement.shape, gradient.shape)) {
      throw new ShapeError('a hook must return a gradient of the same shape', {
        operation: 'backward',
        expected: showShape(gradient.shape),
        given: showShape(replacement.shape),
      });
    }
    gradient = replacement;
  }
  return gradient;
}

/** What the hooks of a leaf make of the gradient that is carried to it, which is let go of if they put another in its place. */
export function applyLeafHooks(leaf: Tensor, gradient: Tensor): Tensor {
  const replacement = applyHooks(gradient, leaf.hooks);
  if (replacement === gradient) return gradient;
  const carried = replacement.alias();
  gradient.dispose();
  return carried;
}
