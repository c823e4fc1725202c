// The weight gradient of a 1x1 convolution with few output channels: dot products of planes of x and of g as they stand, where
// turning x to channels last would cost more than its products.
import { behind, buffer, words } from '../shared/addresses.as';
import { ceilDivide } from '../shared/integers.as';
import { Product, sumRun } from '../shared/simd.as';
import { Conv2dParams, WeightDotsPlan } from './params.as';

/** Tasks: (split of the images, group, block of input channels), the last fastest. */
export function conv2dWeightDots(params: Conv2dParams, buffers: usize, begin: i32, end: i32): void {
  const p = changetype<WeightDotsPlan>(behind(params));
  const x = buffer(buffers, 0);
  const g = buffer(buffers, 1);
  const target = p.splits > 1 ? buffer(buffers, 3) : buffer(buffers, 2);
  const blocks = ceilDivide(p.channels, p.taskChannels);
  const weights = p.groups * p.rows * p.channels;
  for (let task = begin; task < end; task++) {
    const firstChannel = (task % blocks) * p.taskChannels;
    const endChannel = min(p.channels, firstChannel + p.taskChannels);
    const group = (task / blocks) % p.groups;
    const split = task / (blocks * p.groups);
    const firstImage = (split * p.batch) / p.splits;
    const endImage = ((split + 1) * p.batch) / p.splits;
    for (let row = 0; row < p.rows; row++) {
      const output = group * p.rows + row;
      const to = target + words(split * weights + output * p.channels);
      for (let channel = firstChannel; channel < endChannel; channel++) {
        let total: f64 = 0;
        for (let image = firstImage; image < endImage; image++) {
          const from = x + words((image * p.groups * p.channels + group * p.channels + channel) * p.size);
          const gradient = g + words((image * p.groups * p.rows + output) * p.size);
          total += sumRun<Product>(from, gradient, p.size, 0);
        }
        store<f32>(to + words(channel), <f32>total);
      }
    }
  }
}
