// A training step of the U-Net is a few submits. On webgpu it is also profiled on the GPU's own clock.
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import t from 'tap';
import { createDevice, DeviceError } from '../../engine/index.ts';
import { profiledReproduction } from './profile.ts';

/** Most command buffers of one training step: recording many launches into few keeps the GPU busy. */
const MOST_SUBMITS = 4;

try {
  (await createDevice('webgpu')).dispose();
  await t.test('webgpu', async (t) => {
    // Not t.testdir(): this file runs once per driver, two at a time.
    const folder = await mkdtemp(path.join(os.tmpdir(), 'wgrad-profile-'));
    t.teardown(() => rm(folder, { recursive: true }));
    const { clock, step } = await profiledReproduction(t, 'webgpu', folder);
    t.equal(clock, 'device');
    t.ok(step.submits <= MOST_SUBMITS, `${step.launches} launches in ${step.submits} submits`);
  });
} catch (error) {
  if (!(error instanceof DeviceError)) throw error;
  t.pass('skipped', { skip: error.message });
}
