// SSIM as anyone would write it with a convolution: what the fused kernel is compared with, in tests and in benchmarks.
import * as w from '../../engine/index.ts';

/** SSIM as convolutions with the outer product of two Gaussians of deviation 1.5, for images (N, C, H, W). */
export function composedSsim(x: w.Tensor, target: w.Tensor, size: number, padding: number, maxValue: number): w.Tensor {
  const line = Array.from({ length: size }, (_, i) => Math.exp(-((i - (size - 1) / 2) ** 2) / 4.5));
  const total = line.reduce((a, b) => a + b, 0);
  const outer = line.flatMap((a) => line.map((b) => (a * b) / total ** 2));
  const groups = x.shape[1]!;
  const window = w.expand(w.tensor(outer, [1, 1, size, size], { device: x.device }), [groups, 1, size, size]);
  const blur = (image: w.Tensor): w.Tensor => w.conv2d(image, window, undefined, { groups, padding });
  const [c1, c2] = [(0.01 * maxValue) ** 2, (0.03 * maxValue) ** 2];
  const [meanX, meanY] = [blur(x), blur(target)];
  const product = w.mul(meanX, meanY);
  const squares = w.add(w.square(meanX), w.square(meanY));
  const covariance = w.sub(blur(w.mul(x, target)), product);
  const variances = w.sub(blur(w.add(w.square(x), w.square(target))), squares);
  const luminance = w.div(w.affine(product, 2, c1), w.affine(squares, 1, c1));
  return w.mul(luminance, w.div(w.affine(covariance, 2, c2), w.affine(variances, 1, c2)));
}
