// Every kernel's plan on the `wasm` device: which exports of the WebAssembly module run, over how many tasks.
import { addBatchNorm } from './batch-norm/plans.wasm.ts';
import { addConv2d } from './conv2d/plans.wasm.ts';
import { addCopy } from './copy/plans.wasm.ts';
import { addCrossEntropy } from './cross-entropy/plans.wasm.ts';
import { addElementwise } from './elementwise/plans.wasm.ts';
import { addMatmul } from './matmul/plans.wasm.ts';
import { addOptimizer } from './optimizer/plans.wasm.ts';
import { PlanTable, type WasmPlanner } from './plan.ts';
import { addPooling } from './pooling/plans.wasm.ts';
import { addPeak } from './peak/plans.wasm.ts';
import { addReduction } from './reduction/plans.wasm.ts';
import { addResize } from './resize/plans.wasm.ts';
import { addSsim } from './ssim/plans.wasm.ts';

export const wasmPlans = new PlanTable<WasmPlanner<never>>('wasm');
addElementwise(wasmPlans);
addReduction(wasmPlans);
addCopy(wasmPlans);
addMatmul(wasmPlans);
addConv2d(wasmPlans);
addPooling(wasmPlans);
addPeak(wasmPlans);
addResize(wasmPlans);
addSsim(wasmPlans);
addBatchNorm(wasmPlans);
addCrossEntropy(wasmPlans);
addOptimizer(wasmPlans);
