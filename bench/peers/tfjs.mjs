// TensorFlow.js on one of its backends: `node tfjs.mjs wasm 2` (threads), `node tfjs.mjs cpu` or `node tfjs.mjs webgpu`. Tensors
// are NHWC, the layout for which its kernels are written. Leaves out the training steps of other networks than the U-Net.
import { createRequire } from 'node:module';
import path from 'node:path';
import process from 'node:process';
import { completed, fixedValues, operandsOf, permute, serve, sizeOf } from './protocol.mjs';
import { unetStep } from './tfjs-unet.mjs';
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

/**
 * The gradients of its operations, which its package has as modules for bundlers only. They register with the copy in use: its
 * registries are global.
 */
function registerGradients() {
  const { buildSync } = require('esbuild');
  const { outputFiles } = buildSync({
    stdin: {
      contents: "require('@tensorflow/tfjs-core/dist/register_all_gradients')",
      resolveDir: path.dirname(require.resolve('./package.json')),
    },
    ...{ bundle: true, format: 'cjs', platform: 'node', write: false, logLevel: 'error' },
  });
  new Function('require', 'module', outputFiles[0].text)(require, {});
}

async function open() {
  const adapter = backend === 'webgpu' ? await installWebGpu() : undefined;
  if (Number(threads) > 1) installWebWorker(Number(threads), bundleNames);
  const tf = require('@tensorflow/tfjs-core');
  const describe = backend === 'wasm' ? openWasm(tf) : () => '';
  if (backend !== 'wasm') require(`@tensorflow/tfjs-backend-${backend}`);
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
  const prepare = (shape, work, layouts) => {
    const given = completed(shape);
    if (given.groups > 1) throw new Error(`${backend}: tfjs has no convolution in groups`);
    const { image, weight, cotangent } = operandsOf(given);
    const upload = ({ shape, seed }, axes) =>
      tf.tensor(
        permute(fixedValues(sizeOf(shape), seed), shape, axes),
        axes.map((axis) => shape[axis]),
      );
    const x = upload(image, [0, 2, 3, 1]);
    const w = upload(weight, [2, 3, 1, 0]);
    const dy = upload(cotangent, [0, 2, 3, 1]);
    let last = [];
    return {
      launch() {
        tf.dispose(last);
        last = work(x, w, dy, given);
      },
      finish,
      results: () => Promise.all(last.map(async (y, i) => permute(await y.data(), y.shape, layouts[i]))),
    };
  };
  const fromNhwc = [0, 3, 1, 2];
  const conv = (x, w, { stride, padding, dilation }) => tf.conv2d(x, w, stride, padding, 'NHWC', dilation);
  /** The kernels that its gradient of conv2d runs. */
  const gradients = (x, w, dy, { stride: strides, padding: pad, dilation }) => {
    if (dilation > 1) throw new Error('tfjs has no gradient of a dilated convolution');
    const same = { strides, pad, dataFormat: 'NHWC' };
    return [
      tf.engine().runKernel('Conv2DBackpropInput', { dy, filter: w }, { ...same, inputShape: x.shape }),
      tf.engine().runKernel('Conv2DBackpropFilter', { x, dy }, { ...same, filterShape: w.shape }),
    ];
  };
  const has = (kernel) => tf.getKernelsForBackend(backend).some(({ kernelName }) => kernelName === kernel);
  const step = (build) => async (shape) => {
    if (!has('Conv2DBackpropFilter')) {
      throw new Error(`its ${backend} backend has no gradient of a convolution to the weights`);
    }
    if (!build) throw new Error('this network is not written for it: the U-Net stands for the others');
    registerGradients();
    const { launch, check } = build(tf, shape, finish);
    const first = await check();
    return { launch, results: async () => first };
  };
  return {
    'conv2d.forward': (shape) => prepare(shape, (x, w, _, given) => [conv(x, w, given)], [fromNhwc]),
    'conv2d.gradients': (shape) =>
      prepare(shape, (x, w, dy, given) => [conv(x, w, given), ...gradients(x, w, dy, given)], [
        fromNhwc,
        fromNhwc,
        [3, 2, 0, 1],
      ]),
    'unet.step': step(unetStep),
    'multidepth.step': step(),
    'crossStitch.step': step(),
    'denseBlock.step': step(),
  };
}

await serve(open);
