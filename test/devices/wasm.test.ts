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

t.test('released memory serves requests of other sizes before more is asked of the machine', async (t) => {
  const own = await createDevice('wasm', { threads: 1 });
  const quarter = 4 << 20;
  const parts = Array.from({ length: 4 }, () => own.allocate(quarter, 'float32'));
  for (const part of parts) own.release(part);
  t.equal(own.statistics().pooledBytes, 4 * (4 * quarter + 64));
  const whole = own.allocate(4 * quarter, 'float32');
  t.equal(own.statistics().pooledBytes, 0, 'the four quarters were joined');
  own.release(whole);
  own.dispose();
});
