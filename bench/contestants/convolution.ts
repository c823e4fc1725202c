// Convolutions as benchmarks, through the operations that a network calls: forward, or forward and both gradients.
import { conv2d, type Device, grad, scope, type Tensor } from '../../engine/index.ts';
import type { CaseShape } from '../peers/protocol.mjs';
import type { PreparedWork } from './contestant.ts';
import { completed, type ConvShape } from '../networks/shapes.ts';
import { fixedTensor, SEEDS } from '../networks/step.ts';

export function convolution(device: Device, shape: CaseShape, gradients: boolean): PreparedWork {
  const { batch, inChannels, height, width, outChannels, kernel, stride, padding, dilation, groups } = completed(
    shape as ConvShape,
  );
  const x = fixedTensor([batch, inChannels, height, width], SEEDS.image, device).requireGrad(gradients);
  const w = fixedTensor([outChannels, inChannels / groups, kernel, kernel], SEEDS.other, device).requireGrad(gradients);
  const forward = (): Tensor => conv2d(x, w, undefined, { stride, padding, dilation, groups });
  let dy: Tensor | undefined;
  let last: Tensor[] = [];
  return {
    launch() {
      for (const result of last) result.dispose();
      using step = scope();
      const y = forward();
      if (gradients) dy ??= step.keep(fixedTensor(y.shape, SEEDS.cotangent, device));
      const results = dy ? [y, ...grad(y, [x, w], { gradOutputs: [dy] })] : [y];
      last = results.map((result) => step.keep(result.detach()));
    },
    finish: () => device.synchronize(),
    results: () => Promise.all(last.map((result) => result.array())),
    dispose: () => [x, w, ...(dy ? [dy] : []), ...last].forEach((each) => each.dispose()),
  };
}
