// HRNet and MTI-Net: parameter counts part by part, shapes at every scale, how the mask pairs channels, and both networks forward and
// backward against PyTorch.
import t, { type Test } from 'tap';
import { createDevice, type nn, ones, setDefaultDevice, type Tensor } from '../../engine/index.ts';
import { HRNet, MtiNet, type MtiNetOptions, SingleTaskNet } from '../../models/index.ts';
import { onEach, testedOn } from '../tested-on.ts';
import { compareWithTorch, type Fixture, makeFixture, pythonWith } from './torch-fixture.ts';

const devices = testedOn('host', 'wasm', 'webgpu');

/** Knows shapes only. */
const meta = await createDevice('meta');

/** Parameters below a prefix. */
const countOf = (net: nn.Module, prefix: string): number =>
  [...net.namedParameters()].reduce((count, [name, { size }]) => count + (name.startsWith(prefix) ? size : 0), 0);

const nyu = { segmentation: 40, depth: 1 };

if (devices.has('host')) {
  t.test('the backbones count as published', (t) => {
    setDefaultDevice(meta);
    const small = new HRNet('w18-small-v2');
    t.equal(small.parameterCount(), 3_860_720);
    const parts = {
      layer1: 145_408,
      transition1: 124_524,
      stage2: 65_340,
      transition2: 23_472,
      stage3: 884_304,
      transition3: 93_600,
      stage4: 2_485_224,
    };
    for (const [part, count] of Object.entries(parts)) t.equal(countOf(small, `${part}.`), count, part);
    t.equal(countOf(small, 'conv') + countOf(small, 'bn'), 38_848, 'stem');
    t.equal(new HRNet('w18').parameterCount(), 9_562_260);
    t.equal(new HRNet('w18-small-v2', { inChannels: 4 }).parameterCount(), 3_860_720 + 64 * 9);
    const names = new Set([...small.namedState()].map(([name]) => name));
    // Of the authors' checkpoints.
    for (const name of [
      'conv1.weight',
      'layer1.0.downsample.1.running_var',
      'transition1.0.0.weight',
      'transition1.1.0.0.weight',
      'stage2.0.fuse_layers.0.1.0.weight',
      'stage3.2.branches.1.0.bn2.bias',
      'stage4.1.fuse_layers.3.0.2.1.weight',
    ])
      t.ok(names.has(name), name);
    const maps = small.features(ones([2, 3, 64, 96]));
    t.same(
      maps.map(({ shape }) => shape),
      [
        [2, 18, 16, 24],
        [2, 36, 8, 12],
        [2, 72, 4, 6],
        [2, 144, 2, 3],
      ],
    );
    t.throws(() => small.features(ones([1, 3, 64, 80])), { name: 'ConfigError', message: /multiples of 32.*64 x 80/ });
    t.throws(() => new HRNet('w32' as 'w18'), { name: 'ConfigError', message: /w18-small-v2/ });
    t.end();
  });

  t.test('the networks count as published', (t) => {
    setDefaultDevice(meta);
    const cityscapes = { segmentation: 19, depth: 1 };
    const two = [3, 3];
    const counts: readonly (readonly [string, nn.Module, number])[] = [
      ['UMMT', new MtiNet({ tasks: nyu }), 8_578_179],
      ['UMMT, 19 classes', new MtiNet({ tasks: cityscapes }), 8_566_734],
      ['MMMT', new MtiNet({ tasks: nyu, modalities: two }), 12_438_899],
      ['MMMT, 19 classes', new MtiNet({ tasks: cityscapes, modalities: two }), 12_427_454],
      ['UMST-S', new SingleTaskNet({ outputs: 40 }), 3_945_270],
      ['UMST-S, 19 classes', new SingleTaskNet({ outputs: 19 }), 3_939_579],
      ['MMST', new SingleTaskNet({ outputs: 40, modalities: two }), 7_805_990],
      ['MMST, 19 classes', new SingleTaskNet({ outputs: 19, modalities: two }), 7_800_299],
      ['FMST', new SingleTaskNet({ outputs: 40, modalities: [4] }), 3_945_270 + 64 * 9],
      // The first predictions of a task in MTI-Net; 40 classes and depth have them together.
      ['UMST-S, as wide as UMMT', new SingleTaskNet({ outputs: 40, head: 'same' }), 3_945_270 + 1_147_696],
    ];
    for (const [name, net, count] of counts) t.equal(net.parameterCount(), count, name);
    const net = new MtiNet({ tasks: nyu });
    const parts = {
      'initial.': [38_075, 149_981, 595_409, 1_501_241],
      'fpm.': [61_420, 244_592, 976_770],
      'distillation.': [11_664, 46_656, 186_624, 746_496],
    };
    for (const [prefix, expected] of Object.entries(parts)) {
      t.same(
        expected.map((_, s) => countOf(net, `${prefix}${s}.`)),
        expected,
        prefix,
      );
    }
    t.same([countOf(net, 'heads.segmentation.'), countOf(net, 'heads.depth.')], [84_550, 73_981]);
    t.end();
  });

  t.test('the small networks count as specified', (t) => {
    setDefaultDevice(meta);
    const eight = { segmentation: 8, depth: 1 };
    const backbone = 'nano';
    t.equal(new HRNet('nano').parameterCount(), 362_912);
    const counts: readonly (readonly [string, nn.Module, number])[] = [
      ['UMMT', new MtiNet({ backbone, tasks: eight }), 1_295_115],
      ['MMMT, depth in one channel', new MtiNet({ backbone, tasks: eight, modalities: [3, 1] }), 1_657_739],
      ['UMST-S', new SingleTaskNet({ backbone, outputs: 8 }), 378_640],
      ['MMST', new SingleTaskNet({ backbone, outputs: 8, modalities: [3, 1] }), 741_264],
      ['FMST', new SingleTaskNet({ backbone, outputs: 8, modalities: [4] }), 378_784],
    ];
    for (const [name, net, count] of counts) t.equal(net.parameterCount(), count, name);
    t.end();
  });

  t.test('a single task with first predictions at every scale', (t) => {
    setDefaultDevice(meta);
    const pictures = [ones([2, 3, 64, 96])];
    const same = new SingleTaskNet({ backbone: 'nano', outputs: 8, head: 'same' }).predict(pictures);
    t.same(same.prediction.shape, [2, 8, 64, 96]);
    t.same(
      same.auxiliary.map(({ shape }) => shape),
      [
        [2, 8, 16, 24],
        [2, 8, 8, 12],
        [2, 8, 4, 6],
        [2, 8, 2, 3],
      ],
    );
    t.same(new SingleTaskNet({ backbone: 'nano', outputs: 8 }).predict(pictures).auxiliary, []);
    t.throws(() => new SingleTaskNet({ outputs: 8, head: 'other' as 'fa' }), { name: 'ConfigError', message: /same/ });
    t.end();
  });

  t.test('shapes, any number of tasks, and what is refused', (t) => {
    setDefaultDevice(meta);
    const net = new MtiNet({ tasks: { ...nyu, normals: 3 }, modalities: [3, 1] });
    const { predictions, auxiliary } = net.forward([ones([2, 3, 64, 96]), ones([2, 1, 64, 96])]);
    const shapes = (tasks: Readonly<Record<string, Tensor>>): unknown =>
      Object.fromEntries(Object.entries(tasks).map(([task, { shape }]) => [task, shape]));
    const all = (height: number, width: number): unknown => ({
      segmentation: [2, 40, height, width],
      depth: [2, 1, height, width],
      normals: [2, 3, height, width],
    });
    t.same(shapes(predictions), all(64, 96));
    t.same(auxiliary.map(shapes), [all(16, 24), all(8, 12), all(4, 6), all(2, 3)]);
    t.throws(() => net.forward([ones([2, 3, 64, 96])]), { name: 'ConfigError', message: /modalities.*expected 2.*1/i });
    for (const tasks of [{}, { depth: 1 }] as Readonly<Record<string, number>>[]) {
      t.throws(() => new MtiNet({ tasks }), { name: 'ConfigError', message: /SingleTaskNet/ });
    }
    t.throws(() => new MtiNet({ tasks: nyu, modalities: [] }), { name: 'ConfigError', message: /modality/ });
    t.throws(() => new MtiNet({ tasks: nyu, fpmPairing: 'other' } as unknown as MtiNetOptions), {
      name: 'ConfigError',
    });
    t.end();
  });
}

const python = await pythonWith('torch');
if (!python) {
  t.pass('against PyTorch', { skip: 'no Python with PyTorch here' });
} else {
  // A relu's input nearer to 0 than the margin could fall on the other side by rounding alone.
  const fixtureOf = (...args: string[]): Promise<Fixture> =>
    makeFixture(python, 'test/golden/mti_net_torch.py', ['--eval', '--margin', '5e-7', ...args]);
  const run = { training: false, tolerance: 1e-4 };
  const compareMtiNet = (t: Test, fixture: Fixture, options: MtiNetOptions): Promise<void> => {
    const net = new MtiNet(options);
    const forward = (inputs: ReadonlyMap<string, Tensor>): Record<string, Tensor> => {
      const { predictions, auxiliary } = net.forward([...inputs.values()]);
      const tasks = [...auxiliary.entries()].map(([s, values]) => [`auxiliary.${s}`, values] as const);
      return Object.fromEntries(
        [['predictions', predictions] as const, ...tasks].flatMap(([prefix, values]) =>
          Object.entries(values).map(([task, value]) => [`${prefix}.${task}`, value]),
        ),
      );
    };
    return compareWithTorch(t, fixture, { ...run, net, forward });
  };
  const official = await fixtureOf();
  await onEach(t, devices, async (t, device, name) => {
    setDefaultDevice(device);
    await compareMtiNet(t, official, { tasks: nyu });
    if (name !== 'wasm') return;
    const teacher = await fixtureOf('--modalities', '3,3', '--aligned', '--classes', '19');
    const tasks = { segmentation: 19, depth: 1 };
    await compareMtiNet(t, teacher, { tasks, modalities: [3, 3], fpmPairing: 'aligned' });
    const net = new SingleTaskNet({ outputs: 40, modalities: [4] });
    const forward = (inputs: ReadonlyMap<string, Tensor>): Record<string, Tensor> => ({
      prediction: net.forward([...inputs.values()]),
    });
    await compareWithTorch(t, await fixtureOf('--network', 'single', '--modalities', '4'), { ...run, net, forward });
  });
}
