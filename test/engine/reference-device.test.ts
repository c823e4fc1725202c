// The reference device: storage lifetimes, counters, the observer, and what it refuses.
import t from 'tap';
import { createReferenceDevice } from '../../engine/devices/reference/reference.ts';
import { DeviceError, UseAfterFreeError } from '../../engine/errors.ts';
import { gather, NOTHING_OUTSIDE, unary, Unary, type UnaryParams } from '../../kernels/index.ts';

const params: UnaryParams = { n: 3, op: Unary.square, a: 0, b: 0 };

t.test('values are float64, and fresh buffers hold NaN', async (t) => {
  const device = createReferenceDevice();
  const storage = device.allocate(2, 'float32');
  t.same([...(await device.read(storage))], [NaN, NaN]);
  device.write(storage, [0.1, 1e300]);
  const values = await device.read(storage);
  t.ok(values instanceof Float64Array, 'Float64Array');
  t.same([...values], [0.1, 1e300]);
  const whole = device.allocate(1, 'int32');
  device.write(whole, [-3]);
  t.ok((await device.read(whole)) instanceof Int32Array, 'Int32Array');
});

t.test('counters and the pool', (t) => {
  const device = createReferenceDevice();
  const first = device.allocate(100, 'float32');
  device.allocate(10, 'int32');
  t.match(device.statistics(), { liveBuffers: 2, liveBytes: 840, peakBytes: 840, pooledBytes: 0 });
  first.references++;
  device.release(first);
  t.equal(device.statistics().liveBuffers, 2, 'one reference is left');
  device.release(first);
  t.match(device.statistics(), { liveBuffers: 1, liveBytes: 40, peakBytes: 840, pooledBytes: 800 });
  device.allocate(200, 'int32');
  t.match(device.statistics(), { liveBytes: 840, pooledBytes: 0 }, 'the pool serves any type');
  device.trim();
  device.dispose();
  t.equal(device.statistics().liveBytes, 0);
  t.throws(() => device.allocate(1, 'bool'), DeviceError);
  t.end();
});

t.test('the observer sees every launch', async (t) => {
  const device = createReferenceDevice();
  const [x, y] = [device.allocate(3, 'float32'), device.allocate(3, 'float32')];
  device.write(x, [1, 2, 3]);
  const seen: string[] = [];
  device.observer = {
    before: (kernel, seenParams, plan) => seen.push(`before ${kernel.name} ${String(seenParams.n)} ${plan}`),
    after: (kernel) => seen.push(`after ${kernel.name}`),
  };
  device.launch(unary, [x], [y], params);
  await device.synchronize();
  t.same(seen, ['before unary 3 reference', 'after unary']);
  t.equal(device.statistics().launches, 1);
  t.same([...(await device.read(y))], [1, 4, 9]);
});

t.test('launches that do not fit the description are refused', async (t) => {
  const device = createReferenceDevice();
  const other = createReferenceDevice();
  const float = (length: number) => device.allocate(length, 'float32');
  const int = (length: number) => device.allocate(length, 'int32');
  const y = float(3);
  t.throws(() => device.launch(unary, [], [y], params), /unary: wrong number of inputs; expected 1 \(x\), got 0/);
  t.throws(() => device.launch(unary, [float(4)], [y], params), /input has the wrong length \(argument 'x'\)/);
  t.throws(() => device.launch(unary, [float(3)], [int(3)], params), /wrong element type \(argument 'y'\)/);
  t.throws(() => device.launch(unary, [y], [y], params), /an output is bound twice/);
  t.throws(() => device.launch(unary, [other.allocate(3, 'float32')], [y], params), /another device/);
  const freed = float(3);
  device.release(freed);
  t.throws(() => device.launch(unary, [freed], [y], params), UseAfterFreeError);
  t.throws(() => device.release(freed), UseAfterFreeError);
  await t.rejects(device.read(freed), UseAfterFreeError);
  const picked = { outer: 1, size: 3, count: 2, inner: 1, outside: NOTHING_OUTSIDE };
  t.throws(
    () => device.launch(gather, [float(3), int(2)], [int(2)], picked),
    /float and integer buffers cannot be mixed/,
  );
  t.throws(() => device.write(y, [1]), /wrong number of values; expected 3, got 1/);
  t.equal(device.statistics().launches, 0, 'nothing was launched');
});

t.test('empty buffers', async (t) => {
  const device = createReferenceDevice();
  const [x, y] = [device.allocate(0, 'float32'), device.allocate(0, 'float32')];
  device.write(x, []);
  device.launch(unary, [x], [y], { ...params, n: 0 });
  t.equal((await device.read(y)).length, 0);
});
