// Graphs that others write: each operator against ONNX Runtime where it is installed, and some against numbers that are known.
import t from 'tap';
import * as w from '../../engine/index.ts';
import type { Tensor } from '../../engine/index.ts';
import { importOnnx, onnxOperators } from '../../engine/io/onnx/index.ts';
import { longs } from '../../engine/io/onnx/graph.ts';
import { DataType, type TensorProto } from '../../engine/io/onnx/messages.ts';
import { type Attributes, type Graph, modelOf, node, weight, whole } from './onnx-graph.ts';
import { distance, openInRuntime, valuesOf, withoutRuntime } from './onnx-peer.ts';

const TOLERANCE = 1e-5;

t.setTimeout(600_000);
const device = await w.createDevice('wasm', { threads: 1 });
w.setDefaultDevice(device);
t.teardown(() => device.dispose());
w.manualSeed(5);

const seen = new Set<string>();

/** Runs a graph here and in the runtime. */
async function agrees(
  graph: Graph,
  name = graph.nodes.map(({ opType }) => opType).join(', '),
): Promise<Record<string, Tensor>> {
  for (const { opType } of graph.nodes) seen.add(opType!);
  const model = modelOf({ ...graph, nodes: graph.nodes.map((each, i) => ({ ...each, name: `${each.name} ${i}` })) });
  const imported = await importOnnx(model);
  const given = (graph.inputs ?? [[2, 3]]).map((shape) => w.randn(shape.map((n) => (typeof n === 'number' ? n : 2))));
  const outputs = imported.run(...given);
  const expected = withoutRuntime ? undefined : await (await openInRuntime(model))(given);
  for (const [key, tensor] of Object.entries(outputs)) {
    if (!expected) continue;
    const d = distance(await valuesOf(tensor), expected[key]!);
    t.ok(d <= TOLERANCE, `${name}, ${key}: ${d}`);
  }
  return outputs;
}

const image = [2, 3, 7, 6];
const filters = [weight('w', [4, 3, 3, 2]), weight('b', [4])];

t.pass('ONNX Runtime is beside', { skip: withoutRuntime });

t.test('windows', async (t) => {
  const strides = { strides: [2, 1] };
  for (const attributes of [
    { auto_pad: 'SAME_UPPER', ...strides },
    { auto_pad: 'SAME_LOWER' },
    { auto_pad: 'VALID' },
  ]) {
    await agrees({ nodes: [node('Conv x w b -> y', attributes)], inputs: [image], weights: filters });
  }
  await agrees({
    nodes: [node('Conv x w -> y', { pads: [1, 0, 2, 1], dilations: [2, 1] })],
    inputs: [image],
    weights: filters,
  });
  await agrees({
    nodes: [node('Conv x w -> y', { pads: [2, 1], group: 3 })],
    inputs: [[1, 3, 9]],
    weights: [weight('w', [6, 1, 4])],
  });
  const up = [weight('w', [3, 2, 3, 2]), weight('b', [4])];
  await agrees({ nodes: [node('ConvTranspose x w b -> y', { strides: [2, 3], output_padding: [1, 0], group: 1, pads: [1, 0, 1, 0] })], inputs: [image], weights: [up[0]!, weight('b', [2])] }); // prettier-ignore
  await agrees({
    nodes: [node('ConvTranspose x w -> y', { strides: [2, 2], pads: [0, 1, 1, 0] })],
    inputs: [image],
    weights: up,
  });
  await agrees({
    nodes: [node('ConvTranspose x w -> y', { strides: [2, 2], auto_pad: 'SAME_UPPER' })],
    inputs: [image],
    weights: up,
  });
  const window = { kernel_shape: [3, 3], strides: [2, 2] };
  await agrees({ nodes: [node('MaxPool x -> y', { ...window, pads: [1, 0, 0, 1], ceil_mode: 1 })], inputs: [image] });
  await agrees({ nodes: [node('MaxPool x -> y i', { ...window, pads: [1, 1, 1, 1] }), node('Mod i n -> m')], inputs: [image], weights: [whole('n', [42], [])], outputs: ['y', 'i int64', 'm int64'] }); // prettier-ignore
  await agrees({ nodes: [node('AveragePool x -> y', { ...window, pads: [1, 0, 2, 1] })], inputs: [image] });
  await agrees({
    nodes: [node('AveragePool x -> y', { ...window, pads: [1, 0, 2, 1], count_include_pad: 1 })],
    inputs: [image],
  });
  await agrees({
    nodes: [node('AveragePool x -> y', { kernel_shape: [2], auto_pad: 'SAME_UPPER' })],
    inputs: [[2, 3, 5]],
  });
  await agrees({
    nodes: [node('GlobalAveragePool x -> a'), node('GlobalMaxPool x -> b'), node('Add a b -> y')],
    inputs: [image],
  });
  t.end();
});

t.test('norms and resizing', async (t) => {
  const four = ['s', 'b', 'm'].map((name) => weight(name, [3]));
  const norm = [...four, weight('v', [3], Float32Array.of(0.5, 1, 2))];
  await agrees({ nodes: [node('BatchNormalization x s b m v -> y', { epsilon: { float: 0.01 }, momentum: { float: 0.9 } })], inputs: [image], weights: norm }); // prettier-ignore
  await agrees({ nodes: [node('InstanceNormalization x s b -> y')], inputs: [image], weights: four });
  await agrees({ nodes: [node('LayerNormalization x s b -> y', { axis: 1 })], inputs: [[4, 3]], weights: four });
  const perGroup = [weight('s', [3]), weight('b', [3])];
  await agrees({
    nodes: [node('GroupNormalization x s b -> y', { num_groups: 3 })],
    inputs: [[2, 6, 4]],
    weights: perGroup,
    opset: 18,
  });
  const scales = [weight('s', [4], Float32Array.of(1, 1, 2, 1.5))];
  for (const nearest_mode of ['floor', 'ceil', 'round_prefer_floor', 'round_prefer_ceil']) {
    for (const coordinate_transformation_mode of ['half_pixel', 'asymmetric', 'align_corners']) {
      const attributes = { mode: 'nearest', nearest_mode, coordinate_transformation_mode };
      await agrees({ nodes: [node('Resize x _ s -> y', attributes)], inputs: [image], weights: scales }, `Resize ${nearest_mode} ${coordinate_transformation_mode}`); // prettier-ignore
    }
  }
  for (const coordinate_transformation_mode of ['half_pixel', 'pytorch_half_pixel', 'align_corners']) {
    const attributes = { mode: 'linear', coordinate_transformation_mode };
    await agrees({ nodes: [node('Resize x _ s -> y', attributes)], inputs: [image], weights: scales });
    await agrees({
      nodes: [node('Resize x _ _ n -> y', attributes)],
      inputs: [image],
      weights: [whole('n', [2, 3, 4, 9])],
    });
  }
  await agrees({ nodes: [node('Resize x _ _ n -> y', { axes: [2, 3], mode: 'linear' })], inputs: [image], weights: [whole('n', [3, 9])], opset: 18 }); // prettier-ignore
  await agrees({ nodes: [node('Upsample x s -> y')], inputs: [image], weights: scales, opset: 9 });
  await agrees({ nodes: [node('DepthToSpace x -> a', { blocksize: 2 }), node('DepthToSpace x -> b', { blocksize: 2, mode: 'CRD' })], inputs: [[1, 8, 2, 3]], outputs: ['a', 'b'] }); // prettier-ignore
  t.end();
});

t.test('elements', async (t) => {
  const plain = [
    'Neg',
    'Abs',
    'Sign',
    'Exp',
    'Sin',
    'Cos',
    'Erf',
    'Floor',
    'Ceil',
    'Round',
    'Reciprocal',
    'Relu',
    'Sigmoid',
    'Tanh',
  ];
  const shaped = [
    'Softplus',
    'HardSwish',
    'Mish',
    'Identity',
    'LeakyRelu',
    'Elu',
    'Selu',
    'HardSigmoid',
    'Softmax',
    'LogSoftmax',
  ];
  const names = [...plain, ...shaped];
  await agrees(
    { nodes: names.map((op, i) => node(`${op} x -> y${i}`)), outputs: names.map((_, i) => `y${i}`), opset: 18 },
    'curves',
  );
  await agrees({
    nodes: [node('Gelu x -> a'), node('Gelu x -> b', { approximate: 'tanh' })],
    outputs: ['a', 'b'],
    opset: 20,
  });
  const pairs = ['Add', 'Sub', 'Mul', 'Div', 'Max', 'Min', 'PRelu'];
  await agrees({ nodes: pairs.map((op, i) => node(`${op} x w -> y${i}`)), weights: [weight('w', [1, 4])], inputs: [[2, 3, 1, 4]], outputs: pairs.map((_, i) => `y${i}`) }, 'pairs'); // prettier-ignore
  const compared = ['Equal', 'Less', 'LessOrEqual', 'Greater', 'GreaterOrEqual'];
  await agrees({
    nodes: [
      ...compared.map((op, i) => node(`${op} x x1 -> c${i}`)),
      ...[node('Not c1 -> n'), node('And c2 n -> a'), node('Or c3 a -> o'), node('Where o x x1 -> y'), node('Cast a -> f', { to: 1 })],
    ],
    inputs: [[2, 3], [2, 1]],
    outputs: [...compared.map((_, i) => `c${i} bool`), 'n bool', 'a bool', 'o bool', 'y', 'f'],
  }); // prettier-ignore
  await agrees({
    nodes: [
      ...[
        node('Abs x -> a'),
        node('Sqrt a -> q'),
        node('Log a -> l'),
        node('Constant -> two', { value: longs([2], []) }),
      ],
      ...[node('Cast two -> t', { to: 1 }), node('Pow x t -> p'), node('Clip x lo hi -> c'), node('Clip x _ hi -> d')],
      ...[node('Sum x q l -> s'), node('Mean x q -> m'), node('Dropout m r -> y')],
    ],
    weights: [
      weight('lo', [], Float32Array.of(-0.2)),
      weight('hi', [], Float32Array.of(0.7)),
      weight('r', [], Float32Array.of(0.5)),
    ],
    outputs: ['p', 'c', 'd', 's', 'y'],
  });
  t.end();
});

t.test('shapes and moves', async (t) => {
  // As PyTorch writes x.view(x.size(0), -1): the shape is computed in the graph.
  const viewed = await agrees({
    nodes: [
      ...[node('Shape x -> s'), node('Gather s zero -> n', { axis: 0 }), node('Unsqueeze n first -> u')],
      ...[node('Concat u rest -> shape', { axis: 0 }), node('Reshape x shape -> y'), node('Flatten x -> f', { axis: 2 })],
      ...[node('Size x -> size'), node('Div size six -> half'), node('Cast half -> h', { to: 1 }), node('Mul y h -> z')],
      ...[node('Slice s one two -> part'), node('ReduceProd part -> product'), node('Range zero n step -> range')],
      ...[node('Cast range -> r', { to: 1 }), node('Squeeze u first -> q'), node('Mul q product -> count'), node('Cast count -> k', { to: 1 }), node('Add k r -> v')],
      ...[node('ConstantOfShape s -> zeros'), node('Add zeros x -> same'), node('Expand one part -> ones'), node('Cast ones -> o', { to: 1 }), node('Mul o x -> w')],
    ],
    inputs: [['n', 3, 4]],
    weights: [whole('zero', [0], []), whole('first', [0]), whole('one', [1]), whole('two', [3]), whole('rest', [-1]), whole('six', [6], []), whole('step', [1], [])],
    outputs: ['y', 'f', 'z', 'v', 'same', 'w'],
  }, 'computed shapes'); // prettier-ignore
  t.same([viewed.y!.shape, viewed.f!.shape], [[2, 12], [6, 4]]); // prettier-ignore
  const shape = [2, 3, 4];
  const run = (text: string, attributes: Attributes = {}, weights: TensorProto[] = [], opset = 17, outputs = ['y']) =>
    agrees({ nodes: [node(text, attributes)], inputs: [shape], weights, outputs, opset }, `${text} of opset ${opset}`);
  await run('Transpose x -> y');
  await run('Transpose x -> y', { perm: [1, 2, 0] });
  await run('Concat x x w -> y', { axis: -1 }, [weight('w', [2, 3, 1])]);
  await run('Split x -> y z', { axis: 2 }, [], 17, ['y', 'z']);
  await run('Split x n -> y z', { axis: 1 }, [whole('n', [1, 2])], 17, ['y', 'z']);
  await run('Slice x s e a d -> y', {}, [
    whole('s', [-1, 0]),
    whole('e', [-100, 9]),
    whole('a', [2, 1]),
    whole('d', [-2, 2]),
  ]);
  await run('Gather x i -> y', { axis: 1 }, [whole('i', [2, -1, 0, 1], [2, 2])]);
  await run('GatherElements x i -> y', { axis: 2 }, [
    whole(
      'i',
      Array.from({ length: 12 }, (_, i) => i % 4),
      [2, 3, 2],
    ),
  ]);
  await run('ScatterElements x i u -> y', { axis: 1 }, [
    whole('i', [1, 0, 2, 1, 0, 0, 1, 2], [2, 1, 4]),
    weight('u', [2, 1, 4]),
  ]);
  await run('ScatterElements x i u -> y', { axis: 1, reduction: 'add' }, [whole('i', new Array(8).fill(1), [2, 1, 4]), weight('u', [2, 1, 4])]); // prettier-ignore
  await run('Unsqueeze x a -> y', {}, [whole('a', [0, -1])]);
  await run('Tile x r -> y', {}, [whole('r', [2, 1, 3])]);
  await run('Pad x p v -> y', {}, [whole('p', [0, 1, -1, 0, 2, 3]), weight('v', [], Float32Array.of(0.5))]);
  await run('Pad x p -> y', { mode: 'edge' }, [whole('p', [0, 1, 2, 0, 0, 1])]);
  await run('Pad x p -> y', { mode: 'reflect' }, [whole('p', [0, 0, 2, 0, 1, 1])]);
  await run('Softmax x -> y', { axis: 1 }, [], 11);
  const reductions = ['ReduceSum', 'ReduceMean', 'ReduceMax', 'ReduceMin', 'ReduceProd', 'ReduceL1', 'ReduceL2', 'ReduceSumSquare', 'ReduceLogSumExp']; // prettier-ignore
  for (const op of reductions.slice(1)) await run(`${op} x -> y`, { axes: [0, -1], keepdims: 0 });
  for (const op of reductions) await run(`${op} x a -> y`, {}, [whole('a', [1])], 18);
  await run('ReduceSum x -> y', { keepdims: 0 });
  await run('ArgMax x -> y', { axis: 2 }, [], 17, ['y int64']);
  await run('ArgMin x -> y', { axis: 1, keepdims: 0 }, [], 17, ['y int64']);
  await run('CumSum x a -> y', { reverse: 1 }, [whole('a', [1], [])]);
  await run('TopK x k -> y i', { axis: 1, largest: 0 }, [whole('k', [2])], 17, ['y', 'i int64']);
  await run('MatMul x w -> y', {}, [weight('w', [2, 4, 5])]);
  await run('Einsum x w -> y', { equation: 'bij,jk->bik' }, [weight('w', [4, 5])]);
  const gemm = { alpha: { float: 0.5 }, beta: { float: 2 }, transA: 1 };
  await agrees({ nodes: [node('Gemm x w c -> y', gemm)], weights: [weight('w', [2, 4]), weight('c', [3, 1])] });
  await agrees({ nodes: [node('Gemm x w c -> y', { transB: 1 })], weights: [weight('w', [4, 3]), weight('c', [4])] });
  t.end();
});

t.test('weights of other types, in lists', async (t) => {
  const half = { name: 'w', dims: [2], dataType: DataType.float16, ints: [0x3c00, 0xc100] };
  const double = { name: 'd', dims: [2], dataType: DataType.double, doubles: [0.25, -8] };
  const floats = { name: 'f', dims: [2], dataType: DataType.float, floats: [1, 2] };
  const model = modelOf({ nodes: [node('Add x w -> a'), node('Add a d -> b'), node('Add b f -> y')], inputs: [['n', 2]], weights: [half, double, floats] }); // prettier-ignore
  const imported = await importOnnx(model, { trainable: (name) => name !== 'd' });
  t.same([...imported.namedParameters()].map(([name]) => name), ['w', 'f']); // prettier-ignore
  t.same(Array.from(await imported.forward(w.zeros([1, 2])).array()), [2.25, -8.5]);
  t.end();
});

t.test('it trains', async (t) => {
  const graph = { nodes: [node('Gemm x layer.weight layer.bias -> h', { transB: 1 }), node('Tanh h -> y')], weights: [weight('layer.weight', [2, 3]), weight('layer.bias', [2])] }; // prettier-ignore
  const module = await importOnnx(modelOf({ ...graph, inputs: [['n', 3]] }));
  t.same([...(await module.stateDict()).keys()], ['layer.weight', 'layer.bias']);
  const optimizer = new w.Adam(module.parameters(), { lr: 0.05 });
  const [x, target] = [w.randn([8, 3]), w.full([8, 2], 0.5)];
  const losses: number[] = [];
  for (let step = 0; step < 60; step++) {
    using _ = w.scope();
    const loss = w.mseLoss(module.forward(x), target);
    optimizer.zeroGrad();
    loss.backward();
    optimizer.step();
    losses.push(await loss.item());
  }
  t.ok(losses.at(-1)! < losses[0]! / 3, `${losses[0]} to ${losses.at(-1)}`);
  t.end();
});

t.test('every operator has been seen', (t) => {
  t.same(onnxOperators.filter((name) => !seen.has(name)), []); // prettier-ignore
  t.end();
});
