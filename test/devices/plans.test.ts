// Every WebGPU plan of the convolutions and the matrix product against `reference`, also where another would be chosen.
import fc from 'fast-check';
import t from 'tap';
import { createReferenceDevice } from '../../engine/devices/reference/reference.ts';
import { hasEightLanes } from '../../kernels/shared/webgpu-plan.ts';
import { webGpuPlans } from '../../kernels/webgpu.ts';
import { checkAgreement } from '../kernels/compare.ts';
import { caseSources } from '../kernels/generators/index.ts';
import { testedOn, withWebGpu } from '../tested-on.ts';

const products = ['conv2d', 'conv2dInputGradient', 'conv2dWeightGradient', 'matmul'];

t.setTimeout(540_000);

testedOn('webgpu');
await withWebGpu(t, async (device, prefer) => {
  const reference = createReferenceDevice();
  // An adapter without eight lanes (SwiftShader) takes the direct plans by itself and is very slow with barriers: there,
  // random cases of the others must do.
  const lanes = hasEightLanes(device.planFacts);
  const numRuns = lanes ? 8 : 5;
  for (const { kernel, cases, examples } of caseSources) {
    for (const name of products.includes(kernel) ? webGpuPlans.variants({ name: kernel }) : []) {
      const skip = !lanes && /lanes|rows|direct/.test(name) && 'not for subgroups shorter than eight';
      await t.test(`${kernel}.${name}`, { skip, timeout: 300_000 }, async (t) => {
        prefer(name);
        if (lanes) for (const example of examples) await checkAgreement(example, device, reference);
        const agreement = fc.asyncProperty(cases, (tested) => checkAgreement(tested, device, reference));
        await fc.assert(agreement, { seed: 23, numRuns, includeErrorInReport: true });
        t.pass(`${lanes ? examples.length : 0} examples and ${numRuns} random cases`);
      });
    }
  }
  reference.dispose();
});
