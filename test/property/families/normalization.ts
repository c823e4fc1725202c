// Batch, layer, group and instance normalisation. With h the normalised values, r = 1 / sqrt(variance + eps) and q = 1 + r max |x| the
// amplification of the rounding of x - mean, an element of h has the error u q (1 + |h|), and the rest follows from
//   y = w h + b,   x' = r (w g - mean(w g) - h mean(w g h)),   w' = sum g h,   b' = sum g.
import fc from 'fast-check';
import * as w from '../../../engine/index.ts';
import { sizeOf } from '../../../engine/shape.ts';
import { type Evaluated, family, type Family, roundingsOf } from '../property.ts';
import { size, sizeOrNone } from '../sizes.ts';

const EPS = 1e-5;

/** A view of the image with separate axes for what is averaged and for what shares a weight. */
interface View {
  shape: number[];
  averaged: number[];
  weight: number[];
  shared: number[];
}

function magnitude({ inputs, outputs, cotangents, gradients }: Evaluated, view: View): w.Tensor[] {
  const x = w.reshape(inputs[0]!, view.shape);
  const g = w.reshape(cotangents[0]!, view.shape);
  const weight = w.abs(w.reshape(inputs[1]!, view.weight));
  const bias = w.abs(w.reshape(inputs[2]!, view.weight));
  const mean = (t: w.Tensor) => w.mean(t, view.averaged, { keepdim: true });
  const centred = w.sub(x, mean(x));
  const r = w.rsqrt(mean(w.square(centred)).add(EPS));
  const largest = x.size ? w.amax(w.abs(x)) : w.full([], 0);
  const q = w.mul(r, largest).add(1);
  const spread = w.mul(w.abs(w.mul(centred, r)).add(1), q);
  const scaled = w.mul(weight, g);
  const inner = w.add(w.add(scaled, mean(scaled)), w.mul(spread, mean(w.mul(scaled, spread))));
  const flat = (t: w.Tensor, like: w.Tensor) => w.reshape(t, like.shape);
  return [
    flat(w.add(w.mul(weight, spread), bias), outputs[0]!),
    flat(w.mul(w.mul(r, q), inner), gradients[0]!),
    flat(w.sum(w.mul(g, spread), view.shared), gradients[1]!),
    flat(w.sum(g, view.shared), gradients[2]!),
  ];
}

const images = fc
  .record({ batch: fc.integer({ min: 1, max: 4 }), channels: size, spatial: sizeOrNone })
  .filter(({ batch, channels, spatial }) => batch * channels * spatial <= 8000);

const batchNorm = family(
  'batchNorm',
  images.filter(({ batch, spatial }) => batch * spatial > 1),
  ({ batch, channels, spatial }) => ({
    inputs: [{ shape: [batch, channels, spatial] }, { shape: [channels] }, { shape: [channels] }],
    f: (x, weight, bias) => w.batchNorm(x!, { weight, bias, training: true }),
    roundings: roundingsOf(batch * spatial),
    magnitude: (evaluated) =>
      magnitude(evaluated, {
        shape: [batch, channels, spatial],
        averaged: [0, 2],
        weight: [1, channels, 1],
        shared: [0, 2],
      }),
  }),
  [
    { batch: 2, channels: 1, spatial: 1 },
    { batch: 4, channels: 67, spatial: 33 },
    { batch: 1, channels: 2, spatial: 20_001 },
    { batch: 130, channels: 5, spatial: 4 },
  ],
);

const inference = family(
  'batchNorm of running statistics',
  images,
  ({ batch, channels, spatial }) => ({
    inputs: [
      { shape: [batch, channels, spatial] },
      { shape: [channels] },
      { shape: [channels] },
      { shape: [channels], constant: true },
      { shape: [channels], values: 'positive', constant: true },
    ],
    f: (x, weight, bias, runningMean, runningVar) => w.batchNorm(x!, { weight, bias, runningMean, runningVar }),
    roundings: roundingsOf(batch * spatial),
    // As under `terms`, with the mean added.
    absolute: (x, weight, bias, mean, variance) => {
      const along = (t: w.Tensor | undefined) => w.reshape(t!, [1, channels, 1]);
      const h = w.mul(w.add(x!, along(mean)), along(w.rsqrt(variance!.add(EPS))));
      return w.add(w.mul(h, along(weight)), along(bias));
    },
  }),
  [{ batch: 3, channels: 65, spatial: 4 }],
);

const layerNorm = family(
  'layerNorm',
  fc
    .record({ lead: fc.array(fc.nat(5), { maxLength: 2 }), last: fc.array(size, { minLength: 1, maxLength: 2 }) })
    .filter(({ lead, last }) => sizeOf(lead) * sizeOf(last) <= 8000 && sizeOf(last) <= 4000),
  ({ lead, last }) => ({
    inputs: [{ shape: [...lead, ...last] }, { shape: last }, { shape: last }],
    f: (x, weight, bias) => w.layerNorm(x!, last, { weight, bias }),
    roundings: roundingsOf(Math.max(sizeOf(last), sizeOf(lead))),
    magnitude: (evaluated) => {
      const n = sizeOf(last);
      return magnitude(evaluated, { shape: [sizeOf(lead), n], averaged: [1], weight: [1, n], shared: [0] });
    },
  }),
  [
    { lead: [3], last: [1] },
    { lead: [5, 7], last: [33] },
    { lead: [2], last: [1025] },
  ],
);

const groupNorm = family(
  'groupNorm',
  fc
    .record({
      batch: fc.nat(3),
      groups: fc.integer({ min: 1, max: 5 }),
      each: fc.integer({ min: 1, max: 5 }),
      spatial: size,
    })
    .filter(({ batch, groups, each, spatial }) => batch * groups * each * spatial <= 8000),
  ({ batch, groups, each, spatial }) => ({
    inputs: [{ shape: [batch, groups * each, spatial] }, { shape: [groups * each] }, { shape: [groups * each] }],
    f: (x, weight, bias) => w.groupNorm(x!, groups, { weight, bias }),
    roundings: roundingsOf(Math.max(each * spatial, batch * spatial)),
    magnitude: (evaluated) =>
      magnitude(evaluated, {
        shape: [batch, groups, each, spatial],
        averaged: [2, 3],
        weight: [1, groups, each, 1],
        shared: [0, 3],
      }),
  }),
  [{ batch: 2, groups: 4, each: 3, spatial: 65 }],
);

const instanceNorm = family(
  'instanceNorm',
  images.filter(({ spatial }) => spatial > 1),
  ({ batch, channels, spatial }) => ({
    inputs: [{ shape: [batch, channels, spatial] }, { shape: [channels] }, { shape: [channels] }],
    f: (x, weight, bias) => w.instanceNorm(x!, { weight, bias }),
    roundings: roundingsOf(batch * spatial),
    magnitude: (evaluated) =>
      magnitude(evaluated, {
        shape: [batch, channels, spatial],
        averaged: [2],
        weight: [1, channels, 1],
        shared: [0, 2],
      }),
  }),
  [
    { batch: 2, channels: 1, spatial: 2 },
    { batch: 3, channels: 65, spatial: 33 },
    { batch: 1, channels: 3, spatial: 1025 },
  ],
);

export const normalization: readonly Family[] = [batchNorm, inference, layerNorm, groupNorm, instanceNorm];
