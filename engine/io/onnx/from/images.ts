// Convolutions, pooling and normalisation of images. One axis of space becomes two; padding that differs at both ends is made first.
import * as w from '../../../index.ts';
import type { Tensor } from '../../../index.ts';
import { sizeOf } from '../../../shape.ts';
import type { FileNode, Inputs, Operator, Operators } from './node.ts';

/** Space as [rows, columns]; of one axis the rows are 1. */
type Two = readonly [number, number];

const NEVER: Two = [0, 0];

/** [top, left, bottom, right] */
type Pads = readonly [number, number, number, number];

interface Geometry {
  kernel: Two;
  stride: Two;
  dilation: Two;
  pads: Pads;
}

/** The attributes of a sliding window. What depends on sizes is worked out for each input. */
function windowOf(node: FileNode) {
  const autoPad = node.text('auto_pad', 'NOTSET');
  if (!['NOTSET', 'VALID', 'SAME_UPPER', 'SAME_LOWER'].includes(autoPad)) {
    node.refuse("no such value of the attribute 'auto_pad'", `'${autoPad}'`);
  }
  const kernel = node.ints('kernel_shape');
  const [strides, dilations, pads] = [node.ints('strides'), node.ints('dilations'), node.ints('pads')];
  const two = (list: readonly number[] | undefined, otherwise: number, spatial: number): Two => {
    if (!list) return spatial === 1 ? [otherwise === 0 ? 0 : 1, otherwise] : [otherwise, otherwise];
    if (list.length !== spatial) node.refuse(`expected a number for each of ${spatial} axes`, `[${list.join(', ')}]`);
    return spatial === 1 ? [1, list[0]!] : [list[0]!, list[1]!];
  };
  return (x: Tensor, weight?: readonly number[]): Geometry => {
    const spatial = spatialOf(node, x);
    const sides = weight ? weight.slice(2) : kernel;
    if (!sides) node.refuse("the attribute 'kernel_shape' is missing");
    if (weight && kernel && kernel.join() !== sides.join()) {
      node.refuse("the attribute 'kernel_shape' is not that of the weight", `[${kernel.join(', ')}]`, {
        expected: `[${sides.join(', ')}]`,
      });
    }
    const size: Two = spatial === 1 ? [1, x.shape[2]!] : [x.shape[2]!, x.shape[3]!];
    const all = {
      kernel: two(sides, 1, spatial),
      stride: two(strides, 1, spatial),
      dilation: two(dilations, 1, spatial),
    };
    return { ...all, pads: autoPad.startsWith('SAME') ? same(size, all, autoPad === 'SAME_LOWER') : given(spatial) };
  };

  function given(spatial: number): Pads {
    if (!pads || autoPad === 'VALID') return [0, 0, 0, 0];
    if (pads.length !== 2 * spatial) node.refuse(`expected ${2 * spatial} pads`, `[${pads.join(', ')}]`);
    if (pads.some((n) => n < 0)) node.refuse('pads below 0', `[${pads.join(', ')}]`);
    return spatial === 1 ? [0, pads[0]!, 0, pads[1]!] : (pads as unknown as Pads);
  }
}

/** Padding under which an output has a size of ceil(n / stride). */
function same(size: Two, { kernel, stride, dilation }: Omit<Geometry, 'pads'>, isLower: boolean): Pads {
  const totals = size.map((n, i) => {
    const reach = dilation[i]! * (kernel[i]! - 1) + 1;
    return Math.max(0, (Math.ceil(n / stride[i]!) - 1) * stride[i]! + reach - n);
  });
  const before = totals.map((n) => (isLower ? Math.ceil(n / 2) : Math.floor(n / 2)));
  return [before[0]!, before[1]!, totals[0]! - before[0]!, totals[1]! - before[1]!];
}

function spatialOf(node: FileNode, x: Tensor): 1 | 2 {
  if (x.rank === 3) return 1;
  if (x.rank === 4) return 2;
  return node.refuse('expected (N, C, L) or (N, C, H, W)', `[${x.shape.join(', ')}]`);
}

const asImage = (x: Tensor): Tensor => (x.rank === 3 ? w.unsqueeze(x, 2) : x);
const asGiven = (y: Tensor, x: Tensor): Tensor => (x.rank === 3 ? w.squeeze(y, 2) : y);
const isEven = ([top, left, bottom, right]: Pads): boolean => top === bottom && left === right;
const padded = (x: Tensor, [top, left, bottom, right]: Pads, value: number): Tensor =>
  w.pad(x, [left, right, top, bottom], 'constant', value);

/** x with what padding the operation itself cannot make, and the rest. */
function withPads(x: Tensor, pads: Pads, value: number, mostly: (padding: Two) => boolean = () => true): [Tensor, Two] {
  const padding: Two = [pads[0], pads[1]];
  return isEven(pads) && mostly(padding) ? [x, padding] : [padded(x, pads, value), NEVER];
}

const conv: Operator = {
  read(node) {
    const geometry = windowOf(node);
    const groups = node.int('group', 1);
    return (inputs) => {
      const [x, weight] = [inputs.tensor(0), inputs.tensor(1)];
      const { stride, dilation, pads } = geometry(x, weight.shape);
      const [image, padding] = withPads(asImage(x), pads, 0);
      const y = w.conv2d(image, asImage(weight), inputs.optional(2), { stride, dilation, padding, groups });
      return asGiven(y, x);
    };
  },
};

const convTranspose: Operator = {
  read(node) {
    const autoPad = node.text('auto_pad', 'NOTSET');
    const geometry = windowOf(node);
    const groups = node.int('group', 1);
    const [extra, sizes] = [node.ints('output_padding'), node.ints('output_shape')];
    return (inputs) => {
      const [x, weight] = [inputs.tensor(0), inputs.tensor(1)];
      const { kernel, stride, dilation, pads } = geometry(x, weight.shape);
      const spatial = spatialOf(node, x);
      const axes = spatial === 1 ? [1] : [0, 1];
      const outputPadding = [0, 1].map((axis) => extra?.[axes.indexOf(axis)] ?? 0);
      const image = asImage(x);
      const whole = [0, 1].map(
        (axis) => (image.shape[2 + axis]! - 1) * stride[axis]! + dilation[axis]! * (kernel[axis]! - 1) + 1,
      );
      // Of the whole output so much is cut off at each end.
      const cuts = [0, 1].map((axis) => {
        const wanted =
          sizes?.[axes.indexOf(axis)] ??
          (autoPad.startsWith('SAME') ? image.shape[2 + axis]! * stride[axis]! : undefined);
        if (wanted === undefined || !axes.includes(axis)) return [pads[axis]!, pads[2 + axis]!] as const;
        const total = whole[axis]! + outputPadding[axis]! - wanted;
        if (total < 0) node.refuse('the output is smaller than output_shape', String(wanted));
        const less = Math.floor(total / 2);
        return autoPad === 'SAME_UPPER' ? ([less, total - less] as const) : ([total - less, less] as const);
      });
      const options = { stride, dilation, groups };
      const isPlain = cuts.every(([before, after]) => before === after);
      const padding = cuts.map(([before]) => before) as unknown as Two;
      const y = w.convTranspose2d(image, asImage(weight), inputs.optional(2), {
        ...options,
        padding: isPlain ? padding : 0,
        outputPadding: outputPadding as unknown as Two,
      });
      if (isPlain) return asGiven(y, x);
      const kept = cuts.map(([before, after], axis) => [before, y.shape[2 + axis]! - after] as const);
      return asGiven(w.slice(y, [null, null, ...kept]), x);
    };
  },
};

/** The engine's indices count within a plane, those of ONNX within all of x; float32 holds so many exactly. */
const MOST_INDICES = 2 ** 24;

function wholeIndices(node: FileNode, indices: Tensor, x: Tensor): Tensor {
  if (x.size >= MOST_INDICES) node.refuse('indices of so large a tensor are not exact', `${x.size} elements`);
  const [n, c] = x.shape as [number, number];
  const plane = sizeOf(x.shape.slice(2));
  const firsts = Float32Array.from({ length: n * c }, (_, i) => i * plane);
  const shape = [n, c, ...x.shape.slice(2).map(() => 1)];
  return w.cast(w.add(w.cast(indices, 'float32'), w.tensor(firsts, shape, { device: x.device })), 'int32');
}

/** The engine takes padding of at most half the kernel. */
const byHalf =
  ({ kernel }: Geometry) =>
  (padding: Two): boolean =>
    padding.every((n, i) => 2 * n <= kernel[i]!);

const maxPool: Operator = {
  read(node) {
    const geometry = windowOf(node);
    const ceilMode = node.flag('ceil_mode');
    node.only('storage_order', 0);
    return (inputs) => {
      const x = inputs.tensor(0);
      const window = geometry(x);
      const [image, padding] = withPads(asImage(x), window.pads, -Infinity, byHalf(window));
      const options = { stride: window.stride, dilation: window.dilation, padding, ceilMode };
      if (node.wanted < 2) return asGiven(w.maxPool2d(image, window.kernel, options), x);
      if (image.size !== x.size) node.refuse('indices with padding that differs at both ends are not supported');
      const { values, indices } = w.maxPool2d(image, window.kernel, { ...options, returnIndices: true });
      return [asGiven(values, x), asGiven(wholeIndices(node, indices, image), x)];
    };
  },
};

const averagePool: Operator = {
  read(node) {
    const geometry = windowOf(node);
    const ceilMode = node.flag('ceil_mode');
    const countIncludePad = node.flag('count_include_pad');
    return (inputs) => {
      const x = inputs.tensor(0);
      const window = geometry(x);
      if (window.dilation.some((n) => n !== 1)) node.refuse("the attribute 'dilations' is supported as 1 only");
      const image = asImage(x);
      const [before, padding] = withPads(image, window.pads, 0, byHalf(window));
      const options = { stride: window.stride, padding, ceilMode };
      const mean = (image: Tensor, padding: Two) =>
        w.avgPool2d(image, window.kernel, { ...options, padding, countIncludePad });
      if (before === image || countIncludePad) return asGiven(mean(before, padding), x);
      // The mean over what lies inside: that of the padded image by the part of each window that is inside.
      const ones = w.ones([1, 1, ...image.shape.slice(2)], { device: x.device });
      return asGiven(w.div(mean(before, NEVER), mean(padded(ones, window.pads, 0), NEVER)), x);
    };
  },
};

const overSpace = (reduce: (x: Tensor, axes: number[]) => Tensor): Operator => ({
  read: () => (inputs) => {
    const x = inputs.tensor(0);
    return reduce(x, x.shape.map((_, axis) => axis).slice(2));
  },
});

/** One value per channel, under the axes of x. */
const perChannel = (values: Tensor, x: Tensor): Tensor =>
  w.reshape(values, [1, x.shape[1]!, ...x.shape.slice(2).map(() => 1)]);

const batchNorm: Operator = {
  buffers: [3, 4],
  read(node) {
    const eps = node.float('epsilon', 1e-5);
    node.ignore('momentum');
    node.only('training_mode', 0);
    node.only('spatial', 1);
    if (node.wanted > 1) node.refuse('more than one output is for training, which is not supported');
    return (inputs) =>
      w.batchNorm(inputs.tensor(0), {
        weight: inputs.tensor(1),
        bias: inputs.tensor(2),
        runningMean: inputs.tensor(3),
        runningVar: inputs.tensor(4),
        training: false,
        eps,
      });
  },
};

const instanceNorm: Operator = {
  read(node) {
    const eps = node.float('epsilon', 1e-5);
    return (inputs) => w.instanceNorm(inputs.tensor(0), { weight: inputs.tensor(1), bias: inputs.tensor(2), eps });
  },
};

/** Weight and bias of each group before opset 21, of each channel since. */
function groupNormOf(node: FileNode) {
  const eps = node.float('epsilon', 1e-5);
  node.ignore('stash_type');
  const groups = node.int('num_groups', 0);
  return (inputs: Inputs): Tensor => {
    const x = inputs.tensor(0);
    const each = (i: number): Tensor => {
      const values = inputs.tensor(i);
      if (values.size !== groups) return perChannel(values, x);
      const width = x.shape[1]! / groups;
      return perChannel(w.expand(w.reshape(values, [groups, 1]), [groups, width]).reshape([groups * width]), x);
    };
    return w.add(w.mul(w.groupNorm(x, groups, { eps }), each(1)), each(2));
  };
}

const depthToSpace: Operator = {
  read(node) {
    const factor = node.int('blocksize', 0);
    const mode = node.text('mode', 'DCR');
    return (inputs) => {
      const x = inputs.tensor(0);
      if (mode === 'CRD') return w.pixelShuffle(x, factor);
      const [n, c, height, width] = x.shape as [number, number, number, number];
      const channels = c / factor ** 2;
      const parts = w.permute(w.reshape(x, [n, factor, factor, channels, height, width]), [0, 3, 4, 1, 5, 2]);
      return w.reshape(parts, [n, channels, height * factor, width * factor]);
    };
  },
};

export const images: Operators = {
  Conv: conv,
  ConvTranspose: convTranspose,
  MaxPool: maxPool,
  AveragePool: averagePool,
  GlobalAveragePool: overSpace((x, axes) => w.mean(x, axes, { keepdim: true })),
  GlobalMaxPool: overSpace((x, axes) => w.amax(x, axes, { keepdim: true })),
  BatchNormalization: batchNorm,
  InstanceNormalization: instanceNorm,
  GroupNormalization: { read: groupNormOf },
  DepthToSpace: depthToSpace,
};
