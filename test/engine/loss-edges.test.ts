// Losses at the edges of what they are given: junk outside of a mask, labels that are no class, nothing that counts, equality,
// constant ratios. On every device, with gradients and gradients of gradients.
import t, { type Test } from 'tap';
import * as w from '../../engine/index.ts';
import { onEach, testedOn } from '../tested-on.ts';

const { Infinity: inf, NaN: nan } = globalThis;
const junk = [nan, inf, -inf, 3e38, -3e38, 0];
const junkLabels = [255, -100, -1, 3, 2 ** 31 - 1, -(2 ** 31)];

const floats = (values: readonly number[], shape: readonly number[]) => w.tensor([...values], shape);
const ints = (values: readonly number[], shape: readonly number[]) => w.tensor(Int32Array.from(values), shape);
const flags = (values: readonly number[], shape: readonly number[]) => w.tensor([...values], shape, { dtype: 'bool' });
const list = async (x: w.Tensor): Promise<number[]> => [...(await x.array())];

type Loss = (x: w.Tensor) => w.Tensor;

/** Value, gradient, the same gradient when it is differentiable, and the gradient of <gradient, (1, 2, 3, ...)>. */
async function derivatives(loss: Loss, values: readonly number[], shape: readonly number[]): Promise<number[][]> {
  const x = w.tensor([...values], shape, { requiresGrad: true });
  const y = w.sum(loss(x));
  const [first] = w.grad(y, [x], { createGraph: true });
  const direction = floats(
    values.map((_, i) => i + 1),
    shape,
  );
  const [second] = w.grad(w.sum(w.mul(first!, direction)), [x]);
  const [plain] = w.grad(w.sum(loss(x)), [x]);
  return Promise.all([y, plain!, first!, second!].map(list));
}

/** What is where `keep` says; of the value all. */
const kept = (results: readonly number[][], keep: (i: number) => boolean): number[][] =>
  results.map((result, k) => (k === 0 ? result : result.filter((_, i) => keep(i))));

function isClose(a: number, b: number): boolean {
  return Object.is(a, b) || Math.abs(a - b) <= 2e-6 * Math.max(1e-30, Math.abs(b));
}

const isSame = (a: readonly number[][], b: readonly number[][]): boolean =>
  a.every((list, k) => list.length === b[k]!.length && list.every((value, i) => isClose(value, b[k]![i]!)));

async function testMasks(t: Test): Promise<void> {
  const mask = [1, 0, 1, 1, 0, 1];
  const inside = (i: number): boolean => mask[i] === 1;
  const values = [1.5, 2, 0.5, 3, 1, 2.5];
  const targets = [1, 3, 2, 2.5, 0.5, 1];
  const pointwise: Record<string, (x: w.Tensor, target: w.Tensor, mask: w.Tensor) => w.Tensor> = {
    maskedMse: w.maskedMse,
    silog: (x, target, mask) => w.silog(x, target, { mask, lambda: 0.85 }),
    'silog with root': (x, target, mask) => w.silog(x, target, { mask, sqrt: true, scale: 10 }),
  };
  for (const [name, loss] of Object.entries(pointwise)) {
    await t.test(name, async (t) => {
      // What is inside alone.
      const only = (all: readonly number[]) => all.filter((_, i) => inside(i));
      const alone = await derivatives(
        (x) => loss(x, floats(only(targets), [4]), flags([1, 1, 1, 1], [4])),
        only(values),
        [4],
      );
      for (const bad of junk) {
        const spoilt = (all: readonly number[]) => all.map((value, i) => (inside(i) ? value : bad));
        for (const [x, target] of [
          [values, spoilt(targets)],
          [spoilt(values), targets],
          [spoilt(values), spoilt(targets)],
        ] as const) {
          // A second derivative in the direction (1, 2, 3, ...) of other places is compared by its values being finite.
          const results = await derivatives((v) => loss(v, floats(target, [6]), flags(mask, [6])), x, [6]);
          t.ok(isSame(kept(results, inside).slice(0, 3), alone.slice(0, 3)), `${bad} outside of the mask`);
          t.ok(results[3]!.every(Number.isFinite), 'finite second derivatives');
          t.ok(
            results.slice(1).every((result) => result.every((value, i) => inside(i) || value === 0)),
            'no derivative outside',
          );
        }
        const nothing = await derivatives(
          (v) => loss(v, floats(spoilt(targets), [6]), flags([0, 0, 0, 0, 0, 0], [6])),
          spoilt(values),
          [6],
        );
        t.ok(
          nothing.every((result) => result.every((value) => value === 0)),
          `an empty mask over ${bad}`,
        );
      }
    });
  }
  await t.test('maskedCrossEntropy', async (t) => {
    const scores = [0.5, -1, 2, 1, 0, 3, -2, 1, 0.25, 2, -0.5, 1];
    const shape = [1, 3, 2, 2];
    const chosen = flags([1, 0, 0, 1], [1, 2, 2]);
    const expected = await derivatives(
      (x) => w.maskedCrossEntropy(x, ints([0, 1, 2, 2], [1, 2, 2]), chosen),
      scores,
      shape,
    );
    t.ok(expected.every((result) => result.every(Number.isFinite)));
    for (const label of junkLabels) {
      for (const bad of [undefined, ...junk]) {
        const x = scores.map((value, i) => (bad === undefined || i % 4 === 0 || i % 4 === 3 ? value : bad));
        const results = await derivatives(
          (v) => w.maskedCrossEntropy(v, ints([0, label, label, 2], [1, 2, 2]), chosen),
          x,
          shape,
        );
        t.ok(isSame(results, expected), `label ${label} and score ${bad} outside of the mask`);
      }
    }
    for (const label of [255, -1]) {
      const [value, gradient] = await derivatives(
        (x) => w.maskedCrossEntropy(x, ints([label, 0, 0, 2], [1, 2, 2]), chosen),
        scores,
        shape,
      );
      t.ok(Number.isNaN(value![0]) && gradient!.some(Number.isNaN), `label ${label} inside is not passed over`);
    }
  });
}

async function testLabels(t: Test): Promise<void> {
  const scores = [0.5, -1, 2, 1, 0, 3];
  for (const reduction of ['mean', 'sum', 'none'] as const) {
    for (const weight of [undefined, [0.5, 2, 1]]) {
      for (const label of [3, 255, -1, 2 ** 31 - 1, -(2 ** 31)]) {
        const options = () => ({ reduction, ...(weight && { weight: floats(weight, [3]) }) });
        const name = `label ${label}, ${reduction}${weight ? ', weighted' : ''}`;
        const x = floats(scores, [2, 3]);
        const target = ints([label, 1], [2]);
        const [ofNll, ofCrossEntropy] = [
          await list(w.nllLoss(w.logSoftmax(x, 1), target, options())),
          await list(w.crossEntropy(x, target, options())),
        ];
        t.ok(Number.isNaN(ofNll[0]), `nllLoss of ${name} is NaN`);
        t.same(ofNll.map(Number.isNaN), ofCrossEntropy.map(Number.isNaN), `as that of crossEntropy of ${name}`);
        const results = await derivatives((v) => w.nllLoss(w.logSoftmax(v, 1), target, options()), scores, [2, 3]);
        t.ok(results[1]!.some(Number.isNaN), `and its gradient`);
      }
    }
  }
}

/** The derivative of <gradient, 1> by the cotangent c of the loss, c times the loss of x being differentiated. */
async function byCotangent(loss: Loss, values: readonly number[], shape: readonly number[]): Promise<number[]> {
  const x = w.tensor([...values], shape, { requiresGrad: true });
  const c = w.tensor([1], [], { requiresGrad: true });
  const [first] = w.grad(loss(x), [x], { gradOutputs: [c], createGraph: true });
  return list(w.grad(w.sum(first!), [c])[0]!);
}

async function testNothing(t: Test): Promise<void> {
  const scores = [0.5, -1, 2, 1, 0, 3];
  const ignored = ints([-100, -100], [2]);
  const losses: Record<string, Loss> = {
    crossEntropy: (x) => w.crossEntropy(x, ignored),
    'crossEntropy with smoothing': (x) => w.crossEntropy(x, ignored, { labelSmoothing: 0.1 }),
    nllLoss: (x) => w.nllLoss(w.logSoftmax(x, 1), ignored),
  };
  for (const [name, loss] of Object.entries(losses)) {
    const [value, ...rest] = await derivatives(loss, scores, [2, 3]);
    t.same(value, [nan], `${name} of ignored labels is NaN, as in PyTorch`);
    t.ok(
      rest.every((result) => result.every((derivative) => derivative === 0)),
      `${name}: no derivative`,
    );
    t.same(await byCotangent(loss, scores, [2, 3]), [0], `${name}: none by the cotangent`);
  }
  const empty: Record<string, Loss> = {
    mean: (x) => w.mean(x),
    mseLoss: (x) => w.mseLoss(x, w.zeros([0, 4])),
    huberLoss: (x) => w.huberLoss(x, w.zeros([0, 4])),
    diouLoss: (x) => w.diouLoss(x, w.zeros([0, 4])),
    giouLoss: (x) => w.giouLoss(x, w.zeros([0, 4])),
  };
  for (const [name, loss] of Object.entries(empty)) {
    t.same(await byCotangent(loss, [], [0, 4]), [0], `${name} of nothing: no derivative by the cotangent`);
  }
  for (const loss of [w.diouLoss, w.giouLoss]) {
    t.equal(await loss(w.zeros([0, 4]), w.zeros([0, 4])).item(), 0, 'the mean over no box is 0, as in torchvision');
  }
}

async function testEquality(t: Test): Promise<void> {
  const values = [0, 0.5, 3, 1e-30, 1e30];
  for (const [name, loss, slopes] of [
    ['huberLoss', (x: w.Tensor, y: w.Tensor) => w.huberLoss(x, y, { reduction: 'none' }), 1],
    ['smoothL1Loss', (x: w.Tensor, y: w.Tensor) => w.smoothL1Loss(x, y, { reduction: 'none', beta: 0.5 }), 2],
    ['mseLoss', (x: w.Tensor, y: w.Tensor) => w.mseLoss(x, y, { reduction: 'none' }), 2],
  ] as const) {
    const x = w.tensor(values, [5], { requiresGrad: true });
    const [first] = w.grad(w.sum(loss(x, floats(values, [5]))), [x], { createGraph: true });
    t.same(await list(first!), [0, 0, 0, 0, 0], `${name}: gradient at equality`);
    const [second] = w.grad(w.sum(first!), [x]);
    t.same(
      await list(second!),
      values.map(() => slopes),
      `${name}: second derivative at equality`,
    );
  }
  const boxes = [1, 2, 5, 7, 0, 0, 0, 0];
  for (const centerDistance of ['squared', 'norm'] as const) {
    const results = await derivatives(
      (x) => w.diouLoss(x, floats(boxes, [2, 4]), { centerDistance, reduction: 'none' }),
      boxes,
      [2, 4],
    );
    t.ok(
      results.every((result) => result.every(Number.isFinite)),
      `diouLoss by ${centerDistance} of the same boxes`,
    );
  }
}

async function testConstantRatios(t: Test): Promise<void> {
  const targets = [0.7, 1.3, 2.9, 11, 80, 1e-3, 1e3].map(Math.fround);
  const draws = w.random(7, 'ratios');
  const ratios = [1, 1.3, 1 / 3, 1e-10, 1e10, 1e-30, ...Array.from({ length: 60 }, () => Math.exp(6 * draws.normal()))];
  for (const ratio of ratios) {
    // With float32 rounding of every prediction, its logarithm is off by 6e-8.
    const values = targets.map((value) => Math.fround(value * Math.fround(ratio)));
    for (const sqrt of [false, true]) {
      const [value, ...rest] = await derivatives((x) => w.silog(x, floats(targets, [7]), { sqrt }), values, [7]);
      const allowed = 1e-6 + 2e-7 * Math.abs(Math.log(ratio));
      t.ok(value![0]! >= 0 && value![0]! <= allowed, `silog of the constant ratio ${ratio}: ${value![0]}`);
      t.ok(
        rest.slice(0, 2).every((result) => result.every(Number.isFinite)),
        'finite gradients',
      );
    }
  }
  const [value, ...rest] = await derivatives((x) => w.silog(x, floats(targets, [7]), { sqrt: true }), targets, [7]);
  t.same(
    [value, ...rest],
    [[0], ...rest.map((result) => result.map(() => 0))],
    'equal to the target: 0 with gradient 0',
  );
}

async function testLossEdges(t: Test, device: w.Device): Promise<void> {
  const groups = { testMasks, testLabels, testNothing, testEquality, testConstantRatios };
  for (const [name, group] of Object.entries(groups)) {
    await t.test(name, async (t) => {
      w.setDefaultDevice(device);
      using _ = w.scope();
      await group(t);
    });
  }
}

await onEach(t, testedOn('reference', 'wasm', 'webgpu'), testLossEdges);
