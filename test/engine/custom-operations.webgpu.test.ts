// A user's own kernel on WebGPU against its reference plan, with its gradient.
import t from 'tap';
import { createDevice, DeviceError, grad, scope, tensor } from '../../engine/index.ts';
import { softCut } from './custom-operations.ts';

try {
  const devices = [await createDevice('webgpu'), await createDevice('reference')] as const;
  using _ = scope();
  const results: number[][] = [];
  for (const device of devices) {
    const values = Float32Array.from({ length: 130 }, (_, i) => (i - 65) / 16);
    const x = tensor(values, [10, 13], { device, requiresGrad: true });
    const y = softCut(x, 0.75);
    const [dx] = grad(y.sum(), [x]);
    results.push([...(await y.array()), ...(await dx!.array())]);
  }
  const worst = Math.max(...results[0]!.map((value, i) => Math.abs(value - results[1]![i]!)));
  t.ok(worst < 1e-6, `values and gradients agree to ${worst}`);
} catch (error) {
  if (!(error instanceof DeviceError)) throw error;
  t.pass('no device', { skip: error.message });
}
