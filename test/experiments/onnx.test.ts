// Each paper's network at its smallest preset, and each network of the golden fixtures, to ONNX and back: the outputs of the module that
// is imported, and of ONNX Runtime where it is installed.
import t, { type Test } from 'tap';
import { createDevice, manualSeed, type nn, noGrad, rand, scope, setDefaultDevice, tensor, Tensor, toStateDict } from '../../engine/index.ts'; // prettier-ignore
import { exportOnnx, type ExportOnnxOptions, importOnnx } from '../../engine/io/onnx/index.ts';
import { buildNetworks } from '../../experiments/papers/cross-stitch/networks.ts';
import { settingsOf as petSettings } from '../../experiments/papers/cross-stitch/presets.ts';
import { SceneNetwork } from '../../experiments/papers/densedepth/network.ts';
import { settingsOf as sceneSettings } from '../../experiments/papers/densedepth/presets.ts';
import { Trainer } from '../../experiments/papers/multidepth/step.ts';
import { settingsOf as roadSettings } from '../../experiments/papers/multidepth/presets.ts';
import { openFolder } from '../../experiments/verification/golden/folder.ts';
import { moduleBuilders } from '../../experiments/verification/golden/modules.ts';
import { MtiNet, Perceptron, SingleTaskNet, UNet } from '../../models/index.ts';
import { distance, openInRuntime, type Values, valuesOf, withoutRuntime } from '../engine/onnx-peer.ts';
import { sharedData } from '../shared-data.ts';

const TOLERANCE = 1e-5;

t.setTimeout(600_000);
const device = await createDevice('wasm', { threads: 1 });
setDefaultDevice(device);
t.teardown(() => device.dispose());
manualSeed(7);

const flat = (result: unknown): Tensor[] => {
  if (result instanceof Tensor) return [result];
  return typeof result === 'object' && result !== null ? Object.values(result).flatMap(flat) : [];
};

type Forward = NonNullable<ExportOnnxOptions['forward']>;

/** Compares what comes of an export with the module, whose inputs are given or random. */
async function compare(
  t: Test,
  name: string,
  module: nn.Module,
  given: { shapes?: readonly number[][]; tensors?: readonly Tensor[]; expected?: readonly Values[]; forward?: Forward },
): Promise<void> {
  using _ = scope();
  const { tensors = given.shapes!.map((shape) => rand(shape)), forward } = given;
  const shapes = tensors.map(({ shape }) => shape);
  const options = { dynamicBatch: true, ...(forward && { forward }) };
  const { model, outputs } = await exportOnnx(module, shapes, options);
  module.eval();
  const run = forward ?? ((...inputs) => (module as unknown as { forward: Forward }).forward(...inputs));
  const expected = given.expected ?? (await Promise.all(flat(noGrad(() => run(...tensors))).map(valuesOf)));
  const imported = await importOnnx(model);
  const back = noGrad(() => imported.run(...tensors));
  const results = withoutRuntime ? undefined : await (await openInRuntime(model))(tensors);
  t.equal(outputs.length, expected.length, `${name}: ${outputs.join(', ')}`);
  for (const [i, values] of expected.entries()) {
    const key = outputs[i]!;
    const d = distance(await valuesOf(back[key]!), values);
    t.ok(d <= TOLERANCE, `${name}, ${key}, imported: ${d}`);
    if (!results) continue;
    const e = distance(results[key]!, values);
    t.ok(e <= TOLERANCE, `${name}, ${key}, ONNX Runtime: ${e}`);
  }
  const own = new Set([...imported.namedParameters()].map(([key]) => key));
  const lost = [...module.namedParameters()].map(([key]) => key).filter((key) => !own.has(key));
  t.same(lost, [], `${name}: all parameters train after import`);
  for (const each of [module, imported]) each.dispose();
}

t.pass('ONNX Runtime is beside', { skip: withoutRuntime });

t.test('networks of the papers', async (t) => {
  await compare(t, 'dMTL', new UNet({ inChannels: 1, classes: 10, baseWidth: 2 }), { shapes: [[2, 1, 16, 16]] });
  const road = new Trainer(roadSettings({ weighting: 'equal' }, 'smoke')).model;
  await compare(t, 'MultiDepth', road, { shapes: [[2, 3, 48, 48]] });
  for (const network of ['mtl', 'oeq'] as const) {
    const settings = petSettings({ network }, 'smoke');
    const built = buildNetworks(settings);
    const shapes = [[2, 3, settings.size, settings.size]];
    if (built.kind === 'joint') await compare(t, `cross-stitch ${network}`, built.network, { shapes });
    else {
      const { auxiliary, funnel } = built;
      await compare(t, 'cross-stitch OEQ, auxiliary', auxiliary, { shapes });
      const features = [auxiliary, auxiliary].map(() => [
        2,
        settings.widths.at(-1)!,
        settings.size / 16,
        settings.size / 16,
      ]);
      const forward: Forward = (x, a, b) => funnel.forward(x!, [a!, b!]);
      await compare(t, 'cross-stitch OEQ, funnel', funnel, { shapes: [...shapes, ...features], forward });
    }
  }
  for (const network of ['densenet', 'resnet', 'efficientnet', 'toy'] as const) {
    const scenes = new SceneNetwork(sceneSettings({ network, protocol: 'study' }, 'smoke'), 3);
    const forward: Forward = (x) => scenes.forward(x!);
    await compare(t, `DenseDepth, ${network}`, scenes.module, { shapes: [[1, 3, 32, 64]], forward });
  }
  const rooms = new MtiNet({ backbone: 'nano', modalities: [3, 1], tasks: { segmentation: 4, depth: 1 } });
  const images = [[1, 3, 32, 64], [1, 1, 32, 64]]; // prettier-ignore
  await compare(t, 'MTI-Net', rooms, { shapes: images, forward: (...x) => rooms.forward(x) });
  const single = new SingleTaskNet({ backbone: 'nano', outputs: 4 });
  await compare(t, 'single-task network', single, { shapes: [[1, 3, 32, 64]], forward: (x) => single.forward([x!]) });
  await compare(t, 'toy problem', new Perceptron([2, 8, 1]), { shapes: [[3, 2]] });
});

const folder = sharedData('golden/open');

t.test('golden modules', { skip: folder ? false : 'the fixtures are not beside this checkout' }, async (t) => {
  const fixtures = await openFolder(folder!);
  const entries = await fixtures.tensors('module');
  const seen = new Set<string>();
  for (const { id, op, attrs, inputs, outputs } of fixtures.cases('module')) {
    const kind = op.replace('module.', '');
    const isStateless = !Object.keys(inputs).some((key) => key.includes('running_mean'));
    if (attrs.training === true && !isStateless) continue;
    seen.add(kind);
    const valuesAt = (key: string): Values => {
      const { shape, data } = entries.get(key)!;
      return { shape, values: data as Float32Array };
    };
    const { net, run } = moduleBuilders[kind]!(attrs as Record<string, number>, attrs);
    const state = Object.entries(inputs).flatMap(([key, at]) =>
      key.startsWith('state.') ? [[key.slice(6), entries.get(at)!] as const] : [],
    );
    net.loadStateDict(toStateDict(new Map(state), id));
    const names = Object.keys(inputs).filter((key) => !key.startsWith('state.'));
    const tensors = names.map((key) => {
      const { shape, values } = valuesAt(inputs[key]!);
      return tensor(values, shape);
    });
    const expected = Object.keys(outputs).filter((key) => key.startsWith('y')).map((key) => valuesAt(outputs[key]!)); // prettier-ignore
    const forward: Forward = (...x) => run(Object.fromEntries(names.map((key, i) => [key, x[i]!])));
    await compare(t, id, net, { tensors, expected, forward });
  }
  t.same([...seen].sort(), Object.keys(moduleBuilders).sort(), 'every network of the fixtures');
});
