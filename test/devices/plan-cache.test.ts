// Plans are made once per shape and found again whatever the learning rate is; a kernel with plans of its own is planned for
// every value that it is given.
import fc from 'fast-check';
import t from 'tap';
import type { Storage } from '../../engine/devices/device.ts';
import { createMetaDevice } from '../../engine/devices/meta/device.ts';
import { PlanCache } from '../../engine/devices/plan-cache.ts';
import * as kernels from '../../kernels/index.ts';
import { defineKernel, float, type Kernel, type ParamValues } from '../../kernels/index.ts';
import { wasmPlans } from '../../kernels/wasm.ts';
import { webGpuPlans } from '../../kernels/webgpu.ts';
import { caseSources } from '../kernels/generators/index.ts';
import { hardware } from '../kernels/webgpu-facts.ts';

const device = createMetaDevice();
const buffer = (length: number): Storage => device.allocate(length, 'float32');

const scaleOf = (name: string, plans?: object) =>
  defineKernel({
    name,
    fields: { n: 'u32', rate: 'f32' },
    inputs: ({ n }) => [float('x', n)],
    outputs: ({ n }) => [float('y', n)],
    flops: ({ n }) => n,
    ...(plans ? { plans } : {}),
  });

/** A cache that counts the plans it makes, which are their numbers. */
function counting() {
  let made = 0;
  const cache = new PlanCache(device, () => ++made);
  return {
    plan: (kernel: Kernel<{ n: number; rate: number }>, n: number, rate: number, prefer?: string): number =>
      cache.find(kernel, [buffer(n)], [buffer(n)], { n, rate }, prefer).plan,
    words: () => [...cache.words],
  };
}

t.test('one plan for all values of a float but zero', (t) => {
  const { plan, words } = counting();
  const kernel = scaleOf('scale');
  const first = plan(kernel, 4, 0.1);
  for (const rate of [0.2, -5, NaN, Infinity, 1e-45]) t.equal(plan(kernel, 4, rate), first, String(rate));
  const [n, bits] = words();
  t.same(
    [n, new Float32Array(Int32Array.of(bits!).buffer)[0]],
    [4, Math.fround(1e-45)],
    'the words are those of the launch',
  );
  const zero = plan(kernel, 4, 0);
  t.not(zero, first);
  t.equal(plan(kernel, 4, -0), zero);
  t.not(plan(kernel, 5, 0.1), first, 'another shape');
  t.equal(plan(kernel, 4, 0.1), first, 'is found again');
  t.end();
});

t.test('plans that are asked for by name, and kernels of the same name, are kept apart', (t) => {
  const { plan } = counting();
  const [one, other] = [scaleOf('scale'), scaleOf('scale')];
  const numbers = [plan(one, 4, 1), plan(other, 4, 1), plan(one, 4, 1, 'wide'), plan(one, 4, 1, 'narrow')];
  t.equal(new Set(numbers).size, 4);
  t.same([plan(one, 4, 1), plan(other, 4, 1), plan(one, 4, 1, 'wide'), plan(one, 4, 1, 'narrow')], numbers);
  t.end();
});

t.test('a kernel with plans of its own is planned for every value', (t) => {
  const { plan } = counting();
  const own = scaleOf('own', {});
  const [first, second] = [plan(own, 4, 0.1), plan(own, 4, 0.2)];
  t.not(first, second);
  t.same([plan(own, 4, 0.1), plan(own, 4, 0.2)], [first, second]);
  t.end();
});

t.test('shapes that never repeat do not pile up, and each gets its own plan', (t) => {
  const { plan } = counting();
  const kernel = scaleOf('scale');
  for (let n = 1; n <= 3000; n++) if (plan(kernel, n, 1) !== n) t.fail(`the plan of shape ${n}`);
  t.equal(plan(kernel, 3000, 1), 3000, 'a late one is known');
  t.equal(plan(kernel, 1, 1), 3001, 'an early one has been forgotten');
  t.end();
});

t.test('no plan of the library depends on more of a float than whether it is zero', (t) => {
  const described = Object.values(kernels).filter(
    (value): value is Kernel<never> => typeof value === 'object' && 'fields' in value && 'flops' in value,
  );
  for (const kernel of described) {
    const floats = Object.entries<kernels.FieldType>(kernel.fields).filter(([, type]) => type === 'f32');
    if (floats.length === 0) continue;
    const { params } = caseSources.find((source) => source.kernel === kernel.name)!;
    const plansOf = (values: ParamValues): unknown => [
      wasmPlans.get(kernel)(values as never, { threads: 2, relaxedSimd: true }),
      webGpuPlans.get(kernel)(values as never, hardware),
      webGpuPlans.get(kernel)(values as never, { ...hardware, subgroups: false, software: true }),
      kernel.inputs(values as never),
      kernel.outputs(values as never),
    ];
    const other = fc.float({ noDefaultInfinity: false }).filter((value) => value !== 0);
    fc.assert(
      fc.property(params, fc.array(other, { minLength: floats.length, maxLength: floats.length }), (values, drawn) => {
        const given = values as ParamValues;
        const changed = Object.fromEntries(floats.map(([name], i) => [name, given[name] === 0 ? 0 : drawn[i]!]));
        t.same(plansOf({ ...given, ...changed }), plansOf(given), kernel.name);
      }),
      { seed: 5, numRuns: 30 },
    );
  }
  t.end();
});
