// The names of the plans that the tables state are those that the planners give: none is missing, and each is chosen for
// some launch on some adapter or thread count.
import fc from 'fast-check';
import t from 'tap';
import type { WasmFacts, WebGpuFacts } from '../../kernels/plan.ts';
import { wasmPlans } from '../../kernels/wasm.ts';
import { webGpuPlans } from '../../kernels/webgpu.ts';
import { caseSources } from './generators/index.ts';
import { hardware } from './webgpu-facts.ts';

const software: WebGpuFacts = { ...hardware, subgroupMinSize: 8, software: true };
const adapters = [hardware, software, { ...software, subgroups: false, subgroupMinSize: 0 }];
const threads: WasmFacts[] = [1, 8].map((count) => ({ threads: count, relaxedSimd: false }));

for (const { kernel: name, params, exampleParams } of caseSources) {
  t.test(name, (t) => {
    const kernel = { name };
    const drawn = [...exampleParams, ...fc.sample(params, { seed: 7, numRuns: 400 })] as never[];
    const onWasm = drawn.flatMap((each) => threads.map((facts) => wasmPlans.get(kernel)(each, facts)));
    const variants = webGpuPlans.variants(kernel);
    const onWebGpu = drawn.flatMap((each) =>
      adapters.flatMap((facts) =>
        [undefined, ...variants].map((prefer) => webGpuPlans.get(kernel)(each, facts, prefer)),
      ),
    );
    const withWork = {
      wasm: onWasm.filter(({ phases }) => phases.length),
      webgpu: onWebGpu.filter(({ passes }) => passes.length),
    };
    const named = (plans: readonly { name: string }[]): string[] => [...new Set(plans.map((plan) => plan.name))].sort();
    t.same([...wasmPlans.variants(kernel)].sort(), named(withWork.wasm), 'on wasm');
    t.same([...variants].sort(), named(withWork.webgpu), 'on webgpu');
    t.end();
  });
}
