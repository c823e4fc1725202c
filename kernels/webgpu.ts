// Every kernel's plans on the `webgpu` device.
import { addBatchNorm } from './batch-norm/plans.webgpu.ts';
import { addConv2d } from './conv2d/plans.webgpu.ts';
import { addCopy } from './copy/plans.webgpu.ts';
import { addCrossEntropy } from './cross-entropy/plans.webgpu.ts';
import { addElementwise } from './elementwise/plans.webgpu.ts';
import { addMatmul } from './matmul/plans.webgpu.ts';
import { addOptimizer } from './optimizer/plans.webgpu.ts';
import { PlanTable, type WebGpuPlanner } from './plan.ts';
import { addPooling } from './pooling/plans.webgpu.ts';
import { addPeak } from './peak/plans.webgpu.ts';
import { addReduction } from './reduction/plans.webgpu.ts';
import { addResize } from './resize/plans.webgpu.ts';
import { addSsim } from './ssim/plans.webgpu.ts';

export const webGpuPlans = new PlanTable<WebGpuPlanner<never>>('webgpu');
addElementwise(webGpuPlans);
addReduction(webGpuPlans);
addCopy(webGpuPlans);
addMatmul(webGpuPlans);
addConv2d(webGpuPlans);
addPooling(webGpuPlans);
addPeak(webGpuPlans);
addResize(webGpuPlans);
addSsim(webGpuPlans);
addBatchNorm(webGpuPlans);
addCrossEntropy(webGpuPlans);
addOptimizer(webGpuPlans);
