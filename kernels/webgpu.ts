// Every kernel's plans on the `webgpu` device.
import { addMatmul } from './matmul/plans.webgpu.ts';
import { PlanTable, type WebGpuPlanner } from './plan.ts';

export const webGpuPlans = new PlanTable<WebGpuPlanner<never>>();
addMatmul(webGpuPlans);
