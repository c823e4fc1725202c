// Every shader of every ladder against `reference`, the plans of the library among them.
import t from 'tap';
import { createWebGpuDevice } from '../../engine/devices/webgpu/device.ts';
import { DeviceError } from '../../engine/errors.ts';
import { ladders } from '../../kernels/ladders.ts';
import { hasEightLanes } from '../../kernels/shared/webgpu-plan.ts';
import { checkRung } from './ladders.ts';

t.setTimeout(540_000);

try {
  const device = await createWebGpuDevice({});
  t.comment(device.description);
  // An adapter without eight lanes (SwiftShader) is very slow with barriers.
  const runs = hasEightLanes(device.planFacts) ? 15 : 4;
  for (const ladder of ladders) {
    for (const rung of ladder.webgpu) {
      const takes = (params: object): boolean => rung.plan(params as never, device.planFacts) !== undefined;
      const fitsAny = hasEightLanes(device.planFacts) || !/lanes|rows3x3/.test(rung.name);
      if (fitsAny) await checkRung(t, ladder, rung, takes, device, runs);
      else t.pass(`${ladder.name}: ${rung.name}`, { skip: 'needs subgroups of eight' });
    }
  }
  device.dispose();
} catch (error) {
  if (!(error instanceof DeviceError)) throw error;
  t.pass('no device', { skip: error.message });
}
