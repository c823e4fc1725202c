// Weights in Keras's HDF5 files give the network that they were written from: the names and the order of layers come from a walk
// through Keras's own construction (keras/src/applications), the kernels in Keras's order of axes.
import path from 'node:path';
import * as h5 from 'h5wasm/node';
import t from 'tap';
import {
  createDevice,
  manualSeed,
  noGrad,
  scope,
  setDefaultDevice,
  type StateDict,
  tensor,
} from '../../../engine/index.ts';
import { importWeights, loadBackbone } from '../../../experiments/index.ts';
import { type Backbone, type BackboneName, makeBackbone } from '../../../models/index.ts';

/** Layer of Keras, and the modules here: a convolution, or a batch norm. */
type Layer = readonly [keras: string, ours: string, kind: 'conv' | 'depthwise' | 'bn'];

function* densenet(conv1 = ['conv1_conv', 'conv1_bn']): Iterable<Layer> {
  yield [conv1[0]!, 'conv0', 'conv'];
  yield [conv1[1]!, 'norm0', 'bn'];
  for (const [i, layers] of [6, 12, 32, 32].entries()) {
    for (let j = 1; j <= layers; j++) {
      const [keras, ours] = [`conv${i + 2}_block${j}`, `denseblock${i + 1}.denselayer${j}`];
      yield [`${keras}_0_bn`, `${ours}.norm1`, 'bn'];
      yield [`${keras}_1_conv`, `${ours}.conv1`, 'conv'];
      yield [`${keras}_1_bn`, `${ours}.norm2`, 'bn'];
      yield [`${keras}_2_conv`, `${ours}.conv2`, 'conv'];
    }
    if (i === 3) continue;
    yield [`pool${i + 2}_bn`, `transition${i + 1}.norm`, 'bn'];
    yield [`pool${i + 2}_conv`, `transition${i + 1}.conv`, 'conv'];
  }
  yield ['bn', 'norm5', 'bn'];
}

function* resnet(): Iterable<Layer> {
  yield ['conv1_conv', 'conv1', 'conv'];
  yield ['conv1_bn', 'bn1', 'bn'];
  for (const [i, blocks] of [3, 4, 6, 3].entries()) {
    for (let j = 0; j < blocks; j++) {
      const [keras, ours] = [`conv${i + 2}_block${j + 1}`, `layer${i + 1}.${j}`];
      if (j === 0) {
        yield [`${keras}_0_conv`, `${ours}.downsample.0`, 'conv'];
        yield [`${keras}_0_bn`, `${ours}.downsample.1`, 'bn'];
      }
      for (const k of [1, 2, 3]) {
        yield [`${keras}_${k}_conv`, `${ours}.conv${k}`, 'conv'];
        yield [`${keras}_${k}_bn`, `${ours}.bn${k}`, 'bn'];
      }
    }
  }
}

function* efficientnet(): Iterable<Layer> {
  yield ['stem_conv', '0.0', 'conv'];
  yield ['stem_bn', '0.1', 'bn'];
  for (const [i, [repeats, kind]] of (
    [
      [1, 'first'],
      [2, 'fused'],
      [2, 'fused'],
      [3, 'mobile'],
      [5, 'mobile'],
      [8, 'mobile'],
    ] as const
  ).entries()) {
    for (let j = 0; j < repeats; j++) {
      const [keras, ours] = [`block${i + 1}${'abcdefgh'[j]}_`, `${i + 1}.${j}.block`];
      let part = 0;
      if (kind !== 'first') {
        yield [`${keras}expand_conv`, `${ours}.${part}.0`, 'conv'];
        yield [`${keras}expand_bn`, `${ours}.${part++}.1`, 'bn'];
      }
      if (kind === 'mobile') {
        yield [`${keras}dwconv2`, `${ours}.${part}.0`, 'depthwise'];
        yield [`${keras}bn`, `${ours}.${part++}.1`, 'bn'];
        yield [`${keras}se_reduce`, `${ours}.${part}.fc1`, 'conv'];
        yield [`${keras}se_expand`, `${ours}.${part++}.fc2`, 'conv'];
      }
      yield [`${keras}project_conv`, `${ours}.${part}.0`, 'conv'];
      yield [`${keras}project_bn`, `${ours}.${part}.1`, 'bn'];
    }
  }
  yield ['top_conv', '7.0', 'conv'];
  yield ['top_bn', '7.1', 'bn'];
}

/** (O, I, H, W) to Keras's (H, W, I, O), of a depthwise convolution (H, W, O, 1). */
function kernel(
  shape: readonly number[],
  values: ArrayLike<number>,
  kind: Layer[2],
): [shape: number[], values: Float32Array] {
  const [o, i, h, w] = shape as [number, number, number, number];
  const to = kind === 'depthwise' ? [h, w, o, i] : [h, w, i, o];
  const result = new Float32Array(values.length);
  let at = 0;
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      for (let a = 0; a < to[2]!; a++) {
        for (let b = 0; b < to[3]!; b++) {
          const [output, input] = kind === 'depthwise' ? [a, b] : [b, a];
          result[at++] = values[((output * i + input) * h + y) * w + x]!;
        }
      }
    }
  }
  return [to, result];
}

interface Form {
  /** A group around all layers. */
  root?: string;
  /** Behind the names of variables. */
  suffix?: string;
  /** Variable of a depthwise kernel. */
  depthwise?: string;
  /** More layers: those of the classifier, the scaling of pictures. */
  extra?: Readonly<Record<string, readonly number[]>>;
}

async function writeKeras(file: string, state: StateDict, layers: Iterable<Layer>, form: Form = {}): Promise<void> {
  await h5.ready;
  const { root = '', suffix = ':0', depthwise = 'depthwise_kernel', extra = {} } = form;
  const opened = new h5.File(file, 'w');
  const made = new Set<string>();
  const write = (place: string, shape: readonly number[], data: Float32Array): void => {
    const parts = place.split('/');
    for (let n = 1; n < parts.length; n++) {
      const group = parts.slice(0, n).join('/');
      if (!made.has(group)) opened.create_group(group);
      made.add(group);
    }
    opened.create_dataset({ name: place, data, shape: [...shape], dtype: '<f' });
  };
  for (const [keras, ours, kind] of layers) {
    const names =
      kind === 'bn'
        ? { gamma: 'weight', beta: 'bias', moving_mean: 'running_mean', moving_variance: 'running_var' }
        : { [kind === 'conv' ? 'kernel' : depthwise]: 'weight', bias: 'bias' };
    for (const [variable, own] of Object.entries(names)) {
      const entry = state.get(`${ours}.${own}`);
      if (!entry) continue;
      const values = Float32Array.from(entry.values);
      const place = `${root}${keras}/${keras}/${variable}${suffix}`;
      if (own === 'weight' && kind !== 'bn') write(place, ...kernel(entry.shape, values, kind));
      else write(place, entry.shape, values);
    }
  }
  for (const [name, shape] of Object.entries(extra)) {
    write(`${root}${name}${suffix}`, shape, new Float32Array(shape.reduce((a, b) => a * b, 1)));
  }
  opened.close();
}

/** Weights and running statistics that differ from place to place. */
function drawn(name: BackboneName): Backbone {
  manualSeed(21);
  const backbone = makeBackbone(name);
  for (const [key, value] of backbone.namedState()) {
    if (!/(bn|norm|\.1\.)/.test(key) || !('device' in value)) continue;
    const base = key.endsWith('running_var') || key.endsWith('weight') ? 1 : 0;
    const values = Float32Array.from({ length: value.size }, (_, i) => base + 0.3 * Math.sin(i + key.length));
    value.device.write(value.storage, values);
  }
  return backbone.eval();
}

const same = (a: ArrayLike<number>, b: ArrayLike<number>): boolean =>
  a.length === b.length && Array.from(a).every((value, i) => value === b[i]);

const classifier = { 'predictions/predictions/kernel': [8, 4], 'predictions/predictions/bias': [4] };
const cases: readonly (readonly [name: BackboneName, form: string, layers: () => Iterable<Layer>, options?: Form])[] = [
  ['densenet169', 'as published', () => densenet(['conv1/conv', 'conv1/bn'])],
  ['densenet169', 'a whole model', densenet, { root: 'model_weights/', extra: classifier }],
  ['resnet50-keras', 'as published', resnet, { extra: classifier }],
  [
    'efficientnetv2-b0',
    'as published',
    efficientnet,
    { extra: { 'normalization/normalization/mean': [3], 'normalization/normalization/variance': [3] } },
  ],
  ['efficientnetv2-b0', 'of Keras 3', efficientnet, { suffix: '', depthwise: 'kernel' }],
];

const wasm = await createDevice('wasm');

for (const [name, form, layers, options = {}] of cases) {
  t.test(`${name}, ${form}`, async (t) => {
    setDefaultDevice(wasm);
    const written = drawn(name);
    const state = await written.stateDict();
    const file = path.join(t.testdir(), 'weights.h5');
    await writeKeras(file, state, layers(), options);
    const read = makeBackbone(name);
    const report = await loadBackbone(read, name, file);
    t.equal(report.format, 'Keras, HDF5');
    t.same([report.missing, report.unexpected], [[], []]);
    t.equal(report.leftOut.length, Object.keys(options.extra ?? {}).length);
    const floats = [...state.keys()].filter((key) => !key.endsWith('num_batches_tracked'));
    t.same(report.loaded, floats);
    const loaded = await read.stateDict();
    t.same(
      floats.filter((key) => !same(loaded.get(key)!.values, state.get(key)!.values)),
      [],
      'the same numbers everywhere',
    );
    using _ = scope();
    const x = tensor(
      Float32Array.from({ length: 3 * 32 * 32 }, (_, i) => Math.sin(i)),
      [1, 3, 32, 32],
    );
    const [a, b] = noGrad(() => [written, read.eval()].map((each) => (each as Backbone).taps(x).mid));
    t.ok(same(await a!.array(), await b!.array()), 'and the same feature maps');
    written.dispose();
    read.dispose();
  });
}

t.test('another backbone, and a layer less', async (t) => {
  setDefaultDevice(wasm);
  const written = drawn('efficientnetv2-b0');
  const state = await written.stateDict();
  const folder = t.testdir();
  const [whole, lacking] = ['whole', 'lacking'].map((name) => path.join(folder, `${name}.h5`)) as [string, string];
  await writeKeras(whole, state, efficientnet());
  await writeKeras(lacking, state, [...efficientnet()].slice(0, -1));
  await t.rejects(importWeights(whole, 'densenet169'), {
    name: 'DataError',
    message: /whole\.h5 holds the weights of efficientnetv2-b0, not of densenet169/,
  });
  await t.rejects(importWeights(lacking, 'efficientnetv2-b0'), {
    name: 'DataError',
    message: /lacks weights of efficientnetv2-b0: 7\.1\.weight, 7\.1\.bias, 7\.1\.running_mean, and 1 more/,
  });
  written.dispose();
});
