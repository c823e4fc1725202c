// The error model on the devices that need no adapter: on wasm by Winograd's algorithm, also where its guards must step in, and
// by plain sums.
import t from 'tap';
import { createReferenceDevice } from '../../engine/devices/reference/reference.ts';
import { createWasmDevice } from '../../engine/devices/wasm/device.ts';
import { createDevice } from '../../engine/index.ts';
import {
  testConvolutions,
  testLongProducts,
  testLongSoftmax,
  testLongSums,
  testSparseConvolutions,
  testUnevenChannels,
} from './error-model-suite.ts';

t.setTimeout(180_000);

await t.test('wasm', async (t) => {
  const device = await createWasmDevice({ threads: 2 });
  const plans = new Map<string, number>();
  await testConvolutions(t, device, 1, 1, (plan) => plans.set(plan, 1 + (plans.get(plan) ?? 0)));
  t.ok((plans.get('winograd') ?? 0) > 300, 'most of them by Winograd');
  await testSparseConvolutions(t, device, [1, 2, 3, 28684]);
  await testUnevenChannels(t, device, [1, 2]);
  await testLongSums(t, device, [1, 1000, 2 ** 20 + 3, 2 ** 23]);
  await testLongProducts(t, device, [2047, 2 ** 14 + 5, 2 ** 18 + 3]);
  await testLongSoftmax(t, device, [2 ** 20 + 3]);
  device.dispose();
});

await t.test('wasm without relaxed SIMD', async (t) => {
  const device = await createWasmDevice({ threads: 1, relaxedSimd: false });
  await testConvolutions(t, device, 3, 3);
  device.dispose();
});

await t.test('plain sums only', async (t) => {
  const device = await createDevice('wasm', { threads: 2, plainSums: true });
  t.equal(device.facts.plainSums, true, 'the facts say so');
  const plans = new Set<string>();
  await testConvolutions(t, device, 4, 2, (plan) => plans.add(plan));
  t.notOk(plans.has('winograd'), `plans ${[...plans].join(', ')}`);
  const usual = await createDevice('wasm', { threads: 2 });
  t.notOk('plainSums' in usual.facts, 'and nothing of it otherwise');
  for (const each of [device, usual]) each.dispose();
});

await t.test('reference', async (t) => {
  const device = createReferenceDevice();
  await testConvolutions(t, device, 5, 5);
  device.dispose();
});
