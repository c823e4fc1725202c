// Names, element types, shapes and order of the state of the backbones against a catalogue of torchvision's state_dicts,
// where the folder of shared fixtures is beside the checkout. A device without memory is enough for that.
import { readFile } from 'node:fs/promises';
import t from 'tap';
import { createDevice, nn, setDefaultDevice } from '../../engine/index.ts';
import { DenseNet, EfficientNetV2S, ResNet, Vgg16Bn } from '../../models/index.ts';
import { sharedData } from '../shared-data.ts';

const catalogue = sharedData('golden/models.json');

interface Entry {
  parameters: number;
  state: [string, string, number[]][];
}

const dilated = { replaceStrideWithDilation: [false, true, true] } as const;

const builders: Readonly<Record<string, () => nn.Module>> = {
  resnet18: () => new ResNet(18),
  resnet34: () => new ResNet(34),
  resnet50: () => new ResNet(50),
  resnet101: () => new ResNet(101),
  resnet152: () => new ResNet(152),
  resnet50_dilated: () => new ResNet(50, dilated),
  resnet101_dilated: () => new ResNet(101, dilated),
  densenet121: () => new DenseNet(121),
  densenet169: () => new DenseNet(169),
  efficientnet_v2_s: () => new EfficientNetV2S(),
  vgg16_bn: () => new Vgg16Bn(),
};

if (!catalogue) {
  t.pass('backbones', { skip: 'the catalogue of state_dicts is not beside this checkout' });
} else {
  // Drawing 345 million initial values takes a while.
  t.setTimeout(300_000);
  setDefaultDevice(await createDevice('meta'));
  const { models } = JSON.parse(await readFile(catalogue, 'utf8')) as { models: Record<string, Entry> };
  for (const [name, { parameters, state }] of Object.entries(models)) {
    t.test(name, (t) => {
      const net = builders[name]?.();
      t.ok(net, 'there is such a model');
      const typeOf = (value: unknown) => (value instanceof nn.Counter ? 'I64' : 'F32');
      const ours = [...net!.namedState()].map(([key, value]) => [key, typeOf(value), [...value.shape]]);
      t.same(ours, state, 'keys, element types and shapes in order');
      t.equal(net!.parameterCount(), parameters);
      net!.dispose();
      t.end();
    });
  }
}
