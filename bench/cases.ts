// What `bench quick` measures: each case with its size, its arithmetic and who takes part. Commands are those of the peers'
// processes; a list of several is tried in order.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { AbsentError, type CaseShape, type Contestant } from './contestant.ts';
import { type ConvShape, startOurs, trainingStepShape } from './ours.ts';
import { startFirst } from './peer.ts';

const THREADS = 2;
/** Peers that need longer for one repetition do not take part. */
const ANSWER_LIMIT_MS = 30_000;

/** Beside dist in a checkout. An installed package has no such folder. */
const peersFolder = fileURLToPath(import.meta.url.replace(/\/dist\/.*$/, '/bench/peers/'));

/** Starts the first of several commands, each with a script of the peers' folder and its arguments. */
async function startScript(interpreters: readonly string[], script: string, args: readonly string[]) {
  if (!existsSync(peersFolder)) throw new AbsentError('peers run from a checkout of wgrad only');
  return startFirst(
    interpreters.map((interpreter) => [interpreter, peersFolder + script, ...args]),
    ANSWER_LIMIT_MS,
  );
}

/** Someone who may take part; `start` throws AbsentError if not. Entrants stay for all cases that name them. */
export interface Entrant {
  readonly name: string;
  start(): Promise<Contestant>;
}

export interface BenchmarkCase {
  readonly name: string;
  readonly title: string;
  readonly device: 'wasm' | 'webgpu';
  /** What contestants know it by. */
  readonly benchmark: string;
  readonly shape: CaseShape;
  /** Floating-point operations of one repetition. */
  readonly flops: number;
  readonly ours: Entrant;
  readonly peers: readonly Entrant[];
}

const nodePeer = (name: string, script: string, ...args: string[]): Entrant => ({
  name,
  start: () => startScript([process.execPath], script, args),
});

const threads = String(THREADS);
const wasm: Entrant = { name: 'wgrad', start: () => startOurs('wasm', THREADS) };
const wasmOneThread: Entrant = { name: 'wgrad, 1 thread', start: () => startOurs('wasm', 1) };
const webgpu: Entrant = { name: 'wgrad', start: () => startOurs('webgpu') };
// On Node the package allows one thread. With more it runs as in a browser, on workers that peers/web-worker.mjs lends it.
const tfjsWasm = nodePeer('tfjs-wasm', 'tfjs.mjs', 'wasm', '1');
const tfjsWasmThreads = nodePeer(`tfjs-wasm, ${THREADS} threads`, 'tfjs.mjs', 'wasm', threads);
const tfjsWebgpu = nodePeer('tfjs-webgpu', 'tfjs.mjs', 'webgpu');
const jaxWasm = nodePeer('jax-js-wasm', 'jax-js.mjs', 'wasm', threads);
const jaxWebgpu = nodePeer('jax-js-webgpu', 'jax-js.mjs', 'webgpu');
const gpuJs = nodePeer('gpu.js', 'gpu-js.mjs');
// A Python of its own on the path may lack the system's packages.
const pytorchOn = (name: string, threadCount: number): Entrant => ({
  name,
  start: () => startScript(['python3', '/usr/bin/python3'], 'torch_peer.py', [String(threadCount)]),
});
const pytorch = pytorchOn('pytorch', THREADS);
const pytorchOneThread = pytorchOn('pytorch, 1 thread', 1);

const convShape: ConvShape = { batch: 8, inChannels: 64, height: 64, width: 64, outChannels: 64, kernel: 3 };

function convFlops({ batch, inChannels, height, width, outChannels, kernel }: ConvShape): number {
  return 2 * batch * outChannels * height * width * inChannels * kernel * kernel;
}

/** Of the U-Net's convolutions, forward, for one image: same size 3x3 pairs, 2x2 up-convolutions, the 1x1 at the end. */
function unetFlops({ size, baseWidth }: { size: number; baseWidth: number }): number {
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
  const step = trainingStepShape();
  const size = '3x3, 8x64x64x64, 64 filters';
  const forward = { benchmark: 'conv2d.forward', shape: convShape, flops: convFlops(convShape) };
  const gradients = { benchmark: 'conv2d.gradients', shape: convShape, flops: 3 * convFlops(convShape) };
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
