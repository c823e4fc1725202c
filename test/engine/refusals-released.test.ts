// What the methods of a tensor refuse: of one that has been released, of a type or shape that is not theirs, and of one that waits for
// the device.
import t from 'tap';
import * as w from '../../engine/index.ts';
import { DeviceError, DTypeError, ShapeError, UseAfterFreeError } from '../../engine/index.ts';
import { checkRows as check } from './refusal.ts';

w.setDefaultDevice(await w.createDevice('reference'));

const gone = (): w.Tensor => {
  const x = w.zeros([1]);
  x.dispose();
  return x;
};
for (const method of ['alias', 'array', 'backward', 'detach', 'requireGrad'] as const) {
  check(method, [['this', UseAfterFreeError, () => gone()[method]()]], `${method} of a released tensor`);
}
check('requireGrad', [['this', DTypeError, () => w.zeros([1], { dtype: 'int32' }).requireGrad()]]);
check('backward', [
  ['output', DTypeError, () => w.zeros([]).backward()],
  ['gradient', ShapeError, () => w.ones([2], { requiresGrad: true }).mul(2).backward()],
  [
    'gradient',
    ShapeError,
    () =>
      w
        .ones([2], { requiresGrad: true })
        .mul(2)
        .backward({ gradient: w.ones([3]) }),
  ],
]);
check('grad', [
  ['outputs', UseAfterFreeError, () => w.grad(gone(), [])],
  ['inputs', UseAfterFreeError, () => w.grad(w.ones([], { requiresGrad: true }), [gone()])],
]);

t.test('what waits for the device rejects', async (t) => {
  using _ = w.scope();
  const refused = async (promise: Promise<unknown>): Promise<object> => {
    const error = (await promise.then(
      () => undefined,
      (reason: unknown) => reason,
    )) as w.WgradError;
    return { error: error.constructor, operation: error.details.operation, argument: error.details.argument };
  };
  const device = w.defaultDevice();
  t.same(await refused(gone().item()), { error: UseAfterFreeError, operation: 'item', argument: 'this' });
  t.same(await refused(w.ones([2]).item()), { error: ShapeError, operation: 'item', argument: 'this' });
  t.same(await refused(w.toDevice(gone(), device)), { error: UseAfterFreeError, operation: 'toDevice', argument: 'x' });
  const nowhere = undefined as unknown as w.Device;
  t.same(await refused(w.toDevice(w.ones([2]), nowhere)), {
    error: DeviceError,
    operation: 'toDevice',
    argument: 'device',
  });
});
