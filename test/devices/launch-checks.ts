// What every device refuses, whether it has seen a launch with such parameters before or not, and what it counts.
import type { Test } from 'tap';
import type { Device, Storage } from '../../engine/devices/device.ts';
import { createMetaDevice } from '../../engine/devices/meta/device.ts';
import { binary, Binary, cast, Cast, type DType, type Kernel, type ParamValues, where } from '../../kernels/index.ts';

const add = { shape: [3], stridesA: [1], stridesB: [1], rank: 1, n: 3, op: Binary.add, alpha: 1 };
const choose = { shape: [3], stridesC: [1], stridesA: [1], stridesB: [1], rank: 1, n: 3 };

export async function checkLaunches(test: Test, device: Device): Promise<void> {
  const made: Storage[] = [];
  const make = (length: number, dtype: DType = 'float32', on = device): Storage => {
    const storage = on.allocate(length, dtype);
    on.write(storage, new Array<number>(length).fill(1));
    made.push(storage);
    return storage;
  };

  await test.test('a launch is checked each time, new or known', (t) => {
    const released = make(3);
    device.release(released);
    const foreign = make(3, 'float32', createMetaDevice());
    const [a, b, y] = [make(3), make(3), make(3)];
    const ints = make(3, 'int32');
    const refusals: [what: RegExp, kernel: Kernel<never>, params: ParamValues, Storage[], Storage[]][] = [
      [/wrong number of inputs/, binary as never, add, [a], [y]],
      [/input has the wrong length/, binary as never, add, [a, make(4)], [y]],
      [/input has the wrong element type/, binary as never, add, [a, ints], [y]],
      [/output has the wrong element type/, binary as never, add, [a, b], [ints]],
      [/a buffer has been released/, binary as never, add, [a, released], [y]],
      [/a buffer belongs to another device/, binary as never, add, [a, foreign], [y]],
      [/an output is bound twice/, binary as never, add, [a, y], [y]],
      [/cannot be mixed/, where as never, choose, [make(3, 'bool'), a, ints], [y]],
    ];
    for (const when of ['new', 'known']) {
      for (const [what, kernel, params, inputs, outputs] of refusals) {
        t.throws(() => device.launch(kernel as Kernel, inputs, outputs, params), what, `${String(what)}, ${when}`);
      }
      device.launch(binary, [a, b], [y], add);
      device.launch(where, [make(3, 'bool'), a, b], [y], choose);
      // The one kernel whose words may be of two kinds.
      device.launch(cast, [a], [ints], { n: 3, kind: Cast.toInt });
    }
    t.end();
  });

  await test.test('buffers and launches are counted', (t) => {
    device.resetPeakBytes();
    const before = device.statistics();
    const buffers = [make(5), make(7), make(7)];
    t.equal(new Set(buffers.map(({ id }) => id)).size, 3, 'each has its id');
    const held = device.statistics();
    t.equal(held.liveBuffers, before.liveBuffers + 3);
    t.ok(held.liveBytes >= before.liveBytes + 4 * 19);
    t.equal(held.peakBytes, held.liveBytes);
    const [first] = buffers;
    first!.references++;
    device.release(first!);
    t.equal(device.statistics().liveBuffers, held.liveBuffers, 'a reference is left');
    for (const buffer of buffers) device.release(buffer);
    const after = device.statistics();
    t.same([after.liveBuffers, after.liveBytes], [before.liveBuffers, before.liveBytes]);
    t.equal(after.peakBytes, held.peakBytes);
    t.throws(() => device.release(first!), /the buffer has been released/);
    device.launch(binary, [make(3), make(3)], [make(3)], add);
    t.equal(device.statistics().launches, before.launches + 1);
    t.end();
  });

  await device.synchronize();
  for (const storage of made) if (storage.device === device && storage.references > 0) device.release(storage);
}
