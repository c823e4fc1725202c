// jax-js on one of its backends: `node jax-js.mjs wasm 2` (threads) or `node jax-js.mjs webgpu`. Without `jit`, under which
// its convolutions are slower (several times on wasm). `.ref` keeps an argument alive that a call would consume.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import process from 'node:process';
import { completed, fixedValues, operandsOf, serve, sizeOf } from './protocol.mjs';
import { unetStep } from './jax-unet.mjs';
import { installWebGpu } from './webgpu.mjs';
import { installWebWorker } from './web-worker.mjs';

const [backend, threads = '1'] = process.argv.slice(2);

function packageVersion() {
  const entry = createRequire(import.meta.url).resolve('@jax-js/jax');
  return JSON.parse(readFileSync(`${entry.slice(0, entry.lastIndexOf('/dist/'))}/package.json`, 'utf8')).version;
}

async function open() {
  const adapter = backend === 'webgpu' ? await installWebGpu() : undefined;
  if (adapter === undefined) installWebWorker(Number(threads));
  const jax = await import('@jax-js/jax');
  if (!(await jax.init(backend)).includes(backend)) throw new Error(`the ${backend} backend did not start`);
  jax.defaultDevice(backend);
  const details = backend === 'wasm' ? `SIMD, ${threads} threads` : '';
  return { name: `jax-js-${backend}`, version: packageVersion(), details, adapter, cases: casesOf(jax) };
}

function casesOf(jax) {
  const { numpy, lax, vjp } = jax;
  const prepare = (shape, work) => {
    const given = completed(shape);
    const { image, weight, cotangent } = operandsOf(given);
    const upload = ({ shape, seed }) => numpy.array(fixedValues(sizeOf(shape), seed), { shape });
    const [x, w, dy] = [upload(image), upload(weight), upload(cotangent)];
    const { stride, padding, dilation, groups } = given;
    const options = { rhsDilation: [dilation, dilation], featureGroupCount: groups };
    const pads = [padding, padding];
    const conv = (x, w) => lax.convGeneralDilated(x, w, [stride, stride], [pads, pads], options);
    let launched = []; // all are kept until they are done: an array that is disposed of earlier is never computed
    let last = [];
    return {
      launch: () => launched.push(work(conv, x, w, dy)),
      async finish() {
        await jax.blockUntilReady(launched);
        for (const array of last) array.dispose();
        last = launched.pop();
        for (const array of launched.flat()) array.dispose();
        launched = [];
      },
      results: () => Promise.all(last.map((array) => array.ref.data())),
    };
  };
  const notWritten = () => {
    throw new Error('this network is not written for it: the U-Net stands for the others');
  };
  return {
    'unet.step': async (shape) => {
      const { launch, check } = unetStep(jax, shape);
      const first = await check();
      return { launch, results: async () => first };
    },
    'multidepth.step': notWritten,
    'crossStitch.step': notWritten,
    'denseBlock.step': notWritten,
    'conv2d.forward': (shape) => prepare(shape, (conv, x, w) => [conv(x.ref, w.ref)]),
    'conv2d.gradients': (shape) =>
      prepare(shape, (conv, x, w, dy) => {
        const [y, pullBack] = vjp(conv, [x.ref, w.ref]);
        const gradients = pullBack(dy.ref);
        pullBack.dispose();
        return [y, ...gradients];
      }),
  };
}

await serve(open);
