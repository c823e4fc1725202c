// Every WebGPU plan of the convolutions and the matrix product against `reference`, also where another would be chosen.
import fc from 'fast-check';
import t from 'tap';
import { createReferenceDevice } from '../../engine/devices/reference/reference.ts';
import { createWebGpuDevice } from '../../engine/devices/webgpu/device.ts';
import { DeviceError } from '../../engine/errors.ts';
import { checkAgreement } from '../kernels/compare.ts';
import { caseSources } from '../kernels/generators/index.ts';

const gathering = ['rows3x3', 'lanes', 'implicitGemm64', 'direct'];
const planNames: Record<string, readonly string[]> = {
  conv2d: gathering,
  conv2dInputGradient: gathering,
  conv2dWeightGradient: ['rows3x3SplitK', 'lanesSplitK', 'tiled64SplitK', 'directSplitK'],
  matmul: ['lanes', 'tiled64', 'dot', 'direct'],
};

let wanted = '';
try {
  const device = await createWebGpuDevice({ preferPlan: () => wanted });
  const reference = createReferenceDevice();
  t.comment(device.description);
  for (const { kernel, cases, examples } of caseSources) {
    for (const name of planNames[kernel] ?? []) {
      await t.test(`${kernel}.${name}`, async (t) => {
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
