// Gradients of gradients through checkpoints have the same bits as without, whatever is computed.
import t from 'tap';
import { createDevice } from '../../engine/index.ts';
import { sameBitsOfPrograms } from './recomputation-programs.ts';

for (const name of ['reference', 'wasm'] as const) {
  t.test(name, async (t) => {
    const device = await createDevice(name);
    await sameBitsOfPrograms(t, device, 1, 200);
    device.dispose();
  });
}
