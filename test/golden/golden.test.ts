// The open fixtures on every device, twice, with what they leave behind; where the folder of shared fixtures is beside the checkout.
import t from 'tap';
import { openFolder } from '../../experiments/verification/golden/folder.ts';
import { runFixturesOn } from '../../experiments/verification/golden/run.ts';
import { sharedData } from '../shared-data.ts';
import { onEach, testedOn } from '../tested-on.ts';

t.setTimeout(600_000);

const devices = testedOn('reference', 'wasm', 'webgpu');
const folder = sharedData('golden/open');

if (!folder) {
  t.pass('golden fixtures', { skip: 'the fixtures are not beside this checkout' });
} else {
  const fixtures = await openFolder(folder);
  await onEach(t, devices, async (t, device, name) => {
    await runFixturesOn(device, fixtures, {
      report: (id, failure) => t.notOk(failure, `${id} on ${name}`),
    });
    const { liveBuffers, liveBytes, pooledBytes } = device.statistics();
    t.same({ liveBuffers, liveBytes }, { liveBuffers: 0, liveBytes: 0 }, 'the set leaves no tensor behind');
    const { failures } = await runFixturesOn(device, fixtures);
    t.same(failures, [], 'again, in used memory');
    t.equal(device.statistics().pooledBytes, pooledBytes, 'the pool is as it was before the second time');
  });
}
