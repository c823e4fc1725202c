// Random cases of softmax cross-entropy: ignored pixels among them, now and then a label that is not a class, and normalisers
// that are those of no logits, since the gradient takes them as they come.
import fc from 'fast-check';
import { crossEntropy, crossEntropyBackward, type CrossEntropyParams, PixelReduction } from '../../../kernels/index.ts';
import { anySize, caseSource, drawn, flag, type KernelGenerator } from '../cases.ts';

const IGNORED = 250;

const reduction = fc.constantFrom(PixelReduction.none, PixelReduction.sum, PixelReduction.mean);

const params: fc.Arbitrary<CrossEntropyParams> = fc
  .record({
    batch: fc.nat(5),
    classes: anySize.map((n) => Math.max(1, n)),
    spatial: fc.oneof(fc.constant(1), anySize),
    ignoreIndex: fc.constant(IGNORED),
    weighted: flag,
    smoothing: fc.constantFrom(0, 0, Math.fround(0.1), 1),
    reduction,
  })
  .filter(({ batch, classes, spatial }) => batch * classes * spatial <= 50_000);

const map = (
  batch: number,
  classes: number,
  spatial: number,
  reduction: PixelReduction,
  weighted = 0,
  smoothing = 0,
): CrossEntropyParams => ({
  batch,
  classes,
  spatial,
  ignoreIndex: IGNORED,
  weighted,
  smoothing: Math.fround(smoothing),
  reduction,
});

const { none, sum, mean } = PixelReduction;
const examples = [
  map(1, 1, 1, mean),
  map(0, 3, 5, sum),
  map(2, 3, 0, mean),
  map(3, 1, 7, none),
  map(2, 14, 1025, mean, 1, 0.1),
  map(2, 5, 33 * 35, sum),
  map(1, 1025, 19, none, 1),
  map(67, 10, 1, mean),
  map(33, 1025, 1, mean, 1, 0.2),
  map(33, 1025, 1, none, 0, 0.2),
  map(3, 129, 130, sum, 1, 0.3),
];

/** A label that is not a class shows in one case of eight, so that the others are not NaN throughout. */
const values: KernelGenerator<CrossEntropyParams>['values'] = (name, { classes }, draws, length) => {
  if (name === 'target') {
    const isWrong = draws.integer(8) === 0;
    return drawn(length, () => {
      if (draws.integer(5) === 0) return IGNORED;
      return isWrong && draws.integer(40) === 0
        ? classes + draws.integer(3)
        : draws.integer(Math.min(classes, IGNORED));
    });
  }
  if (name === 'weight') return drawn(length, () => 0.25 + draws.uniform());
  if (name === 'total') return [1 + draws.uniform()];
  if (name === 'x') return draws.normalArray(length).map((z) => 4 * z);
  return undefined;
};

export const crossEntropySource = caseSource({
  kernel: crossEntropy,
  params,
  examples,
  // A sum of losses near 10, of either sign if a logit that weighs little stands out.
  tolerance: ({ batch, spatial, reduction }) => ({
    rtol: 2e-5,
    atol: reduction === PixelReduction.sum ? 2e-5 * (1 + Math.sqrt(batch * spatial)) : 2e-5,
  }),
  values,
});

export const crossEntropyBackwardSource = caseSource({
  kernel: crossEntropyBackward,
  params,
  examples,
  tolerance: () => ({ rtol: 3e-5, atol: 3e-6 }),
  values: (name, p, draws, length) =>
    // Larger than nearly all logits, so that probabilities stay near those of real normalisers.
    name === 'normalizers' ? drawn(length, () => 6 + draws.uniform()) : values(name, p, draws, length),
});
