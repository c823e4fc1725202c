// Gradients as the tape carries them: how one starts, and how another is added to it. A carried gradient is a handle of its
// own outside of any scope, so that it can be let go of as soon as it has been used.
import { DTypeError, ShapeError, showShape } from './errors.ts';
import { disown } from './scope.ts';
import { sameShape, type Shape } from './shape.ts';
import { checkTensor } from './signature.ts';
import type { Tensor } from './tensor.ts';

/** How gradients are added and started; given by the operations, which the tape does not import. */
export const arithmetic: {
  add(a: Tensor, b: Tensor): Tensor;
  onesLike(x: Tensor): Tensor;
  zerosLike(x: Tensor): Tensor;
} = {
  add: () => unset(),
  onesLike: () => unset(),
  zerosLike: () => unset(),
};

const unset = (): never => {
  throw new Error('engine/ops has not been loaded');
};

/** `carried` + `gradient`, carried; what was carried is let go. */
export function carry(carried: Tensor | undefined, gradient: Tensor): Tensor {
  if (!carried) return gradient.alias();
  const sum = arithmetic.add(carried, gradient);
  disown(sum);
  carried.dispose();
  return sum;
}

export function letGo(gradients: Iterable<Tensor | undefined>): void {
  for (const gradient of gradients) gradient?.dispose();
}

/** Backward from an output that leads nowhere. */
export const offTheTape = (output: Tensor): DTypeError =>
  new DTypeError('the output does not depend on any tensor that requires a gradient', {
    operation: 'backward',
    argument: 'output',
    expected: 'a tensor on the tape',
    given: output.toString(),
    hint: 'Was it computed under noGrad, or detached?',
  });

/** The gradient of an output that backward begins with: the one given, or 1 for a scalar. */
export function startGradient(output: Tensor, gradient: Tensor | undefined): Tensor {
  if (!gradient) {
    if (output.size === 1) return arithmetic.onesLike(output);
    throw new ShapeError('only a scalar can be differentiated without a gradient to start from', {
      operation: 'backward',
      argument: 'gradient',
      expected: 'a scalar, or a gradient to start from',
      given: showShape(output.shape),
      hint: 'Reduce the loss with mean() or sum(), or pass { gradient }',
    });
  }
  checkTensor('backward', 'gradient', gradient, ['float32'], output.device);
  if (!sameShape(gradient.shape, output.shape)) {
    throw new ShapeError('the gradient must have the shape of the output', {
      operation: 'backward',
      argument: 'gradient',
      expected: showShape(output.shape),
      given: showShape(gradient.shape),
    });
  }
  return gradient;
}

/** Refuses what the vjp of an operation returned for its input `index` if it is not the gradient of that. */
export function checkGradient(operation: string, index: number, gradient: Tensor, expected: Shape): void {
  if (gradient.dtype !== 'float32') {
    throw new DTypeError(`the vjp of '${operation}' gave a gradient of the wrong element type for input ${index}`, {
      operation: 'backward',
      expected: 'float32',
      given: gradient.dtype,
    });
  }
  if (sameShape(gradient.shape, expected)) return;
  throw new ShapeError(`the vjp of '${operation}' gave a gradient of the wrong shape for input ${index}`, {
    operation: 'backward',
    expected: showShape(expected),
    given: showShape(gradient.shape),
  });
}
