// The operations as methods, so that expressions read from left to right: x.mul(2).add(y).relu().mean().
import { Tensor } from '../tensor.ts';
import * as ops from './public.ts';

/** Each method is the function of the same name with the tensor as its first argument. */
const methods = [
  ...(['add', 'sub', 'mul', 'div', 'maximum', 'minimum', 'pow', 'eq', 'ne', 'lt', 'le', 'gt', 'ge'] as const),
  ...(['neg', 'abs', 'sign', 'square', 'sqrt', 'rsqrt', 'reciprocal', 'exp', 'log', 'log1p', 'sin', 'cos'] as const),
  ...(['erf', 'erfc', 'relu', 'leakyRelu', 'elu', 'gelu', 'silu', 'sigmoid', 'softplus', 'tanh'] as const),
  ...(['clamp', 'cast', 'softmax', 'logSoftmax', 'logSumExp', 'sum', 'mean', 'variance', 'amax', 'amin'] as const),
  ...(['max', 'min', 'argmax', 'argmin', 'matmul', 'bmm', 'reshape', 'flatten', 'squeeze', 'unsqueeze'] as const),
  ...(['permute', 'transpose', 'expand', 'flip', 'slice', 'narrow', 'split', 'gather', 'indexSelect'] as const),
  ...(['floor', 'ceil', 'round', 'sort', 'topk', 'cumsum', 'cumprod', 'prod', 'norm', 'prelu'] as const),
];

type Rest<F> = F extends (first: never, ...rest: infer R) => infer Result ? (...rest: R) => Result : never;
type TensorMethods = { [name in (typeof methods)[number]]: Rest<(typeof ops)[name]> };

declare module '../tensor.ts' {
  // eslint-disable-next-line @typescript-eslint/no-empty-object-type -- merging is how methods are added to a class
  interface Tensor extends TensorMethods {}
}

for (const name of methods) {
  const operation = ops[name] as (...all: unknown[]) => unknown;
  Object.defineProperty(Tensor.prototype, name, {
    value(this: Tensor, ...rest: unknown[]) {
      return operation(this, ...rest);
    },
    writable: true,
    configurable: true,
  });
}
