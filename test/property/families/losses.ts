// Losses of regression and classification under every reduction.
import fc from 'fast-check';
import * as w from '../../../engine/index.ts';
import { type Evaluated, family, type Family, roundingsOf } from '../property.ts';
import { shapes, size, sizeOf } from '../sizes.ts';

const reduction = fc.constantFrom<w.LossReduction>('mean', 'sum', 'none');
type Loss = (x: w.Tensor, target: w.Tensor, reduction: w.LossReduction) => w.Tensor;

const pointwise: Readonly<Record<string, { f: Loss; target?: 'positive' }>> = {
  mseLoss: { f: (x, y, reduction) => w.mseLoss(x, y, { reduction }) },
  l1Loss: { f: (x, y, reduction) => w.l1Loss(x, y, { reduction }) },
  huberLoss: { f: (x, y, reduction) => w.huberLoss(x, y, { reduction, delta: 0.6 }) },
  smoothL1Loss: { f: (x, y, reduction) => w.smoothL1Loss(x, y, { reduction, beta: 0.7 }) },
  bceWithLogits: { f: (x, y, reduction) => w.bceWithLogits(x, y, { reduction }), target: 'positive' },
};

/** These losses and their slopes are below s^2 and 2 s for s = 1 + |x| + |target|. */
function pointwiseMagnitude(
  { inputs: [x, y], cotangents: [g], gradients }: Evaluated,
  how: w.LossReduction,
): w.Tensor[] {
  const s = w.add(w.abs(x!), w.abs(y!)).add(1);
  const joined = { mean: (t: w.Tensor) => w.mean(t), sum: (t: w.Tensor) => w.sum(t), none: (t: w.Tensor) => t };
  const slope = w.affine(w.mul(g!, s), how === 'mean' ? 2 / Math.max(1, x!.size) : 2, 0);
  return [joined[how](w.square(s)), ...gradients.map(() => slope)];
}

const regression = family(
  'regression',
  fc.record({
    name: fc.constantFrom(...Object.keys(pointwise)),
    shape: shapes({ min: 0, max: 4 }, 3000),
    reduction,
  }),
  ({ name, shape, reduction: how }) => {
    const { f, target } = pointwise[name]!;
    return {
      inputs: [{ shape }, { shape, ...(target && { values: target }) }],
      f: (x, y) => f(x!, y!, how),
      roundings: roundingsOf(sizeOf(shape)),
      magnitude: (evaluated) => pointwiseMagnitude(evaluated, how),
    };
  },
  Object.keys(pointwise).map((name) => ({ name, shape: [33, 65], reduction: 'mean' as const })),
);

interface Scores {
  batch: number;
  classes: number;
  rest: number[];
  reduction: w.LossReduction;
  weighted: boolean;
  ignoreIndex: number;
  labelSmoothing: number;
}

const scores: fc.Arbitrary<Scores> = fc
  .record({
    batch: fc.integer({ min: 0, max: 5 }),
    classes: size,
    rest: fc.array(fc.integer({ min: 1, max: 7 }), { maxLength: 2 }),
    reduction,
    weighted: fc.boolean(),
    ignoreIndex: fc.constantFrom(-100, 0, 1),
    labelSmoothing: fc.constantFrom(0, 0, 0.1),
  })
  .filter(({ batch, classes, rest }) => batch * classes * sizeOf(rest) <= 6000);

/** No weight is above 1.5; the loss of a position is below max |x| + log C, its slope below 1 per class. */
function scoreMagnitude({ inputs: [x], outputs: [y], cotangents: [g], gradients }: Evaluated, { classes }: Scores) {
  const top = x!.size ? w.amax(w.abs(x!)).add(4 + Math.log(classes)) : w.full([], 1);
  const strongest = g!.size ? w.amax(g!) : w.full([], 1);
  return [w.add(w.abs(y!), w.affine(top, 1.5, 0)), ...gradients.map(() => w.mul(strongest, w.affine(top, 1.5, 0)))];
}

const inputsOf = ({ batch, classes, rest, weighted }: Scores) => [
  { shape: [batch, classes, ...rest] },
  { shape: [batch, ...rest], values: { below: classes } },
  ...(weighted ? [{ shape: [classes], values: 'positive' as const, constant: true as const }] : []),
];

const classified: Scores[] = [
  { batch: 3, classes: 65, rest: [4], reduction: 'mean', weighted: true, ignoreIndex: 1, labelSmoothing: 0.1 },
  { batch: 2, classes: 1, rest: [], reduction: 'mean', weighted: false, ignoreIndex: 0, labelSmoothing: 0 },
  { batch: 2, classes: 19, rest: [5, 7], reduction: 'none', weighted: false, ignoreIndex: -100, labelSmoothing: 0 },
];

const optionsOf = ({ reduction, ignoreIndex }: Scores, weight: w.Tensor | undefined): w.NllOptions => ({
  reduction,
  ignoreIndex,
  weight,
});

const crossEntropy = family(
  'crossEntropy',
  scores,
  (p) => ({
    inputs: inputsOf(p),
    f: (x, target, weight) =>
      w.crossEntropy(x!, target!, { ...optionsOf(p, weight), labelSmoothing: p.labelSmoothing }),
    roundings: roundingsOf(p.classes + p.batch * sizeOf(p.rest)),
    magnitude: (evaluated) => scoreMagnitude(evaluated, p),
  }),
  classified,
);

const nllLoss = family(
  'nllLoss',
  scores,
  (p) => ({
    inputs: inputsOf(p),
    f: (x, target, weight) => w.nllLoss(x!, target!, optionsOf(p, weight)),
    roundings: roundingsOf(p.batch * sizeOf(p.rest)),
    magnitude: (evaluated) => scoreMagnitude(evaluated, p),
  }),
  classified,
);

export const losses: readonly Family[] = [regression, crossEntropy, nllLoss];
