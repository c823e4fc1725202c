import t from 'tap';
import { createDevice } from '../../engine/index.ts';
import { testLossEdges } from './loss-edges.ts';

for (const name of ['reference', 'wasm'] as const) {
  const device = await createDevice(name);
  await t.test(name, (t) => testLossEdges(t, device));
  device.dispose();
}
