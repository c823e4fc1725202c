// DenseDepth with each of its full-size backbones against PyTorch (test/golden/dense_depth_torch.py), in inference mode: outputs, feature
// maps and gradients.
import t from 'tap';
import { setDefaultDevice, type Tensor } from '../../engine/index.ts';
import { type BackboneName, DenseDepth, makeBackbone } from '../../models/index.ts';
import { onEach, testedOn } from '../tested-on.ts';
import { compareWithTorch, makeFixture, pythonWith } from './torch-fixture.ts';

const devices = testedOn('wasm', 'webgpu');
t.setTimeout(300_000);

const backbones: Readonly<Record<'wasm' | 'webgpu', readonly BackboneName[]>> = {
  wasm: ['densenet169', 'resnet50', 'resnet50-keras', 'efficientnetv2-b0'],
  webgpu: ['densenet169', 'resnet50-keras', 'efficientnetv2-b0'],
};

const python = await pythonWith('torch, torchvision');
if (!python) {
  t.pass('against PyTorch', { skip: 'no Python with PyTorch and torchvision here' });
} else {
  await onEach(t, devices, async (t, device, on) => {
    setDefaultDevice(device);
    for (const name of backbones[on]) {
      await t.test(name, async (t) => {
        const fixture = await makeFixture(python, 'test/golden/dense_depth_torch.py', [name, '1']);
        const net = new DenseDepth(makeBackbone(name));
        net.fineTuneFrom([...net.backbone.namedParameters()][0]![0]);
        const forward = (inputs: ReadonlyMap<string, Tensor>): Record<string, Tensor> => {
          const taps = net.encode(inputs.get('picture')!);
          return { ...taps, ...net.heads(taps) };
        };
        await compareWithTorch(t, fixture, { net, forward, training: false, tolerance: 1e-4 });
      });
    }
  });
}
