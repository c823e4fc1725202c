// Every WebGPU plan of the convolutions and the matrix product against `reference`, also where another would be chosen.
import fc from 'fast-check';
import t from 'tap';
import { createReferenceDevice } from '../../engine/devices/reference/reference.ts';
import { createWebGpuDevice } from '../../engine/devices/webgpu/device.ts';
import { DeviceError } from '../../engine/errors.ts';
import { hasEightLanes } from '../../kernels/webgpu-plan.ts';
import { checkAgreement } from '../kernels/compare.ts';
import { caseSources } from '../kernels/generators/index.ts';

const gathering = ['rows3x3', 'lanes', 'implicitGemm64', 'direct'];
const planNames: Record<string, readonly string[]> = {
  conv2d: gathering,
  conv2dInputGradient: gathering,
  conv2dWeightGradient: ['rows3x3SplitK', 'lanesSplitK', 'tiled64SplitK', 'directSplitK'],
  matmul: ['lanes', 'tiled64', 'dot', 'direct'],
};

// Barriers are slow on software adapters: the tiled plans take their time, and the runner has its own limit.
t.setTimeout(0);

let wanted = '';
try {
  const device = await createWebGpuDevice({ preferPlan: () => wanted });
  const reference = createReferenceDevice();
  t.comment(device.description);
  for (const { kernel, cases, examples } of caseSources) {
    for (const name of planNames[kernel] ?? []) {
      const skip = /lanes|rows/.test(name) && !hasEightLanes(device.planFacts) && 'subgroups are shorter than eight';
      await t.test(`${kernel}.${name}`, { skip, timeout: 300_000 }, async (t) => {
        wanted = name;
        for (const example of examples) await checkAgreement(example, device, reference);
        const agreement = fc.asyncProperty(cases, (tested) => checkAgreement(tested, device, reference));
        await fc.assert(agreement, {
          seed: 23,
          numRuns: 15,
          interruptAfterTimeLimit: 10_000,
          includeErrorInReport: true,
        });
        t.pass(`${examples.length} examples and 15 random cases`);
      });
    }
  }
  device.dispose();
} catch (error) {
  if (!(error instanceof DeviceError)) throw error;
  t.pass('no device', { skip: error.message });
}
