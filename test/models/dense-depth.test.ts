// DenseDepth and its backbones: parameter counts of the paper's notebooks and of Keras, what is trained when, which statistics
// normalise, feature maps and scalings by hand, and that the laptop size learns.
import t from 'tap';
import {
  Adam,
  add,
  createDevice,
  crossEntropy,
  full,
  l1Loss,
  manualSeed,
  nn,
  noGrad,
  random,
  scope,
  setDefaultDevice,
  type Tensor,
  tensor,
} from '../../engine/index.ts';
import {
  type BackboneName,
  backbones,
  DenseDepth,
  type DenseDepthOptions,
  makeBackbone,
  scalePictures,
  ToyDepth,
} from '../../models/index.ts';

/** Knows shapes only. */
const meta = await createDevice('meta');
const wasm = await createDevice('wasm');

const sizeOf = (values: Iterable<{ size: number }>): number => [...values].reduce((sum, { size }) => sum + size, 0);

/** Parameters, running statistics of batch norm, and trained parameters. */
function counts(module: nn.Module): { parameters: number; statistics: number; trained: number } {
  const statistics = [...module.namedState()].map(([, value]) => value).filter((value) => value instanceof nn.Buffer);
  const trained = module.parameters().filter(({ requiresGrad }) => requiresGrad);
  return { parameters: module.parameterCount(), statistics: sizeOf(statistics), trained: sizeOf(trained) };
}

t.test('counts of the networks at the size of the paper', (t) => {
  setDefaultDevice(meta);
  const network = new DenseDepth(makeBackbone('densenet169'));
  const { parameters, statistics, trained } = counts(network);
  t.equal(parameters + statistics, 21_556_124, 'as Keras counts');
  t.equal(parameters, 21_396_100, 'as PyTorch counts');
  t.equal(trained, 8_911_620, 'the backbone frozen');
  const encoder = counts(network.backbone);
  t.equal(encoder.parameters, 12_484_480);
  t.equal(encoder.parameters + encoder.statistics, 12_642_880);
  t.equal(statistics - encoder.statistics, 1_624);
  const parts: readonly (readonly [part: nn.Module, count: number])[] = [
    [network.bottleneck, 1_385_280],
    [network.ublock1, 4_073_888 + 832 + 1_557_920],
    [network.ublock2, 1_018_576 + 416 + 389_584],
    [network.ublock3, 254_696 + 208 + 97_448],
    [network.ublock4, 78_676 + 104 + 24_388],
    [network.ublock5, 15_008 + 64 + 9_248],
    [network.depth, 289],
    [network.classifier, 4_995],
  ];
  t.same(
    parts.map(([part]) => part.parameterCount()),
    parts.map(([, count]) => count),
  );
  network.fineTuneFrom(backbones.densenet169.fineTuneFrom);
  t.equal(counts(network).trained, 19_659_140, 'from layer 170 on');
  t.equal(parameters + statistics - counts(network).trained, 1_896_984);
  network.freezeBackbone();
  t.equal(counts(network).trained, 8_911_620, 'frozen again');
  const totals = [16, 32, 64, 128].map((filters) => {
    const { parameters, statistics } = counts(new DenseDepth(network.backbone, { filters }));
    return parameters + statistics;
  });
  t.same(totals, [14_073_668, 16_664_804, 25_372_196, 56_887_460]);
  t.end();
});

interface Expected {
  /** Of the backbone, and of the decoder and heads. */
  backbone: number;
  decoder: number;
  options?: DenseDepthOptions;
  widths: readonly number[];
  /** Whether the running statistics count. */
  keras?: boolean;
}

const laptop = { filters: 8, lastFilters: 8 };
const expected: Readonly<Record<BackboneName, Expected>> = {
  densenet169: { backbone: 12_642_880, decoder: 8_911_620, keras: true, widths: [64, 64, 128, 256, 1664] },
  resnet50: { backbone: 23_508_032, decoder: 17_766_564, widths: [64, 256, 512, 1024, 2048] },
  'resnet50-keras': { backbone: 23_587_712, decoder: 17_766_564, keras: true, widths: [64, 256, 512, 1024, 2048] },
  'efficientnetv2-b0': { backbone: 5_919_312, decoder: 4_939_716, keras: true, widths: [16, 32, 48, 112, 1280] },
  'mini-densenet': { backbone: 176_795, decoder: 201_673, options: laptop, widths: [24, 24, 30, 39, 127] },
  'mini-resnet': { backbone: 340_776, decoder: 345_932, options: laptop, widths: [24, 48, 96, 192, 384] },
  'mini-efficientnet': { backbone: 210_236, decoder: 211_340, options: laptop, widths: [8, 16, 24, 48, 192] },
};

for (const [name, { backbone, decoder, options = {}, widths, keras }] of Object.entries(expected)) {
  t.test(`${name} counts as specified`, (t) => {
    setDefaultDevice(meta);
    const network = new DenseDepth(makeBackbone(name as BackboneName), options);
    const own = counts(network.backbone);
    t.equal(own.parameters + (keras ? own.statistics : 0), backbone);
    t.equal(counts(network).trained, decoder);
    const { half, quarter, eighth, sixteenth, mid } = network.backbone.widths;
    t.same([half, quarter, eighth, sixteenth, mid], widths);
    const taps = network.encode(tensor(new Float32Array(2 * 3 * 96 * 128), [2, 3, 96, 128]));
    const shapes = [taps.half, taps.quarter, taps.eighth, taps.sixteenth, taps.mid].map(({ shape }) => shape);
    t.same(
      shapes,
      widths.map((width, i) => [2, width, 48 >> i, 64 >> i]),
    );
    const { depth, logits } = network.heads(taps, random(1, 'dropout'));
    t.same([depth.shape, logits.shape], [[2, 1, 96, 128], [2, 3]]); // prettier-ignore
    t.end();
  });
}

t.test('the toy network', (t) => {
  setDefaultDevice(meta);
  const network = new ToyDepth();
  t.equal(network.parameterCount(), 197_540);
  const { depth, logits } = network.forward(tensor(new Float32Array(3 * 96 * 128), [1, 3, 96, 128]));
  t.same([depth.shape, logits.shape], [[1, 1, 96, 128], [1, 3]]); // prettier-ignore
  t.end();
});

const pictures = (shape: readonly number[], name = 'pictures'): Tensor =>
  tensor(random(7, name).uniformArray(shape.reduce((a, b) => a * b)), shape);

/** Bits of the running statistics of a network. */
const statisticsOf = async (network: nn.Module): Promise<Map<string, string>> => {
  const state = await network.stateDict();
  const running = [...state].filter(([key]) => /running_|num_batches/.test(key));
  return new Map(running.map(([key, { values }]) => [key, Buffer.from(values.buffer).toString('base64')]));
};

t.test('a frozen backbone keeps its weights and statistics, and gives the same feature maps in training', async (t) => {
  setDefaultDevice(wasm);
  manualSeed(4);
  using _ = scope();
  const network = new DenseDepth(makeBackbone('mini-densenet'), laptop);
  const outer = new nn.ModuleList([network]);
  const x = pictures([2, 3, 32, 64]);
  const before = await network.stateDict();
  const optimizer = new Adam(network.parameters(), { lr: 1e-2 });
  outer.train();
  t.equal(network.backbone.training, false, 'train() of a module around it leaves it in inference mode');
  t.equal(network.ublock1.norm.training, true);
  const step = async (): Promise<void> => {
    const { depth, logits } = network.forward(x, random(1, 'dropout'));
    optimizer.zeroGrad();
    depth.square().mean().add(logits.square().mean()).backward();
    optimizer.step();
  };
  const training = await network.encode(x).mid.array();
  await step();
  const after = await network.stateDict();
  for (const [key, { values }] of before) {
    const same = Buffer.from(values.buffer).equals(Buffer.from(after.get(key)!.values.buffer));
    // The bias before a batch norm has no gradient but rounding.
    if (key.startsWith('backbone.')) t.ok(same, key);
    else if (!/ublock\d.convA.bias/.test(key)) t.notOk(same, key);
  }
  outer.eval();
  t.same(await network.encode(x).mid.array(), training, 'the same feature maps in inference mode');
  outer.train();
  const first = backbones['mini-densenet'].fineTuneFrom;
  network.fineTuneFrom(first);
  const running = await statisticsOf(network.backbone);
  await step();
  t.same(await statisticsOf(network.backbone), running, 'fine-tuning leaves the running statistics');
  const moved = [...(await network.backbone.stateDict())].flatMap(([key, { values }]) => {
    const earlier = before.get(`backbone.${key}`)!.values;
    return Buffer.from(values.buffer).equals(Buffer.from(earlier.buffer)) ? [] : [key];
  });
  const order = [...network.backbone.namedParameters()].map(([key]) => key);
  t.same(moved, order.slice(order.indexOf(first)), 'and moves what comes from there on');
  network.freezeBackbone();
  t.ok(
    network.backbone.parameters().every(({ grad }) => !grad),
    'no gradient is left over',
  );
  t.throws(() => network.fineTuneFrom('norm6.weight'), { name: 'ConfigError', message: /no such parameter/ });
  t.throws(() => network.encode(pictures([1, 3, 48, 32])), { name: 'ConfigError', message: /48 x 32/ });
  outer.dispose();
});

t.test('the decoder by hand', async (t) => {
  setDefaultDevice(wasm);
  manualSeed(5);
  using _ = scope();
  const network = new DenseDepth(makeBackbone('mini-resnet'), { ...laptop, dropout: 0.5 });
  const state = await network.stateDict();
  const values = (key: string): number[] => [...state.get(key)!.values];
  for (const key of state.keys()) {
    if (/^(ublock\d.conv[AB]|depth|bottleneck|classifier).bias/.test(key))
      t.ok(
        values(key).every((v) => v === 0),
        key,
      );
  }
  const deviation = (key: string): number =>
    Math.sqrt(values(key).reduce((sum, v) => sum + v * v, 0) / values(key).length);
  const largest = (key: string): number => values(key).reduce((most, v) => Math.max(most, Math.abs(v)), 0);
  const he = Math.sqrt(2 / ((128 + 192) * 9));
  t.ok(Math.abs(deviation('ublock1.convA.weight') / he - 1) < 0.01, 'He by fan-in, after the cut');
  t.ok(largest('ublock1.convA.weight') <= (2 * he) / 0.8796 && largest('ublock1.convA.weight') > 2.2 * he);
  const glorot = Math.sqrt(6 / (384 + 128));
  t.ok(largest('bottleneck.weight') <= glorot && largest('bottleneck.weight') > 0.99 * glorot, 'Glorot, uniform');
  t.ok(largest('ublock5.convA.weight') <= Math.sqrt(6 / (2 * 8 * 9)), 'and that of the fifth block');
  t.ok(largest('classifier.weight') <= Math.sqrt(6 / (384 + 3)));
  const x = pictures([3, 3, 32, 32]);
  const taps = network.encode(x);
  const scores = async (stream: number): Promise<readonly number[]> => [
    ...(await network.classify(taps, random(1, 'dropout', stream)).array()),
  ];
  t.same(await scores(0), await scores(0), 'the stream decides what is dropped');
  t.notSame(await scores(0), await scores(1));
  network.eval();
  const whole = noGrad(() => network.forward(x));
  const cached = noGrad(() => network.heads(network.encode(x)));
  t.same(await cached.depth.array(), await whole.depth.array(), 'feature maps may be kept');
  t.same(await cached.logits.array(), await whole.logits.array());
  network.dispose();
});

t.test('pictures as the backbones take them', async (t) => {
  setDefaultDevice(wasm);
  using _ = scope();
  const pixel = tensor(Float32Array.of(10, 128, 250), [1, 3, 1, 1]);
  const scaled = async (name: BackboneName, kind: 'native' | 'published'): Promise<number[]> => [
    ...(await scalePictures(pixel, backbones[name][kind]).array()),
  ];
  const near = async (name: BackboneName, kind: 'native' | 'published', expected: number[]): Promise<void> => {
    const found = await scaled(name, kind);
    const isNear = found.every(
      (value, i) => Math.abs(value - expected[i]!) < 1e-4 * Math.max(1, Math.abs(expected[i]!)),
    );
    t.ok(isNear, `${name}, ${kind}: ${found.join(', ')}`);
  };
  const [mean, deviation] = [
    [0.485, 0.456, 0.406],
    [0.229, 0.224, 0.225],
  ] as const;
  const unit = [10 / 255, 128 / 255, 250 / 255];
  const standard = (x: number[]): number[] => x.map((value, i) => (value - mean[i]!) / deviation[i]!);
  await near('densenet169', 'native', standard(unit));
  await near('densenet169', 'published', unit);
  await near('resnet50', 'native', standard(unit));
  await near('resnet50-keras', 'native', [250 - 103.939, 128 - 116.779, 10 - 123.68]);
  await near('resnet50-keras', 'published', unit);
  await near('efficientnetv2-b0', 'native', standard(unit));
  await near('efficientnetv2-b0', 'published', standard(unit.map((value) => value / 255)));
  t.throws(() => makeBackbone('densenet170' as BackboneName), { name: 'ConfigError', message: /densenet169/ });
});

/** Learns the classes of four pictures, and that all is two metres away. */
async function learns(network: DenseDepth | ToyDepth): Promise<number[]> {
  using _ = scope();
  const x = pictures([4, 3, 32, 32], 'scenes');
  const depth = full([4, 1, 32, 32], 2);
  const classes = tensor(Int32Array.of(0, 1, 2, 0));
  const optimizer = new Adam(network.parameters(), { lr: 3e-3, amsgrad: true });
  const losses: number[] = [];
  for (let step = 0; step < 12; step++) {
    using _step = scope();
    const y = network.forward(x, random(1, 'dropout', step));
    const loss = add(l1Loss(y.depth, depth), crossEntropy(y.logits, classes));
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    losses.push(await loss.item());
  }
  optimizer.dispose();
  return losses;
}

t.test('they learn', async (t) => {
  setDefaultDevice(wasm);
  for (const make of [
    () => new DenseDepth(makeBackbone('mini-densenet'), laptop),
    () => new DenseDepth(makeBackbone('mini-efficientnet'), laptop),
    () => new ToyDepth(),
  ]) {
    manualSeed(3);
    const network = make();
    const losses = await learns(network);
    t.ok(losses.at(-1)! < 0.7 * losses[0]!, `${network.constructor.name}: ${losses[0]} to ${losses.at(-1)}`);
    network.dispose();
  }
});
