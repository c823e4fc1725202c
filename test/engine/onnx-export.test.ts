// Modules to ONNX and back: the import of an export gives the outputs and the gradients of the original, and ONNX Runtime gives the
// outputs too, where it is installed.
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import t, { type Test } from 'tap';
import * as w from '../../engine/index.ts';
import { nn, type Tensor } from '../../engine/index.ts';
import { translations } from '../../engine/io/onnx/export.ts';
import { exportOnnx, type ExportOnnxOptions, importOnnx, type OnnxInput } from '../../engine/io/onnx/index.ts';
import { distance, openInRuntime, valuesOf, withoutRuntime } from './onnx-peer.ts';

const TOLERANCE = 1e-5;

t.setTimeout(600_000);
const device = await w.createDevice('wasm', { threads: 1 });
w.setDefaultDevice(device);
t.teardown(() => device.dispose());
w.manualSeed(3);

/** A module of one function, with whatever else it is given for members. */
class Net<M extends Record<string, nn.Module | w.Parameter>> extends nn.Module {
  readonly #run: (members: M, ...inputs: Tensor[]) => Tensor | Tensor[];

  constructor(members: M, run: (members: M, ...inputs: Tensor[]) => Tensor | Tensor[]) {
    super();
    Object.assign(this, members);
    this.#run = run;
  }

  forward(...inputs: Tensor[]): Tensor | Tensor[] {
    return this.#run(this as unknown as M, ...inputs);
  }
}

const flat = (result: unknown): Tensor[] =>
  result instanceof w.Tensor ? [result] : Object.values(result as Record<string, Tensor>).flatMap(flat);

/** Statistics that no layer starts with, so that they are seen. */
function stir(module: nn.Module): void {
  for (const [name, value] of module.namedState()) {
    if (!(value instanceof nn.Buffer)) continue;
    const values = Float32Array.from({ length: value.size }, (_, i) =>
      name.endsWith('var') ? 0.5 + 0.3 * i : 0.1 * i - 0.2,
    );
    value.device.write(value.storage, values);
  }
}

function inputFor(given: OnnxInput, batch?: number): Tensor {
  const { shape, dtype } = { dtype: 'float32', ...('shape' in given ? given : { shape: given }) };
  const sizes = batch === undefined ? shape : shape.with(0, batch);
  const count = sizes.reduce((a, b) => a * b, 1);
  return dtype === 'int32'
    ? w.tensor(
        Int32Array.from({ length: count }, (_, i) => (3 * i + 1) % 5),
        sizes,
      )
    : w.randn(sizes);
}

/** Outputs, and the gradients of floats among the inputs and of all parameters under fixed random cotangents. */
async function outputsAndGradients(module: nn.Module, run: () => Tensor[], inputs: readonly Tensor[]) {
  module.zeroGrad();
  for (const x of inputs) {
    x.grad?.dispose();
    x.grad = undefined;
  }
  const outputs = run();
  const loss = outputs
    .filter(({ tracked }) => tracked)
    .map((y, i) =>
      y
        .mul(
          w.tensor(
            Float32Array.from({ length: y.size }, (_, k) => Math.sin(3 * k + i)),
            y.shape,
          ),
        )
        .sum(),
    )
    .reduce((a, b) => a.add(b));
  loss.backward();
  const named: [string, Tensor][] = inputs.flatMap((x, i) =>
    x.grad ? [[`input ${i}`, x.grad] as [string, Tensor]] : [],
  );
  for (const [name, parameter] of module.namedParameters()) if (parameter.grad) named.push([name, parameter.grad]);
  return {
    outputs: await Promise.all(outputs.map(valuesOf)),
    gradients: new Map(await Promise.all(named.map(async ([name, x]) => [name, await valuesOf(x)] as const))),
  };
}

/** Exports a module, and compares what comes back with it. */
async function roundTrip(
  t: Test,
  name: string,
  module: nn.Module & { forward(...inputs: Tensor[]): unknown },
  inputs: readonly OnnxInput[],
  options: ExportOnnxOptions & { noGradient?: boolean } = {},
): Promise<void> {
  await t.test(name, async (t) => {
    const { noGradient, ...exportOptions } = options;
    stir(module.train());
    const { model, outputs } = await exportOnnx(module, inputs, exportOptions);
    t.equal(module.training, true, 'the module is in its mode as before');
    module.eval();
    const imported = await importOnnx(model);
    const runtime = withoutRuntime ? undefined : await openInRuntime(model);
    for (const batch of exportOptions.dynamicBatch ? [1, 4] : [undefined]) {
      using _ = w.scope();
      const given = inputs.map((each) => inputFor(each, batch));
      if (!noGradient) for (const x of given) if (x.dtype === 'float32') x.requireGrad();
      const before = noGradient
        ? { outputs: await Promise.all(flat(w.noGrad(() => module.forward(...given))).map(valuesOf)) }
        : await outputsAndGradients(module, () => flat(module.forward(...given)), given);
      const runImported = () => Object.values(imported.run(...given));
      const after = noGradient
        ? { outputs: await Promise.all(w.noGrad(runImported).map(valuesOf)) }
        : await outputsAndGradients(imported, runImported, given);
      before.outputs.forEach((values, i) =>
        t.ok(distance(after.outputs[i]!, values) <= TOLERANCE, `output ${i}: ${distance(after.outputs[i]!, values)}`),
      );
      if ('gradients' in before && 'gradients' in after) {
        t.same([...after.gradients.keys()].sort(), [...before.gradients.keys()].sort(), 'the same parameters train');
        for (const [key, values] of before.gradients) {
          const d = distance(after.gradients.get(key)!, values);
          t.ok(d <= TOLERANCE, `gradient of ${key}: ${d}`);
        }
      }
      const results = await runtime?.(given);
      for (const [i, values] of results ? before.outputs.entries() : []) {
        const d = distance(results![outputs[i]!]!, values);
        t.ok(d <= TOLERANCE, `output ${i} of ONNX Runtime: ${d}`);
      }
    }
    module.dispose();
    imported.dispose();
  });
}

t.test('layers', async (t) => {
  const { Sequential, Conv2d, BatchNorm2d, ReLU, Linear, Flatten } = nn;
  const images = new Sequential(
    new Conv2d(3, 4, 3, { padding: 1, stride: 2 }),
    new BatchNorm2d(4),
    new ReLU(),
    new Conv2d(4, 4, 3, { padding: 2, dilation: 2, groups: 2, bias: false }),
    new nn.ConvTranspose2d(4, 3, 3, { stride: 2, padding: 1, outputPadding: 1 }),
    new nn.Dropout(0.5),
    new Flatten(),
    new Linear(3 * 10 * 8, 5),
  );
  await roundTrip(t, 'convolutions', images, [[2, 3, 10, 8]], { dynamicBatch: true });
  const text = new Net(
    {
      embed: new nn.Embedding(5, 8),
      attend: new nn.MultiHeadAttention(8, 2),
      norm: new nn.LayerNorm([8]),
      up: new Linear(8, 6),
    },
    (m, index) => {
      const x = m.embed.forward(index!);
      const y = m.norm.forward(x.add(m.attend.forward(x, x, x, { isCausal: true })));
      return w.gelu(m.up.forward(y)).softmax(-1);
    },
  );
  await roundTrip(t, 'attention', text, [{ shape: [2, 5], dtype: 'int32' }], { dynamicBatch: true });
  const norms = new Sequential(
    new nn.GroupNorm(2, 4),
    new nn.InstanceNorm2d(4, { affine: true }),
    new nn.PReLU(4),
    new nn.SiLU(),
  );
  await roundTrip(t, 'norms', norms, [[2, 4, 5, 6]], { dynamicBatch: true, opset: 22 });
});

t.test('images', async (t) => {
  const ofX = (f: (x: Tensor) => Tensor | Tensor[]) =>
    new Net({ scale: w.parameter([1.5], [1]) }, ({ scale }, x) => f(x!.mul(scale)));
  const pools = ofX((x) => [
    w.maxPool2d(x, 3, { stride: 2, padding: 1, ceilMode: true }),
    w.avgPool2d(x, 3, { stride: 2, padding: 1, ceilMode: true }),
    w.avgPool2d(x, [2, 3], { stride: 2, ceilMode: true, countIncludePad: false }),
    w.adaptiveAvgPool2d(x, 1),
    w.adaptiveAvgPool2d(x, [3, 4]),
    w.adaptiveMaxPool2d(x, [4, 3]),
    ...w.pyramidPool2d(x, [1, 2, 3], { rule: 'fixedKernel' }),
    w.conv1d(w.mean(x, 3), w.ones([2, 3, 3]), undefined, { padding: 1 }),
  ]);
  await roundTrip(t, 'pooling', pools, [[2, 3, 8, 9]], { dynamicBatch: true });
  const unpool = ofX((x) => {
    const { values, indices } = w.maxPool2d(x, 2, { returnIndices: true });
    return w.maxUnpool2d(values, indices, [8, 6]);
  });
  await roundTrip(t, 'unpooling', unpool, [[2, 3, 8, 6]], { dynamicBatch: true });
  const sizes = ofX((x) => [
    w.interpolate(x, { scaleFactor: 2 }),
    w.interpolate(x, { size: [7, 11] }),
    w.interpolate(x, { mode: 'bilinear', size: [13, 14], alignCorners: true }),
    w.interpolate(x, { mode: 'bilinear', size: [13, 4] }),
    w.interpolate(x, { mode: 'bilinear', scaleFactor: 1.7 }),
  ]);
  await roundTrip(t, 'resizing', sizes, [[2, 3, 6, 5]], { dynamicBatch: true });
});

t.test('operations', async (t) => {
  const ofX = (f: (x: Tensor) => Tensor[]) => new Net({}, (_, x) => f(x!));
  const curves = ofX((x) => {
    const positive = w.add(w.abs(x), 0.3);
    return [
      ...[w.neg, w.exp, w.sigmoid, w.tanh, w.sin, w.cos, w.erf, w.relu, w.silu, w.square, w.elu].map((f) => f(x)),
      ...[w.log, w.sqrt, w.rsqrt, w.reciprocal, w.log1p].map((f) => f(positive)),
      ...[w.leakyRelu(x, 0.2), w.gelu(x), w.gelu(x, 'tanh'), w.softplus(x), w.softplus(x, 2, 1), w.affine(x, -1, 2)],
      ...[w.clamp(x, { min: -0.5, max: 1 }), w.clamp(x, { min: 0 }), w.clamp(x, { max: 0.2 }), w.pow(x, 3)],
      ...[w.maximum(x, 0.1), w.minimum(x, positive), w.pow(positive, x), w.div(x, positive), w.sub(1, x)],
      ...[
        w.where(w.gt(x, 0), x, w.mul(x, 2)),
        w.where(w.ne(w.floor(x), 0), w.ceil(x), w.round(x)),
        w.sign(x),
        w.erfc(x),
      ],
    ];
  });
  await roundTrip(t, 'curves', curves, [[2, 5, 7]], { dynamicBatch: true });
  await roundTrip(t, 'curves of opset 20', curves, [[2, 3]], { opset: 20 });
  const rows = ofX((x) => [
    w.sum(x, [1, 2]),
    w.mean(x, 2, { keepdim: true }),
    w.amax(x, 1),
    w.amin(x, [0, 2]),
    w.variance(x, [1, 2]),
    w.logSumExp(x, 2),
    w.logSoftmax(x, 1),
    w.softmax(x, -1),
    w.cumsum(x, 1),
    w.topk(x, 2, -1).values,
    w.max(x, 1).values,
    w.norm(x, 2),
    w.matmul(x, x, { transposeB: true }),
    w.bmm(x, x, { transposeA: true }),
    w.einsum('bij,kj->bik', [x, w.ones([2, 4])]),
  ]);
  await roundTrip(t, 'rows', rows, [[2, 3, 4]]);
  await roundTrip(t, 'rows of opset 18', rows, [[2, 3, 4]], { opset: 18 });
  const moves = ofX((x) => [
    w.permute(x, [2, 0, 1]),
    w.flip(x, [1]),
    w.slice(x, [null, [1, null, 2]]),
    w.pad(x, [1, 2, 0, 1], 'constant', 0.5),
    w.pad(x, [1, 2], 'reflect'),
    w.cat([x, w.mul(x, 2)], 1),
    ...w.split(x, [1, 2, 1], 2),
    w.stack([x, x], 1),
    w.expand(w.mean(x, 1, { keepdim: true }), [-1, 5, -1]),
    w.indexSelect(x, 1, w.tensor(Int32Array.of(2, 0))),
    w.add(x, w.full(x.shape, 2)),
    w.reshape(x, [-1, 4]),
    w.mul(w.zeros([x.shape[0]!, 1, 1]), x),
  ]);
  await roundTrip(t, 'moves', moves, [[2, 3, 4]], { dynamicBatch: true });
  const indices = ofX((x) => [
    w.cast(w.argmax(x, 1), 'float32'),
    w.argmin(x, 2, { keepdim: true }),
    w.sort(x, 1, { descending: true }).indices,
    w.le(x, 0),
    w.scatterAdd(x, 1, w.argmax(w.stack([x, x, x], 1), 1), 3),
  ]);
  await roundTrip(t, 'indices', indices, [[2, 3, 4]], { noGradient: true });
});

// A new operation is written as nodes in engine/io/onnx/to, or joins these: gradients, losses, and what is free.
const withoutCounterpart = [
  ...[
    'activationBackward',
    'reluGrad',
    'leakyReluGrad',
    'sigmoidGrad',
    'tanhGrad',
    'softmaxBackward',
    'batchNormBackward',
  ],
  ...[
    'conv2dWeightGradient',
    'avgPool2dBackward',
    'adaptiveAvgPool2dBackward',
    'maxPool2dBackward',
    'pyramidPool2dBackward',
  ],
  ...['interpolateBackward', 'crossEntropyBackward', 'ssimMapBackward', 'binaryCrossEntropySlope'],
  ...['binaryCrossEntropy', 'crossEntropy', 'ssimMap', 'recurrence', 'reshape', 'relabel'],
];

t.test('every other operation has a counterpart', (t) => {
  const own = w.registry().filter(({ composite }) => !composite);
  const missing = own.filter(({ name }) => !Object.hasOwn(translations, name)).map(({ name }) => name);
  t.same(missing.sort(), withoutCounterpart.sort());
  t.same(Object.keys(translations).filter((name) => !own.some((each) => each.name === name)), [], 'and no other is written'); // prettier-ignore
  t.end();
});

t.test('tensors that are not in the state', async (t) => {
  const mask = w.tensor([[1, 0, 2]]);
  const module = new Net({ up: new nn.Linear(3, 2) }, ({ up }, x) => up.forward(w.mul(w.softmax(mask, 1), x!)));
  await roundTrip(t, 'a mask', module, [[2, 3]], { dynamicBatch: true });
  t.notOk(mask.disposed);
});

t.test('weights in a file of their own', async (t) => {
  const module = new nn.Sequential(new nn.Linear(32, 16), new nn.ReLU(), new nn.Linear(16, 2, { bias: false }));
  const folder = t.testdir();
  const { model, weights, inputs, outputs } = await exportOnnx(module, [[1, 32]], {
    external: 'net.bin',
    dynamicBatch: true,
  });
  t.same([inputs, outputs, weights!.length], [['input'], ['output'], 4 * 32 * 16], 'small tensors stay in the model');
  const file = path.join(folder, 'net.onnx');
  await writeFile(file, model);
  await t.rejects(importOnnx(file), {
    name: 'DataError',
    message: /the weight '0\.weight': its values are in 'net\.bin', which cannot be read/,
  });
  await writeFile(path.join(folder, 'net.bin'), weights!.subarray(0, 9));
  await t.rejects(importOnnx(file), {
    message: /the weight '0\.weight': 'net\.bin' ends before its values; expected 2048 bytes, got 9/,
  });
  await writeFile(path.join(folder, 'net.bin'), weights!);
  const x = w.randn([3, 32]);
  const y = await valuesOf(module.forward(x));
  t.ok(distance(await valuesOf((await importOnnx(file)).forward(x)), y) <= TOLERANCE);
  t.ok(distance(await valuesOf((await importOnnx(model, { external: () => weights! })).forward(x)), y) <= TOLERANCE);
  const results = withoutRuntime ? { output: y } : await (await openInRuntime(file))([x]);
  t.ok(distance(results.output!, y) <= TOLERANCE, 'ONNX Runtime', { skip: withoutRuntime });
});

t.test('what cannot be exported', async (t) => {
  const refuses = (forward: (x: Tensor) => Tensor, message: RegExp, options: ExportOnnxOptions = {}, shape = [2, 3]) =>
    t.rejects(exportOnnx(new nn.Sequential(new Net({}, (_, x) => forward(x!)) as never), [shape], options), {
      name: 'ConfigError',
      message,
    });
  const noCounterpart = /'crossEntropy' has no counterpart in ONNX; .*the layer '0'/;
  await refuses((x) => w.crossEntropy(x, w.tensor(Int32Array.of(0, 1))), noCounterpart);
  const ramp = (x: Tensor) =>
    w.add(
      x,
      w.tensor(
        Float32Array.from({ length: x.size }, (_, i) => i),
        x.shape,
      ),
    );
  await refuses(ramp, /a constant depends on the batch.*'Constant'.*dynamicBatch/, { dynamicBatch: true });
  const half = (x: Tensor) => w.slice(w.reshape(x, [-1]), [[x.shape[0]!, null]]);
  await refuses(half, /a constant depends on the batch.*, from slice in '0'/, { dynamicBatch: true });
  await refuses((x) => x, /opset/, { opset: 12 });
  await refuses((x) => x, /no such option/, { opsets: 17 } as never);
  await t.rejects(exportOnnx(new nn.Linear(2, 2), [[0, 2]]), { name: 'ShapeError', message: /an input is empty/ });
  const norm = new nn.BatchNorm2d(3);
  const trains = new Net({ norm }, ({ norm }, x) => norm.train().forward(x!));
  await t.rejects(exportOnnx(trains, [[2, 3, 4, 4]]), {
    name: 'ConfigError',
    message: /changes a tensor in place.*in norm/,
  });
  t.equal(norm.training, true);
  const value = async (x: Tensor) => Array.from(await x.array());
  t.same(await value(norm.running_mean), [0, 0, 0], 'and nothing has changed');
});
