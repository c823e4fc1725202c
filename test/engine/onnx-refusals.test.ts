// ONNX files that are broken, or say what is not supported: each refused in one line with the file, the node and the operator.
import t from 'tap';
import * as w from '../../engine/index.ts';
import type { Tensor } from '../../engine/index.ts';
import { importOnnx } from '../../engine/io/onnx/index.ts';
import { type Graph, modelOf, node, weight, whole } from './onnx-graph.ts';

t.setTimeout(600_000);
const device = await w.createDevice('wasm', { threads: 1 });
w.setDefaultDevice(device);
t.teardown(() => device.dispose());

t.test('what is refused', async (t) => {
  const refuses = (graph: Graph | Uint8Array, message: RegExp) =>
    t.rejects(importOnnx(graph instanceof Uint8Array ? graph : modelOf(graph), { name: 'net.onnx' }), {
      name: 'DataError',
      message,
    });
  const relu = [node('Relu x -> y')];
  const whole17 = modelOf({ nodes: [node('Gemm x w -> y')], weights: [weight('w', [3, 20])] });
  for (const end of [11, 60, whole17.length - 100])
    await refuses(whole17.subarray(0, end), /^net\.onnx: not an ONNX model/);
  await refuses(new TextEncoder().encode('<!doctype html><html>'), /net\.onnx, byte 0: a web page, not an ONNX model/);
  await refuses(
    { nodes: [node('Loop x -> y')] },
    /^net\.onnx: node 'a Loop' \(Loop\): an operator that is not supported/,
  );
  await refuses({ nodes: [node('Relu x -> y', {}, { name: '', domain: 'com.acme' })] }, /the node that makes 'y' \(Relu\): an operator that is not supported, got the domain 'com\.acme'/); // prettier-ignore
  await refuses(
    { nodes: [node('Relu x -> y', { slope: 1 })] },
    /'a Relu' \(Relu\): the attribute 'slope' is not supported/,
  );
  await refuses({ nodes: [node('BatchNormalization x s s s s -> y', { training_mode: 1 })], weights: [weight('s', [3])] }, /\(BatchNormalization\): the attribute 'training_mode' is supported with the value 0 only, got 1/); // prettier-ignore
  await refuses({ nodes: [node('Resize x _ s -> y', { mode: 'cubic' })], weights: [weight('s', [2])] }, /\(Resize\): resizing with the mode 'cubic'/); // prettier-ignore
  await refuses({ nodes: [node('Gemm x w -> y', { transB: 'yes' })], weights: [weight('w', [3, 3])] }, /'transB' is of another type; expected int, got string/); // prettier-ignore
  await refuses(
    { nodes: [node('Add x lost -> y')] },
    /'a Add' \(Add\): its input 'lost' is neither an input, a weight nor made before it/,
  );
  await refuses({ nodes: [node('Relu x -> x')] }, /its output 'x' is there already/);
  await refuses({ nodes: relu, outputs: ['z'] }, /no node makes the output 'z'/);
  await refuses({ nodes: relu, opset: 99 }, /its opset is not read; expected 7 to 24, got 99/);
  await refuses({ nodes: [] }, /without nodes/);
  const short = { ...weight('w', [2, 3]), dims: [3, 3] };
  await refuses({ nodes: [node('Add x w -> y')], weights: [short] }, /the weight 'w': the values do not fill the shape; expected 9 for \[3, 3\], got 6/); // prettier-ignore
  await refuses(
    { nodes: [node('Add x w -> y')], weights: [{ ...short, dims: [-1, 3] }] },
    /the weight 'w': not a shape/,
  );
  await refuses({ nodes: [node('Add x w -> y')], weights: [{ ...short, dataType: 8 }] }, /the weight 'w': an element type that is not read, got type 8/); // prettier-ignore
  const beside = { name: 'w', dims: [3], dataType: 1, location: 1, external: [{ key: 'location', value: '../w.bin' }] };
  await refuses({ nodes: [node('Add x w -> y')], weights: [beside] }, /the weight 'w': its values are in '\.\.\/w\.bin', which cannot be read/); // prettier-ignore

  const runs = async (graph: Graph, x: Tensor, message: RegExp, name = 'DataError') => {
    const module = await importOnnx(modelOf(graph), { name: 'net.onnx' });
    t.throws(() => module.run(x), { name, message });
  };
  const x = w.zeros([2, 3]);
  await runs(
    { nodes: relu },
    w.zeros([2, 4]),
    /the input 'x' does not fit; expected \[2, 3\], float32, got \[2, 4\]/,
    'ShapeError',
  );
  await runs({ nodes: [node('Add x w -> y')], weights: [weight('w', [4])] }, x, /^net\.onnx: node 'a Add' \(Add\): add: shapes do not broadcast/); // prettier-ignore
  await runs(
    { nodes: [node('Reshape x s -> y')], weights: [whole('s', [4, 2])] },
    x,
    /'a Reshape' \(Reshape\): the number of elements changes/,
  );
  await runs(
    { nodes: [node('Cast x -> s', { to: 7 }), node('Reshape x s -> y')] },
    x,
    /\(Reshape\): the shape must not depend on the values/,
  );
  await runs({ nodes: [node('Conv x w -> y', { kernel_shape: [2, 2] })], weights: [weight('w', [1, 3, 3, 3])], inputs: [[1, 3, 5, 5]] }, w.zeros([1, 3, 5, 5]), /'kernel_shape' is not that of the weight; expected \[3, 3\], got \[2, 2\]/); // prettier-ignore
  await runs({ nodes: [node('ConstantOfShape s -> y')], weights: [whole('s', [2 ** 40])] }, x, /'a ConstantOfShape' \(ConstantOfShape\): Invalid array length/); // prettier-ignore
  await t.rejects(importOnnx(modelOf({ nodes: relu }), { strict: true } as never), {
    name: 'ConfigError',
    message: /no such option/,
  });
  t.end();
});
