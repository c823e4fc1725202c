// WebGPU plans of the matrix product.
import type { PlanTable, WebGpuPlanner } from '../plan.ts';
import { grid1d } from '../webgpu-grid.ts';
import direct from './direct.wgsl';
import { matmul, type MatmulParams } from './matmul.ts';

const planMatmul: WebGpuPlanner<MatmulParams> = (p, facts) => ({
  name: 'direct',
  passes: [
    {
      module: direct,
      workgroups: grid1d(p.batch * p.m * p.n, 64, facts),
      bindings: ['a', 'b', p.bias ? 'bias' : 'a', 'c*'],
    },
  ],
});

export const addMatmul = (table: PlanTable<WebGpuPlanner<never>>): unknown => table.add(matmul, planMatmul);
