// The five networks of cross-stitch against PyTorch on the processor.
import t from 'tap';
import { createDevice } from '../../engine/index.ts';
import { networkNames } from '../../experiments/papers/cross-stitch/settings.ts';
import { compareWithTorch, skip } from './cross-stitch.ts';

for (const network of networkNames) {
  for (const name of ['wasm', 'reference'] as const) {
    // Float64 loops take seconds: the network with all parts stands for the others.
    if (name === 'reference' && network !== 'mtl') continue;
    await t.test(`${network} on ${name}`, { skip }, async (t) => {
      const device = await createDevice(name, { threads: 1 });
      await compareWithTorch(t, network, device);
      device.dispose();
    });
  }
}
