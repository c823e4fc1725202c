// Targets, losses and metrics of MultiDepth against the worked numbers of its specification.
import t, { type Test } from 'tap';
import { createDevice, scope, setDefaultDevice, tensor, zeros } from '../../../engine/index.ts';
import { logVariance, silogOf } from '../../../experiments/metrics/silog.ts';
import { IGNORED, LogDepth } from '../../../experiments/papers/multidepth/log-depth.ts';
import {
  restingScalars,
  sparseCrossEntropy,
  sparseMse,
  UncertaintyWeights,
} from '../../../experiments/papers/multidepth/losses.ts';

setDefaultDevice(await createDevice('reference'));

const tight = new LogDepth({ bounds: [2, 125] });
const wide = new LogDepth({ bounds: [0, 256] });
const near = (t: Test, got: number, expected: number, tolerance: number, what?: string): void =>
  void t.ok(Math.abs(got - expected) <= tolerance, `${what ?? ''} ${got} is ${expected}`);

t.test('normalised log depth', (t) => {
  const table = [
    [2, 0, IGNORED, IGNORED],
    [2.5, 0.08412, 2, 0],
    [3, 0.1438, 4, 0],
    [5, 0.2876, 9, 1],
    [10, 0.45583, 14, 1],
    [20, 0.61084, 19, 2],
    [50, 0.80738, 25, 3],
    [80, 0.90647, 29, 3],
    [125, 1, 31, 3],
  ] as const;
  for (const [metres, expected, of32, of4] of table) {
    const encoded = tight.encode(metres);
    near(t, encoded, expected, 5e-6);
    near(t, tight.decode(encoded), metres, 1e-9);
    t.same([tight.classOf(encoded, 32), tight.classOf(encoded, 4)], [of32, of4], `${metres} m`);
  }
  for (const [metres, expected] of [[2, 0.19798], [10, 0.43213], [50, 0.70856], [125, 0.87155]] as const) {
    near(t, wide.encode(metres), expected, 5e-6);
  } // prettier-ignore
  t.same([tight.encode(0.5), tight.encode(300)], [0, 1], 'clipped');
  t.equal(wide.decode(-1), 1 / 256, 'never 0 m');
  t.throws(() => new LogDepth({ bounds: [5, 5] }), { name: 'ConfigError' });
  t.end();
});

t.test('edges and middles of the intervals', (t) => {
  const edges = {
    2: [2, 12.136, 125],
    4: [2, 4.337, 12.136, 38.159, 125],
    8: [2, 2.827, 4.337, 7.096, 12.136, 21.342, 38.159, 68.88, 125],
  };
  for (const [classes, expected] of Object.entries(edges)) {
    tight.edges(Number(classes)).forEach((edge, i) => near(t, edge, expected[i]!, 6e-4));
  }
  const fine = tight.edges(32);
  near(t, fine[1]!, 2.163, 6e-4);
  near(t, fine[14]!, 9.239, 6e-4);
  near(t, fine[31]!, 107.66, 6e-3);
  near(t, tight.depthOfClass(14, 32), 9.883, 6e-4);
  // An edge belongs to the interval below it.
  for (let k = 1; k <= 32; k++) t.equal(tight.classOf(k / 32, 32), k - 1);
  t.equal(tight.classOf(1 / 32 + 1e-9, 32), 1);
  const narrow = new LogDepth({ bounds: [2, 125], classPlanes: [5, 50] });
  t.same([narrow.classOf(tight.encode(3), 4), narrow.classOf(tight.encode(80), 4)], [0, 3]);
  near(t, narrow.edges(4)[0]!, 5, 1e-9);
  near(t, narrow.edges(4)[4]!, 50, 1e-9);
  t.end();
});

t.test('a classifier without mistakes is off by half an interval', (t) => {
  const depths = Float64Array.from({ length: 4000 }, (_, i) => tight.decode((i + 0.5) / 4000));
  const floor = (classes: number): number => silogOf({ predicted: tight.quantized(depths, classes), truth: depths });
  // Spread evenly over t the error of ln d is about K / n times that of a uniform number, 1 / sqrt(12).
  near(t, floor(64) * Math.sqrt(12), (100 * Math.log(124)) / 64, 1);
  const floors = [2, 4, 8, 16, 32, 64].map(floor);
  t.ok(floors.every((value, i) => i === 0 || value < floors[i - 1]! * 0.6));
  t.same(
    [...tight.quantized([0, 2, 10], 32)].map((d) => Number(d.toFixed(3))),
    [0, 0, 9.883],
  );
  t.end();
});

const depths = [2, 4, 8, 20];
const predicted = [2.2, 3.6, 9, 18];

t.test('sparse squared error', async (t) => {
  using _ = scope();
  const target = tensor(depths.map((d) => tight.encode(d)));
  const prediction = tensor(predicted.map((d) => tight.encode(d))).requireGrad();
  const loss = sparseMse(prediction, target);
  near(t, await loss.item(), 7.27055e-4, 5e-10);
  loss.backward();
  t.equal((await prediction.grad!.array())[0], 0, 'no gradient where nothing was measured');
  const none = tensor([0.3, 0.7]).requireGrad();
  const empty = sparseMse(none, zeros([2]));
  empty.backward();
  t.same([await empty.item(), ...(await none.grad!.array())], [0, 0, 0]);
});

t.test('sparse cross-entropy', async (t) => {
  using _ = scope();
  // Two classes in two pixels of which one has a label.
  const logits = tensor([1, 5, 3, -2], [1, 2, 1, 2]).requireGrad();
  const loss = sparseCrossEntropy(logits, tensor(Int32Array.of(1, IGNORED), [1, 1, 2]));
  near(t, await loss.item(), Math.log(1 + Math.exp(1 - 3)), 1e-12);
  loss.backward();
  const gradient = await logits.grad!.array();
  t.same([gradient[1], gradient[3]], [0, 0]);
  near(t, gradient[0]!, 1 / (1 + Math.exp(2)), 1e-12);
  const none = sparseCrossEntropy(logits, tensor(Int32Array.of(IGNORED, IGNORED), [1, 1, 2]));
  t.equal(await none.item(), 0);
});

t.test('uncertainty weights', async (t) => {
  using _ = scope();
  const learned = new UncertaintyWeights();
  const [regression, classification] = [tensor(0.0054), tensor(1.64)];
  const loss = learned.forward(regression, classification);
  near(t, await loss.item(), 0.18394 * 0.0054 + 0.36788 * 1.64 + 1, 2e-5);
  loss.backward();
  near(t, (await learned.s_reg.grad!.array())[0]!, 0.5 - 0.18394 * 0.0054, 1e-5);
  const rest = restingScalars(0.0054, 1.64);
  near(t, rest.reg, -5.22, 5e-3);
  near(t, rest.cls, 1.19, 5e-3);
  learned.loadStateDict(
    new Map([
      ['s_reg', { shape: [1], values: Float64Array.of(rest.reg) }],
      ['s_cls', { shape: [1], values: Float64Array.of(rest.cls) }],
    ]),
  );
  learned.zeroGrad();
  const settled = learned.forward(regression, classification);
  near(t, await settled.item(), 0.5 + 0.5 * rest.reg + 0.5 + 0.5 * rest.cls, 1e-12, 'each weighted loss is 0.5:');
  settled.backward();
  near(t, (await learned.s_reg.grad!.array())[0]!, 0, 1e-12);
  near(t, (await learned.s_cls.grad!.array())[0]!, 0, 1e-12);

  const printed = new UncertaintyWeights('exp(-s^2)');
  near(t, await printed.forward(regression, classification).item(), 0.18394 * 0.0054 + 0.36788 * 1.64 + 1, 2e-5);
  const fallen = new Map([
    ['s_reg', { shape: [1], values: Float64Array.of(-5.7) }],
    ['s_cls', { shape: [1], values: Float64Array.of(1) }],
  ]);
  printed.loadStateDict(fallen);
  printed.forward(tensor(1), tensor(0)).backward();
  near(t, (await printed.s_reg.grad!.array())[0]!, 0.5, 1e-9, 'as printed the loss falls without end:');
  learned.dispose();
  printed.dispose();
});

t.test('SILog', (t) => {
  near(t, logVariance({ predicted, truth: depths }), 0.0112893, 5e-8);
  near(t, silogOf({ predicted, truth: depths }), 10.6251, 5e-5);
  near(t, silogOf({ predicted: depths.map((d) => 3 * d), truth: depths }), 0, 1e-4, 'a common factor does not count:');
  const holed = { predicted: [...predicted, 7], truth: [...depths, 0] };
  near(t, silogOf(holed), 10.6251, 5e-5, 'a truth of 0 does not count:');
  near(t, silogOf({ ...holed, valid: [1, 1, 1, 1, 0] }), 10.6251, 5e-5);
  t.ok(Number.isNaN(silogOf({ predicted: [1], truth: [0] })));
  t.end();
});
