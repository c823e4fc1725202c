// Parameters and cases of convolutions for tests that look at chosen shapes.
import { random } from '../../engine/random.ts';
import { type Conv2dParams, type Kernel, sizeOf } from '../../kernels/index.ts';
import { type KernelCase, kernelCase } from './cases.ts';

const outputSize = (size: number, pad: number, kernel: number, dilation: number, stride: number): number =>
  Math.floor((size + 2 * pad - dilation * (kernel - 1) - 1) / stride) + 1;

/** A 3x3 convolution with a padding of 1, without groups or bias, but for what is asked; the output's size follows. */
export function convolution(change: Partial<Conv2dParams> = {}): Conv2dParams {
  const p = {
    batch: 8,
    inChannels: 64,
    inH: 64,
    inW: 64,
    outChannels: 64,
    kernelH: 3,
    kernelW: 3,
    strideH: 1,
    strideW: 1,
    padH: 1,
    padW: 1,
    dilationH: 1,
    dilationW: 1,
    groups: 1,
    bias: 0,
    ...change,
  };
  return {
    ...p,
    outH: outputSize(p.inH, p.padH, p.kernelH, p.dilationH, p.strideH),
    outW: outputSize(p.inW, p.padW, p.kernelW, p.dilationW, p.strideW),
  };
}

export type Edit = (operands: readonly number[][]) => void;

/** Normal data, which `change` may edit. */
export function normalCase(
  kernel: Kernel<Conv2dParams>,
  params: Conv2dParams,
  note: string,
  change: Edit = () => undefined,
  atol = 1e-4,
): KernelCase {
  const draws = random(31, kernel.name);
  const operands = kernel.inputs(params);
  const contents = operands.map(({ shape }) => [...draws.normalArray(sizeOf(shape))]);
  change(contents);
  const inputs = operands.map(({ name }, i) => ({ name, dtype: 'float32' as const, values: contents[i]! }));
  const outputs = kernel.outputs(params).map(({ name, shape }) => ({
    name,
    dtype: 'float32' as const,
    values: new Array<number>(sizeOf(shape)).fill(-12345),
  }));
  return kernelCase(kernel, params, inputs, outputs, { rtol: 1e-4, atol }, ` ${note}`);
}
