import t from 'tap';
import { createDevice } from '../../engine/index.ts';
import { trainUNet } from './checks.ts';
import { deviceSuite } from './suite.ts';

const device = await createDevice('wasm', { threads: 2 });
await deviceSuite(t, 'wasm', device);

t.test('one thread and two give the same bits', async (t) => {
  const one = await createDevice('wasm', { threads: 1 });
  const [a, b] = [await trainUNet(one), await trainUNet(device)];
  t.ok(Buffer.from(a).equals(Buffer.from(b)));
  one.dispose();
});

t.test('without relaxed SIMD the results stay within rounding', async (t) => {
  const plain = await createDevice('wasm', { relaxedSimd: false });
  const options = { steps: 1 };
  const [a, b] = [await trainUNet(plain, options), await trainUNet(device, options)].map(
    (bytes) => new Float32Array(bytes),
  );
  t.ok(a!.every((value, i) => Math.abs(value - b![i]!) <= 1e-4 + 1e-3 * Math.abs(b![i]!)));
  plain.dispose();
});
