// The operations as methods, so that expressions read from left to right: x.mul(2).add(y).relu().mean().
import { Tensor } from '../tensor.ts';
import * as ops from './index.ts';

/** Each method is the function of the same name with the tensor as its first argument. */
const methods = {
  add: ops.add,
  sub: ops.sub,
  mul: ops.mul,
  div: ops.div,
  maximum: ops.maximum,
  minimum: ops.minimum,
  pow: ops.pow,
  eq: ops.eq,
  ne: ops.ne,
  lt: ops.lt,
  le: ops.le,
  gt: ops.gt,
  ge: ops.ge,
  neg: ops.neg,
  exp: ops.exp,
  log: ops.log,
  sqrt: ops.sqrt,
  abs: ops.abs,
  square: ops.square,
  relu: ops.relu,
  sigmoid: ops.sigmoid,
  tanh: ops.tanh,
  clamp: ops.clamp,
  cast: ops.cast,
  sum: ops.sum,
  mean: ops.mean,
  amax: ops.amax,
  amin: ops.amin,
  argmax: ops.argmax,
  argmin: ops.argmin,
  variance: ops.variance,
  softmax: ops.softmax,
  logSoftmax: ops.logSoftmax,
  matmul: ops.matmul,
  reshape: ops.reshape,
  flatten: ops.flatten,
  squeeze: ops.squeeze,
  unsqueeze: ops.unsqueeze,
  permute: ops.permute,
  transpose: ops.transpose,
  expand: ops.expand,
  slice: ops.slice,
  narrow: ops.narrow,
  gather: ops.gather,
} as const;

type Rest<F> = F extends (first: never, ...rest: infer R) => infer Result ? (...rest: R) => Result : never;
type TensorMethods = { [name in keyof typeof methods]: Rest<(typeof methods)[name]> };

declare module '../tensor.ts' {
  // eslint-disable-next-line @typescript-eslint/no-empty-object-type -- merging is how methods are added to a class
  interface Tensor extends TensorMethods {}
}

for (const [name, operation] of Object.entries(methods)) {
  Object.defineProperty(Tensor.prototype, name, {
    value(this: Tensor, ...rest: unknown[]) {
      return (operation as (...all: unknown[]) => unknown)(this, ...rest);
    },
    writable: true,
    configurable: true,
  });
}
