// The norm of gradients by which they are clipped, where its powers leave the range of float32.
import t from 'tap';
import { clipGradNorm, createDevice, parameter, scope, setDefaultDevice, tensor } from '../../engine/index.ts';

const sizes = [1e-37, 1e-30, 1e-20, 1, 1e10, 1e20, 1e30, 1e37];

for (const name of ['reference', 'wasm'] as const) {
  t.test(name, async (t) => {
    const device = await createDevice(name);
    setDefaultDevice(device);
    const isClose = (actual: number, expected: number): boolean =>
      Math.abs(actual - expected) <= 1e-5 * Math.abs(expected) + 1e-44;
    for (const size of sizes) {
      for (const normType of [1, 1.5, 2, 3, Infinity]) {
        using _ = scope();
        const values = [[3 * size, -4 * size, 0], [12 * size]];
        const parameters = values.map((each) => parameter(each, [each.length]));
        parameters.forEach((each, k) => {
          each.grad = tensor(values[k]!, each.shape).alias();
        });
        const sizesOf = values.flat().map((value) => Math.abs(value) / size);
        const norm =
          size *
          (normType === Infinity
            ? Math.max(...sizesOf)
            : sizesOf.reduce((sum, value) => sum + value ** normType, 0) ** (1 / normType));
        const found = await clipGradNorm(parameters, 2, { normType }).item();
        t.ok(isClose(found, norm), `norm ${normType} of ${size}: ${found} for ${norm}`);
        const factor = Math.min(1, 2 / (norm + 1e-6));
        for (const [k, each] of parameters.entries()) {
          const clipped = [...(await each.grad!.array())];
          t.ok(
            clipped.every((value, i) => isClose(value, values[k]![i]! * factor)),
            `clipped ${normType} of ${size}: ${clipped}`,
          );
          each.dispose();
        }
      }
    }
    device.dispose();
  });
}
