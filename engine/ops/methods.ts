// The operations as methods, so that expressions read from left to right: x.mul(2).add(y).relu().mean().
import { Tensor } from '../tensor.ts';
import * as ops from './index.ts';

/** Each method is the function of the same name with the tensor as its first argument. */
const methods = [
  'add',
  'sub',
  'mul',
  'div',
  'maximum',
  'minimum',
  'pow',
  'eq',
  'ne',
  'lt',
  'le',
  'gt',
  'ge',
  'neg',
  'exp',
  'log',
  'sqrt',
  'abs',
  'square',
  'relu',
  'sigmoid',
  'tanh',
  'clamp',
  'cast',
  'sum',
  'mean',
  'amax',
  'amin',
  'argmax',
  'argmin',
  'variance',
  'softmax',
  'logSoftmax',
  'matmul',
  'reshape',
  'flatten',
  'squeeze',
  'unsqueeze',
  'permute',
  'transpose',
  'expand',
  'slice',
  'narrow',
  'gather',
] as const;

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
