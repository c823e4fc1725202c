// What `bench quick` measures: each case with its size, its arithmetic and who takes part.
import type { BenchmarkCase } from '../contestants/run.ts';
import { startOurs } from '../contestants/ours.ts';
import { type Entrant, peerNamed } from '../contestants/roster.ts';
import { convFlops, type ConvShape } from '../networks/shapes.ts';
import { type UNetShape, unetShape } from '../networks/unet.ts';

const THREADS = 2;

const wasm: Entrant = { name: 'wgrad', start: () => startOurs('wasm', THREADS) };
const wasmOneThread: Entrant = { name: 'wgrad, 1 thread', start: () => startOurs('wasm', 1) };
const webgpu: Entrant = { name: 'wgrad', start: () => startOurs('webgpu') };
const tfjsWasm = peerNamed('tfjs-wasm', 1);
const tfjsWasmThreads = peerNamed('tfjs-wasm', THREADS, `tfjs-wasm, ${THREADS} threads`);
const tfjsWebgpu = peerNamed('tfjs-webgpu', 1);
const jaxWasm = peerNamed('jax-js-wasm', THREADS);
const jaxWebgpu = peerNamed('jax-js-webgpu', 1);
const gpuJs = peerNamed('gpu.js', 1);
const pytorch = peerNamed('pytorch', THREADS);
const pytorchOneThread = peerNamed('pytorch', 1, 'pytorch, 1 thread');

/** The convolution that stands for all where engines are compared. */
export const referenceShape: ConvShape = {
  batch: 8,
  inChannels: 64,
  height: 64,
  width: 64,
  outChannels: 64,
  kernel: 3,
};

/** Of the U-Net's convolutions, forward, for one image: same size 3x3 pairs, 2x2 up-convolutions, the 1x1 at the end. */
function unetFlops({ size, baseWidth }: UNetShape): number {
  let macs = 0;
  for (let level = 0; level < 5; level++) {
    const [pixels, width] = [(size >> level) ** 2, baseWidth << level];
    const before = level === 0 ? 1 : width / 2;
    macs += 9 * pixels * (before * width + width * width);
    if (level < 4) macs += 9 * pixels * (2 * width * width + width * width) + pixels * 2 * width * width;
  }
  return 2 * (macs + size ** 2 * baseWidth);
}

/** The cases of `bench quick`, in the order in which they run. */
export function quickCases(): BenchmarkCase[] {
  const step = unetShape('laptop');
  const size = '3x3, 8x64x64x64, 64 filters';
  const forward = { benchmark: 'conv2d.forward', shape: referenceShape, flops: convFlops(referenceShape) };
  const gradients = { benchmark: 'conv2d.gradients', shape: referenceShape, flops: 3 * convFlops(referenceShape) };
  return [
    {
      ...forward,
      name: 'conv2d-forward-wasm',
      title: `conv2d forward, ${size}`,
      device: 'wasm',
      ours: wasm,
      peers: [tfjsWasm, tfjsWasmThreads, jaxWasm, gpuJs, pytorch],
    },
    {
      ...gradients,
      name: 'conv2d-gradients-wasm',
      title: `conv2d forward and both gradients, ${size}`,
      device: 'wasm',
      ours: wasm,
      peers: [tfjsWasm, jaxWasm, pytorch],
    },
    {
      name: 'dmtl-step-wasm',
      title: `training step of the dmtl U-Net, laptop preset: batch ${step.batch}, ${step.size}x${step.size}, base width ${step.baseWidth}`,
      device: 'wasm',
      benchmark: 'unet.step',
      shape: step,
      flops: 3 * step.batch * unetFlops(step),
      ours: wasm,
      peers: [wasmOneThread, pytorch, pytorchOneThread],
    },
    {
      ...forward,
      name: 'conv2d-forward-webgpu',
      title: `conv2d forward, ${size}`,
      device: 'webgpu',
      ours: webgpu,
      peers: [tfjsWebgpu, jaxWebgpu],
    },
    {
      ...gradients,
      name: 'conv2d-gradients-webgpu',
      title: `conv2d forward and both gradients, ${size}`,
      device: 'webgpu',
      ours: webgpu,
      peers: [tfjsWebgpu, jaxWebgpu],
    },
  ];
}
