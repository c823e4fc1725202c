// ONNX Runtime on the processor: `node onnx.mjs web 2` (its WebAssembly build, threads) or `node onnx.mjs node 2` (its native
// build). Runs a model of one convolution, forward only: neither package trains.
import { createRequire } from 'node:module';
import process from 'node:process';
import { TextEncoder } from 'node:util';
import { completed, fixedValues, operandsOf, serve, sizeOf } from './protocol.mjs';

const require = createRequire(import.meta.url);
const [kind, threads = '1'] = process.argv.slice(2);

// A model is a protocol buffer: fields of a number and a type (0: a whole number, 2: bytes with their length before them).
const varint = (value) => (value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))]);
const number = (field, value) => [...varint(8 * field), ...varint(value)];
const bytes = (field, content) => [...varint(8 * field + 2), ...varint(content.length), ...content];
const text = (field, value) => bytes(field, [...new TextEncoder().encode(value)]);

const FLOAT = 1;
const IR_VERSION = 8;
const OPSET = 17;
const attributeTypes = { number: 2, numbers: 7 };

const attribute = (name, values) =>
  bytes(5, [
    ...text(1, name),
    ...(Array.isArray(values)
      ? [...values.flatMap((value) => number(8, value)), ...number(20, attributeTypes.numbers)]
      : [...number(3, values), ...number(20, attributeTypes.number)]),
  ]);

function value(field, name, shape) {
  const dimensions = shape.flatMap((size) => bytes(1, number(1, size)));
  const tensor = [...number(1, FLOAT), ...bytes(2, dimensions)];
  return bytes(field, [...text(1, name), ...bytes(2, bytes(1, tensor))]);
}

/** y = Conv(x, w) with w in the model, as an inference engine wants it. */
function convolutionModel({ kernel, stride, padding, dilation, groups }, { image, weight, cotangent }) {
  const w = fixedValues(sizeOf(weight.shape), weight.seed);
  const node = [
    ...text(1, 'x'),
    ...text(1, 'w'),
    ...text(2, 'y'),
    ...text(4, 'Conv'),
    ...attribute('kernel_shape', [kernel, kernel]),
    ...attribute('strides', [stride, stride]),
    ...attribute('pads', [padding, padding, padding, padding]),
    ...attribute('dilations', [dilation, dilation]),
    ...attribute('group', groups),
  ];
  const values = new Uint8Array(w.buffer);
  const head = [...weight.shape.flatMap((size) => number(1, size)), ...number(2, FLOAT), ...text(8, 'w')];
  const dataHead = [...varint(8 * 9 + 2), ...varint(values.length)];
  const initializer = [...varint(8 * 5 + 2), ...varint(head.length + dataHead.length + values.length)];
  const before = [...bytes(1, node), ...text(2, 'convolution'), ...initializer, ...head, ...dataHead];
  const after = [...value(11, 'x', image.shape), ...value(12, 'y', cotangent.shape)];
  const graph = [...varint(8 * 7 + 2), ...varint(before.length + values.length + after.length)];
  const opset = bytes(8, [...text(1, ''), ...number(2, OPSET)]);
  const start = [...number(1, IR_VERSION), ...opset, ...graph, ...before];
  const model = new Uint8Array(start.length + values.length + after.length);
  model.set(start);
  model.set(values, start.length);
  model.set(after, start.length + values.length);
  return model;
}

async function open() {
  const name = `onnxruntime-${kind}`;
  const ort = require(name);
  const count = Number(threads);
  if (kind === 'web') ort.env.wasm.numThreads = count;
  const options =
    kind === 'web'
      ? { executionProviders: ['wasm'] }
      : { executionProviders: ['cpu'], intraOpNumThreads: count, interOpNumThreads: 1 };
  const forward = async (shape) => {
    const given = completed(shape);
    const operands = operandsOf(given);
    const session = await ort.InferenceSession.create(convolutionModel(given, operands), options);
    const { image } = operands;
    const x = new ort.Tensor('float32', fixedValues(sizeOf(image.shape), image.seed), image.shape);
    let last;
    return {
      launch: async () => {
        last = await session.run({ x });
      },
      results: async () => [last.y.data],
    };
  };
  const version = ort.env.versions[kind] ?? ort.env.versions.common;
  return { name: `ort-${kind}`, version, details: `${threads} threads`, cases: { 'conv2d.forward': forward } };
}

await serve(open);
