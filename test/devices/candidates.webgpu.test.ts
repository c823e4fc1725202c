// Every WebGPU plan that a measured table may name gives what `reference` gives. Those of the convolutions and the matrix
// product are in plans.webgpu.test.ts, with more cases.
import t from 'tap';
import { createWebGpuDevice } from '../../engine/devices/webgpu/device.ts';
import { DeviceError } from '../../engine/errors.ts';
import { hasEightLanes } from '../../kernels/shared/webgpu-plan.ts';
import { webGpuPlans } from '../../kernels/webgpu.ts';
import { checkCandidates } from './candidates.ts';

const elsewhere = ['matmul', 'conv2d', 'conv2dInputGradient', 'conv2dWeightGradient'];

t.setTimeout(540_000);

try {
  const device = await createWebGpuDevice();
  t.comment(device.description);
  const runs = hasEightLanes(device.planFacts) ? 8 : 3;
  for (const name of webGpuPlans.names().filter((each) => !elsewhere.includes(each))) {
    const planOf = (params: object, prefer: string) =>
      webGpuPlans.get({ name })(params as never, device.planFacts, prefer).name;
    const variants = webGpuPlans.variants({ name });
    if (variants.length > 1) await checkCandidates(t, device, name, variants, planOf, runs);
  }
  device.dispose();
} catch (error) {
  if (!(error instanceof DeviceError)) throw error;
  t.pass('no device', { skip: error.message });
}
