// The meta device sees what a computing device sees: the same launches and the same bytes.
import t from 'tap';
import {
  add,
  createDevice,
  crossEntropy,
  type Device,
  type DeviceChoice,
  mseLoss,
  scope,
  setDefaultDevice,
  SGD,
  tensor,
} from '../../engine/index.ts';
import { UNet } from '../../models/index.ts';
import { checkLaunches } from './launch-checks.ts';

interface Trace {
  readonly launches: string[];
  readonly peakBytes: number;
  readonly liveBytes: number;
}

/** Two training steps of a narrow U-Net. */
async function trace(name: DeviceChoice): Promise<Trace> {
  const device: Device = await createDevice(name, { threads: 1 });
  setDefaultDevice(device);
  const model = new UNet({ baseWidth: 4 });
  const optimizer = new SGD(model.parameters(), { lr: 0.01, momentum: 0.9 });
  const launches: string[] = [];
  device.observer = { before: ({ name: kernel }, params) => launches.push(`${kernel} ${JSON.stringify(params)}`) };
  for (let step = 0; step < 2; step++) {
    using _step = scope();
    const { depth, logits } = model.forward(tensor(new Float32Array(2 * 32 * 32), [2, 1, 32, 32]));
    const target = tensor(new Float32Array(2 * 32 * 32), [2, 1, 32, 32]);
    const loss = add(crossEntropy(logits, tensor(Int32Array.of(3, 7))), mseLoss(depth, target));
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    await loss.item();
  }
  const { peakBytes, liveBytes } = device.statistics();
  device.dispose();
  return { launches, peakBytes, liveBytes };
}

t.test('the launches and the bytes are those of the wasm device', async (t) => {
  const [meta, wasm] = [await trace('meta'), await trace('wasm')];
  t.ok(meta.launches.length > 200, `${meta.launches.length} launches`);
  t.same(meta, wasm);
});

await checkLaunches(t, await createDevice('meta'));

t.test('values are zeros, shapes are right, misuse is refused', async (t) => {
  const device = await createDevice('meta');
  const x = tensor([[1, 2, 3]], undefined, { device });
  t.same(x.mul(2).shape, [1, 3]);
  t.same(await x.array(), [0, 0, 0]);
  t.throws(() => x.add(tensor([1, 2], undefined, { device })), { name: 'ShapeError' });
  x.dispose();
  t.throws(() => x.mul(2), { name: 'UseAfterFreeError' });
  t.equal(device.statistics().liveBuffers, 2);
  device.dispose();
  t.throws(() => device.allocate(1, 'float32'), { name: 'DeviceError' });
});
