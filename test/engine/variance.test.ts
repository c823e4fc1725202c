import t from 'tap';
import { createDevice } from '../../engine/index.ts';
import { testVariance } from './variance.ts';

for (const [name, threads] of [
  ['reference', undefined],
  ['wasm', 1],
  ['wasm', 3],
] as const) {
  const device = await createDevice(name, threads ? { threads } : {});
  await t.test(`${name}${threads ? `, ${threads} threads` : ''}`, (t) => testVariance(t, device));
  device.dispose();
}
