// Every kernel's plan on the `reference` device: float64 loops that define the operations.
import { addBatchNorm } from './batch-norm/reference.ts';
import { addConv2d } from './conv2d/reference.ts';
import { addCopy } from './copy/reference.ts';
import { addCrossEntropy } from './cross-entropy/reference.ts';
import { addElementwise } from './elementwise/reference.ts';
import { addMatmul } from './matmul/reference.ts';
import { addOptimizer } from './optimizer/reference.ts';
import { PlanTable, type ReferencePlan } from './plan.ts';
import { addPooling } from './pooling/reference.ts';
import { addPeak } from './peak/reference.ts';
import { addReduction } from './reduction/reference.ts';
import { addResize } from './resize/reference.ts';
import { addSsim } from './ssim/reference.ts';

export const referencePlans = new PlanTable<ReferencePlan<never>>('reference');
addElementwise(referencePlans);
addReduction(referencePlans);
addCopy(referencePlans);
addMatmul(referencePlans);
addConv2d(referencePlans);
addPooling(referencePlans);
addPeak(referencePlans);
addResize(referencePlans);
addSsim(referencePlans);
addBatchNorm(referencePlans);
addCrossEntropy(referencePlans);
addOptimizer(referencePlans);
