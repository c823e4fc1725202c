// Losses of regression and classification under every reduction.
import fc from 'fast-check';
import * as w from '../../../engine/index.ts';
import { sizeOf } from '../../../engine/shape.ts';
import { type Evaluated, family, type Family, type PropertyInput, roundingsOf } from '../property.ts';
import { shapes, size } from '../sizes.ts';

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

const inputsOf = ({ batch, classes, rest, weighted }: Scores): PropertyInput[] => [
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

/** Probabilities of all classes as targets; they need not add up to one. The mean is over positions. */
const probabilities = family(
  'crossEntropy of probabilities',
  scores.filter(({ batch }) => batch > 0),
  (p) => ({
    inputs: inputsOf(p).with(1, { shape: [p.batch, p.classes, ...p.rest], values: 'positive' }),
    f: (x, target, weight) => {
      const { reduction, labelSmoothing } = p;
      return w.crossEntropy(x!, target!, { reduction, labelSmoothing, ...(weight && { weight }) });
    },
    roundings: roundingsOf(p.classes + p.batch * sizeOf(p.rest)),
    // No weight is above 1.5, and no logarithm of a softmax beyond twice `top`.
    magnitude: ({ inputs: [x, target], outputs: [y], cotangents: [g] }) => {
      const top = w.amax(w.abs(x!)).add(4 + Math.log(p.classes));
      const total = w.sum(target!, 1, { keepdim: true }).add(p.labelSmoothing);
      const share = p.reduction === 'mean' ? 1 / (p.batch * sizeOf(p.rest)) : 1;
      const each = w.affine(p.reduction === 'none' ? w.unsqueeze(g!, 1) : g!, 3 * share, 0);
      const loss = w.affine(w.mul(w.sum(total, 1), top), 3, 0);
      const outputs = { none: loss, sum: w.sum(loss), mean: w.mean(loss) }[p.reduction];
      return [
        w.add(w.abs(y!), outputs),
        w.expand(w.mul(w.mul(each, total), top), x!.shape),
        w.expand(w.mul(each, top), target!.shape),
      ];
    },
  }),
  classified,
);

interface Divergence {
  shape: number[];
  reduction: NonNullable<w.KlDivOptions['reduction']>;
  logTarget: boolean;
}

const klDivLoss = family<Divergence>(
  'klDivLoss',
  fc.record({
    shape: shapes({ min: 1, max: 4 }, 3000, size),
    reduction: fc.constantFrom('mean', 'sum', 'none', 'batchmean'),
    logTarget: fc.boolean(),
  }),
  ({ shape, reduction, logTarget }) => ({
    inputs: [{ shape }, { shape, values: 'positive' }],
    f: (x, target) => w.klDivLoss(x!, target!, { reduction, logTarget }),
    roundings: roundingsOf(sizeOf(shape)),
    magnitude: ({ inputs: [x, target], cotangents: [g] }) => {
      const chance = logTarget ? w.exp(target!) : target!;
      const terms = w
        .abs(x!)
        .add(w.abs(logTarget ? target! : w.log(target!)))
        .add(1);
      const loss = w.mul(chance, terms);
      const divisor = { mean: sizeOf(shape), batchmean: shape[0]!, sum: 1, none: 1 }[reduction];
      const each = w.affine(g!, 1 / divisor, 0);
      return [
        reduction === 'none' ? loss : w.affine(w.sum(loss), 1 / divisor, 0),
        w.mul(each, chance),
        w.mul(each, logTarget ? loss : terms),
      ];
    },
  }),
  [
    { shape: [33, 65], reduction: 'batchmean', logTarget: false },
    { shape: [5, 7, 3], reduction: 'none', logTarget: true },
  ],
);

export const losses: readonly Family[] = [regression, crossEntropy, probabilities, nllLoss, klDivLoss];
