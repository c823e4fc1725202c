// TensorFlow.js on one of its backends: `node tfjs.mjs wasm 2` (threads) or `node tfjs.mjs webgpu`. Tensors are NHWC, the
// layout for which its kernels are written.
import { createRequire } from 'node:module';
import path from 'node:path';
import process from 'node:process';
import { fixedValues, permute, serve } from './protocol.mjs';
import { installWebGpu } from './webgpu.mjs';
import { installWebWorker } from './web-worker.mjs';

const require = createRequire(import.meta.url);
const [backend, threads = '1'] = process.argv.slice(2);

/** Names of the bundle's top level that its threaded module, sent to the workers as text, refers to. */
const bundleNames = `Object.assign(globalThis, {
  require$$0: require('fs'), require$$1: require('path'), require$$3: require('perf_hooks'), require$$4: require('os'),
  commonjsGlobal: globalThis,
});`;

/** The package turns threads off on Node, where its workers do not start. They do where there is a browser's Worker. */
function openWasm(tf) {
  const count = Number(threads);
  const os = require('node:os');
  const cpus = os.cpus();
  os.cpus = () => [...cpus, ...cpus]; // it takes half of the processors at most
  const wasm = require('@tensorflow/tfjs-backend-wasm');
  wasm.setWasmPaths(`${path.dirname(require.resolve('@tensorflow/tfjs-backend-wasm'))}/`);
  wasm.setThreadsCount(count);
  tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', count > 1);
  return () => `SIMD, ${wasm.getThreadsCount()} threads`;
}

async function open() {
  const adapter = backend === 'webgpu' ? await installWebGpu() : undefined;
  if (Number(threads) > 1) installWebWorker(Number(threads), bundleNames);
  const tf = require('@tensorflow/tfjs-core');
  const describe = backend === 'wasm' ? openWasm(tf) : () => '';
  if (backend === 'webgpu') require('@tensorflow/tfjs-backend-webgpu');
  if (!(await tf.setBackend(backend))) throw new Error(`the ${backend} backend did not start`);
  return {
    name: `tfjs-${backend}`,
    version: tf.version_core,
    details: describe(),
    adapter,
    cases: casesOf(tf),
  };
}

function casesOf(tf) {
  /** Waits for the GPU. The wasm backend has ended when a call returns. */
  const finish = async () => {
    if (backend !== 'webgpu') return;
    tf.backend().endComputePassEncoder();
    tf.backend().submitQueue();
    await tf.backend().queue.onSubmittedWorkDone();
  };
  const prepare = ({ batch, inChannels, height, width, outChannels, kernel }, work, layouts) => {
    const image = [batch, inChannels, height, width];
    const weight = [outChannels, inChannels, kernel, kernel];
    const output = [batch, outChannels, height, width];
    const upload = (shape, seed, axes) =>
      tf.tensor(
        permute(
          fixedValues(
            shape.reduce((product, n) => product * n, 1),
            seed,
          ),
          shape,
          axes,
        ),
        axes.map((axis) => shape[axis]),
      );
    const x = upload(image, 1, [0, 2, 3, 1]);
    const w = upload(weight, 2, [2, 3, 1, 0]);
    const dy = upload(output, 3, [0, 2, 3, 1]);
    let last = [];
    return {
      launch() {
        tf.dispose(last);
        last = work(x, w, dy);
      },
      finish,
      results: () => Promise.all(last.map(async (y, i) => permute(await y.data(), y.shape, layouts[i]))),
    };
  };
  const fromNhwc = [0, 3, 1, 2];
  const conv = (x, w) => tf.conv2d(x, w, 1, 'same');
  /** The kernels that its gradient of conv2d runs. The gradient itself is not in the packages installed here. */
  const same = { strides: 1, pad: 'same', dataFormat: 'NHWC' };
  const gradients = (x, w, dy) => [
    tf.engine().runKernel('Conv2DBackpropInput', { dy, filter: w }, { ...same, inputShape: x.shape }),
    tf.engine().runKernel('Conv2DBackpropFilter', { x, dy }, { ...same, filterShape: w.shape }),
  ];
  return {
    'conv2d.forward': (shape) => prepare(shape, (x, w) => [conv(x, w)], [fromNhwc]),
    'conv2d.gradients': (shape) =>
      prepare(shape, (x, w, dy) => [conv(x, w), ...gradients(x, w, dy)], [fromNhwc, fromNhwc, [3, 2, 0, 1]]),
  };
}

await serve(open);
