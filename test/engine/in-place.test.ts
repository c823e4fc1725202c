import t from 'tap';
import { checkpoint, createDevice } from '../../engine/index.ts';
import { direct } from './recomputation.ts';
import { allowsChanges, allowsChangesOfEither, neverNewValues, refusesChanges } from './in-place.ts';

for (const name of ['reference', 'wasm'] as const) {
  t.test(name, async (t) => {
    const device = await createDevice(name);
    await refusesChanges(t, device);
    await allowsChanges(t, device);
    await allowsChangesOfEither(t, device);
    await neverNewValues(t, device, 1, 300, direct);
    await neverNewValues(t, device, 1001, 150, checkpoint);
    device.dispose();
  });
}
