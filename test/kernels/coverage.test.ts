// Every kernel has plans for every device and a generator of random cases, so that none escapes the agreement tests.
import t from 'tap';
import * as kernels from '../../kernels/index.ts';
import { referencePlans } from '../../kernels/reference.ts';
import { wasmPlans } from '../../kernels/wasm.ts';
import { webGpuPlans } from '../../kernels/webgpu.ts';
import { caseSources } from './generators/index.ts';

/** Kernels among the exports of kernels/index.ts. */
const described = Object.values(kernels)
  .filter((value): value is kernels.Kernel<never> => typeof value === 'object' && 'fields' in value && 'flops' in value)
  .map(({ name }) => name)
  .sort();

t.test('every kernel has plans for every device', (t) => {
  for (const table of [referencePlans, wasmPlans, webGpuPlans]) t.same(table.names().sort(), described);
  t.end();
});

t.test('every kernel has a generator of random cases', (t) => {
  t.same(caseSources.map(({ kernel }) => kernel).sort(), described);
  t.end();
});
