// Pyramid pooling (Zhao et al. 2017): averages over the cells of several bins as one operation, and its adjoint as another.
import {
  type Kernel,
  MAX_PYRAMID_BINS,
  pyramidCells,
  pyramidPool,
  pyramidPoolBackward,
  type PyramidPoolParams,
  PyramidRule as RuleCode,
} from '../../kernels/index.ts';
import { oneOf, wholeNumber } from '../checks.ts';
import { ConfigError, ShapeError, showShape } from '../errors.ts';
import { type Apply, defineFunction, defineOperation } from '../operation.ts';
import { type Shape, sizeOf } from '../shape.ts';
import { float, numbers, optionsWith, text } from '../signature.ts';
import type { Gradients } from '../tape.ts';
import type { Tensor } from '../tensor.ts';
import { reshape } from './reshape.ts';

const family = 'pyramid-pooling';

const planeShape = (p: PyramidPoolParams): Shape => [p.planes, p.inH, p.inW];
const cellShapes = ({ bins, planes, inH, inW, rule }: PyramidPoolParams): Shape[] =>
  bins.map((bin) => [planes, pyramidCells(rule, bin, inH), pyramidCells(rule, bin, inW)]);

function launch(
  kernel: Kernel<PyramidPoolParams>,
  inputs: readonly Tensor[],
  outputs: readonly Tensor[],
  p: PyramidPoolParams,
): void {
  if (p.planes === 0) return;
  const [from, to] = [inputs, outputs].map((tensors) => tensors.map((t) => t.storage));
  inputs[0]!.device.launch(kernel, from!, to!, p);
}

/** Planes -> one tensor per bin. */
const poolOp: Apply<PyramidPoolParams> = defineOperation<PyramidPoolParams>({
  name: 'pyramidPool2d',
  family,
  infer: (_, p) => cellShapes(p).map((shape) => ({ shape, dtype: 'float32' })),
  forward: (inputs, outputs, p) => launch(pyramidPool, inputs, outputs, p),
  vjp({ gradients, attrs }): Gradients {
    // Bins that nothing used add nothing.
    const used = gradients.flatMap((g: Tensor | undefined, k) => (g ? [{ g, bin: attrs.bins[k]! }] : []));
    const bins = used.map(({ bin }) => bin);
    return spreadOp(
      used.map(({ g }) => g),
      { ...attrs, bins, count: bins.length },
    );
  },
});

/** One tensor per bin -> planes. */
const spreadOp: Apply<PyramidPoolParams> = defineOperation<PyramidPoolParams>({
  name: 'pyramidPool2dBackward',
  family,
  infer: (_, p) => [{ shape: planeShape(p), dtype: 'float32' }],
  forward: (inputs, outputs, p) => launch(pyramidPoolBackward, inputs, outputs, p),
  vjp: ({ gradients, attrs }) => poolOp([gradients[0]], attrs),
});

/**
 * How a bin b divides a map of H x W. `adaptive`: into b x b cells that cover it, as adaptiveAvgPool2d. `fixedKernel`: into as
 * many cells of floor(H / b) x floor(W / b) as fit, at least b x b; rows and columns left over are not seen.
 */
export type PyramidRule = keyof typeof RuleCode;

const rules: readonly PyramidRule[] = ['adaptive', 'fixedKernel'];

/** Options of `pyramidPool2d`. */
export interface PyramidPoolOptions {
  /** Default `adaptive`. */
  rule?: PyramidRule;
}

/**
 * The averages of x (N, C, H, W) or (C, H, W) over the cells of each bin: a tensor per bin, in one launch. Throws ShapeError for
 * an empty map and for a bin larger than it under `fixedKernel`, ConfigError for no bins or more than seven.
 */
export const pyramidPool2d = defineFunction('pyramidPool2d', poolPyramid, {
  x: float,
  bins: numbers,
  options: optionsWith<PyramidPoolOptions>({ rule: text }),
});

function poolPyramid(x: Tensor, bins: readonly number[], { rule = 'adaptive' }: PyramidPoolOptions = {}): Tensor[] {
  const operation = 'pyramidPool2d';
  oneOf(operation, 'rule', rule, rules);
  if (!Array.isArray(bins) || bins.length < 1 || bins.length > MAX_PYRAMID_BINS) {
    const given = Array.isArray(bins) ? String(bins.length) : typeof bins;
    const expected = `an array of 1 to ${MAX_PYRAMID_BINS} bins`;
    throw new ConfigError('not a pyramid', { operation, argument: 'bins', expected, given });
  }
  if ((x.rank !== 3 && x.rank !== 4) || x.shape.at(-1) === 0 || x.shape.at(-2) === 0) {
    const expected = '(N, C, H, W) or (C, H, W) with H and W from 1';
    throw new ShapeError('not an image', { operation, argument: 'x', expected, given: showShape(x.shape) });
  }
  const lead = x.shape.slice(0, -2);
  const [inH, inW] = x.shape.slice(-2) as [number, number];
  for (const bin of bins) {
    wholeNumber(operation, 'bins', bin, 1);
    if (rule === 'adaptive' || bin <= Math.min(inH, inW)) continue;
    const expected = `bins of at most ${Math.min(inH, inW)} for a map of ${inH}x${inW}`;
    throw new ShapeError('the bin is larger than the map', {
      operation,
      argument: 'bins',
      expected,
      given: String(bin),
    });
  }
  const planes = sizeOf(lead);
  const params = { bins, planes, inH, inW, count: bins.length, rule: RuleCode[rule] };
  return poolOp([reshape(x, [planes, inH, inW])], params).map((y) => reshape(y, [...lead, ...y.shape.slice(1)]));
}
