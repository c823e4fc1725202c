// mIoU, rmse and logrmse against plain code of another kind, on random maps: void written as 0 and as 255, classes that are nowhere,
// pictures that are void altogether, predictions that are void or not positive.
import t, { type Test } from 'tap';
import { random } from '../../../engine/index.ts';
import { DepthErrors, SMALLEST_DEPTH } from '../../../experiments/metrics/depth-errors.ts';
import { ConfusionMatrix, type LabelCode, LabelScores } from '../../../experiments/metrics/labels.ts';
import { testedOn } from '../../tested-on.ts';

testedOn('host');

interface Pair {
  readonly predicted: readonly number[];
  readonly truth: readonly number[];
}

/** IoU of a class by sets of pixels, or NaN where it is nowhere. */
function iouOf({ predicted, truth }: Pair, value: number, none: number): number {
  const counted = truth.flatMap((label, pixel) => (label === none ? [] : [pixel]));
  const actual = new Set(counted.filter((pixel) => truth[pixel] === value));
  const guessed = new Set(counted.filter((pixel) => predicted[pixel] === value));
  const union = new Set([...actual, ...guessed]);
  return union.size === 0 ? NaN : [...actual].filter((pixel) => guessed.has(pixel)).length / union.size;
}

const average = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** All scores by their definitions. */
function plainScores(pairs: readonly Pair[], { classes, void: none = 255 }: LabelCode): Record<string, number> {
  const values = Array.from({ length: classes }, (_, c) => c + (none === 0 ? 1 : 0));
  const whole = {
    predicted: pairs.flatMap(({ predicted }) => predicted),
    truth: pairs.flatMap(({ truth }) => truth),
  };
  const ious = values.map((value) => iouOf(whole, value, none));
  const perPicture = pairs
    .map((pair) => values.map((value) => iouOf(pair, value, none)).filter((iou) => !Number.isNaN(iou)))
    .filter((own) => own.length > 0);
  const counted = whole.truth.flatMap((label, i) => (label === none ? [] : [Number(label === whole.predicted[i])]));
  return {
    'mIoU (MTI-Net)': 100 * average(ious.map((iou) => (Number.isNaN(iou) ? 0 : iou))),
    'mIoU (Cityscapes)': 100 * average(ious.filter((iou) => !Number.isNaN(iou))),
    'mIoU (per picture)': 100 * average(perPicture.map(average)),
    'pixel accuracy': 100 * average(counted),
  };
}

function sameNumbers(t: Test, given: Record<string, number>, expected: Record<string, number>, name: string): void {
  t.same(Object.keys(given), Object.keys(expected), name);
  for (const [key, value] of Object.entries(expected)) {
    t.ok(
      Math.abs(given[key]! - value) <= 1e-9 * Math.max(1, Math.abs(value)),
      `${name}: ${key} ${given[key]} ${value}`,
    );
  }
}

t.test('mIoU by three protocols', (t) => {
  for (let trial = 0; trial < 40; trial++) {
    const stream = random(trial, 'label maps');
    const code: LabelCode = { classes: 2 + stream.integer(9), void: trial % 2 === 0 ? 255 : 0 };
    const first = code.void === 0 ? 1 : 0;
    // Of some classes there is nothing, in truth, in prediction or in both.
    const [shown, guessed] = [1 + stream.integer(code.classes), 1 + stream.integer(code.classes)];
    const pairs = Array.from({ length: 1 + stream.integer(5) }, (): Pair => {
      const length = 1 + stream.integer(200);
      const share = [0, 0.3, 1][stream.integer(3)]!;
      const draw = (count: number, empty: number): number =>
        stream.uniform() < empty ? code.void! : first + stream.integer(count);
      const truth = Array.from({ length }, () => draw(shown, share));
      const predicted = truth.map((label) => (stream.uniform() < 0.4 ? label : draw(guessed, 0.05)));
      return { truth, predicted };
    });
    const scores = new LabelScores(code);
    for (const { predicted, truth } of pairs) scores.add(Uint8Array.from(predicted), Uint8Array.from(truth));
    const isEmpty = pairs.every(({ truth }) => truth.every((label) => label === code.void));
    if (isEmpty) t.same(scores.metrics(), {}, `${trial}: nothing to count`);
    else sameNumbers(t, scores.metrics(), plainScores(pairs, code), String(trial));
  }
  t.end();
});

t.test('the protocols differ where a class is nowhere', (t) => {
  const scores = new LabelScores({ classes: 4 });
  scores.add([0, 0, 1, 1], [0, 0, 1, 255]);
  scores.add([0, 1, 1, 1], [0, 0, 1, 1]);
  const byHand = {
    'mIoU (MTI-Net)': (100 * (3 / 4 + 3 / 4)) / 4,
    'mIoU (Cityscapes)': (100 * (3 / 4 + 3 / 4)) / 2,
    'mIoU (per picture)': 100 * average([1, (1 / 2 + 2 / 3) / 2]),
    'pixel accuracy': (100 * 6) / 7,
  };
  sameNumbers(t, scores.metrics(), byHand, 'by hand');
  const matrix = scores.matrix;
  t.same([matrix.at(0, 0), matrix.at(0, 1), matrix.at(1, 1), matrix.pixels], [3, 1, 3, 7]);
  t.same(matrix.ious().slice(2), [undefined, undefined]);
  t.throws(() => new ConfusionMatrix({ classes: 4 }).add([0], [4]), { message: /truth is of no class.*0 to 3.*got 4/ });
  t.throws(() => new ConfusionMatrix({ classes: 4, void: 0 }).add([5], [4]), { message: /prediction.*1 to 4.*got 5/ });
  t.throws(() => new ConfusionMatrix({ classes: 4 }).add([0], [0, 0]), { message: /another size/ });
  t.end();
});

t.test('rmse and logrmse, pooled and per picture', (t) => {
  for (let trial = 0; trial < 40; trial++) {
    const stream = random(trial, 'depth maps');
    const pairs = Array.from({ length: 1 + stream.integer(4) }, (): Pair => {
      const length = 1 + stream.integer(100);
      const share = [0, 0.3, 1][stream.integer(3)]!;
      const truth = Array.from({ length }, () => (stream.uniform() < share ? 0 : 0.2 + 9 * stream.uniform()));
      const predicted = truth.map((metres) => (stream.uniform() < 0.1 ? -stream.uniform() : metres + stream.normal()));
      return { truth, predicted };
    });
    const errors = new DepthErrors();
    for (const { predicted, truth } of pairs) errors.add(predicted, truth);
    const measured = pairs
      .map(({ predicted, truth }) =>
        truth.flatMap((metres, i) => (metres > 0 ? [[predicted[i]!, metres] as const] : [])),
      )
      .filter((own) => own.length > 0);
    if (measured.length === 0) {
      t.same(errors.metrics(), {});
      continue;
    }
    const rmse = (pairs: readonly (readonly [number, number])[]): number =>
      Math.sqrt(average(pairs.map(([p, q]) => (p - q) ** 2)));
    const logs = (pairs: readonly (readonly [number, number])[]) =>
      pairs.map(([p, q]) => [Math.log(p < SMALLEST_DEPTH ? SMALLEST_DEPTH : p), Math.log(q)] as const);
    sameNumbers(
      t,
      errors.metrics(),
      {
        'rmse': rmse(measured.flat()),
        'logrmse': rmse(logs(measured.flat())),
        'rmse (per picture)': average(measured.map(rmse)),
        'logrmse (per picture)': average(measured.map((own) => rmse(logs(own)))),
        'clamped pixels': measured.flat().filter(([p]) => p < SMALLEST_DEPTH).length,
      },
      String(trial),
    ); // prettier-ignore
  }
  const wrong = new DepthErrors();
  wrong.add([NaN, 1], [1, 1]);
  t.ok(Number.isNaN(wrong.metrics().rmse), 'what is no number does not hide');
  t.throws(() => new DepthErrors().add([1], [1, 1]), { message: /another size/ });
  t.end();
});
