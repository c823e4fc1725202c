// The comparison of DenseDepth at full size with PyTorch (test/models/dense_depth_torch.py), and a seed for each backbone.
import type { Test } from 'tap';
import { scope } from '../../engine/index.ts';
import { type BackboneName, DenseDepth, makeBackbone } from '../../models/index.ts';
import { below, compareWithFixture, makeFixture, pythonWith } from './torch-fixture.ts';

const TOLERANCE = 1e-4;

/** Compares these backbones, each with its decoder, in inference mode: all outputs, feature maps and gradients. */
export async function compareBackbones(t: Test, names: readonly BackboneName[]): Promise<void> {
  const python = await pythonWith('torch, torchvision');
  if (!python) {
    t.pass('against PyTorch', { skip: 'no Python with PyTorch and torchvision here' });
    return;
  }
  for (const name of names) {
    await t.test(name, async (t) => {
      const fixture = await makeFixture(python, 'test/models/dense_depth_torch.py', [name, '1']);
      for (const [key, entry] of below(fixture, 'tap')) fixture.set(`output/${key}`, entry);
      using _ = scope();
      const net = new DenseDepth(makeBackbone(name));
      net.fineTuneFrom([...net.backbone.namedParameters()][0]![0]);
      net.eval();
      const forward = (picture: Parameters<DenseDepth['encode']>[0]) => {
        const taps = net.encode(picture);
        return { ...taps, ...net.heads(taps) };
      };
      await compareWithFixture(t, fixture, net, forward, TOLERANCE);
      net.dispose();
    });
  }
}
