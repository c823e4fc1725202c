// MultiDepth: the parameter counts and names of the released network, the small variant, and both of them forward and
// backward against PyTorch.
import t from 'tap';
import {
  createDevice,
  type Device,
  manualSeed,
  noGrad,
  ones,
  pyramidPool2d,
  random,
  scope,
  setDefaultDevice,
  tensor,
  Tensor,
} from '../../engine/index.ts';
import { MultiDepth, multiDepthOptionsOf } from '../../models/index.ts';
import { compareWithTorch, makeFixture, pythonWithTorch, withoutTorch } from './multidepth-torch.ts';
import { below } from './torch-fixture.ts';

/** Hands out buffers that hold nothing: shapes are enough for counting. */
const shapesOnly = {
  name: 'reference',
  allocate: (length: number, dtype: 'float32') => ({
    id: 0,
    device: shapesOnly,
    dtype,
    length,
    references: 1,
    version: 0,
  }),
  release: () => undefined,
  write: () => undefined,
} as unknown as Device;

/** Assertions on whole arrays would work out a difference to print. */
const sameBits = async (a: Tensor, b: Tensor): Promise<boolean> =>
  Buffer.from((await a.array()).buffer).equals(Buffer.from((await b.array()).buffer));

const small = { baseWidth: 6, blocks: [1, 1, 2, 1], scales: 'one' } as const;
const wasm = await createDevice('wasm');

t.test('the small variant counts as specified', (t) => {
  setDefaultDevice(shapesOnly);
  t.equal(new MultiDepth({ ...small, classes: 32 }).parameterCount(), 491_523);
  t.equal(new MultiDepth({ ...small, baseWidth: 12, classes: 32 }).parameterCount(), 1_956_309);
  t.throws(() => new MultiDepth({ regression: false }), { name: 'ConfigError' });
  t.end();
});

t.test('the paper size counts as specified', (t) => {
  setDefaultDevice(shapesOnly);
  const net = new MultiDepth({ classes: 32, scales: 'one' });
  t.equal(net.parameterCount(), 88_788_449);
  const part = (isIn: (name: string) => boolean): number =>
    [...net.namedParameters()].reduce((count, [name, { size }]) => count + (isIn(name) ? size : 0), 0);
  const regression = part((name) => name.startsWith('head_d_reg_'));
  const classification = part((name) => name.startsWith('head_d_cls_'));
  const encoder = part((name) => !name.startsWith('head_'));
  t.same([encoder, regression, classification], [42_623_936, 23_074_305, 23_090_208]);
  const counts = [
    ['convbnrelu1_1.', 1856],
    ['convbnrelu1_2.', 36_992],
    ['convbnrelu1_3.', 73_984],
    ['res_block2.', 236_288],
    ['res_block3.', 1_219_584],
    ['res_block4.', 26_090_496],
    ['res_block5.', 14_964_736],
    ['head_d_cls_pyramid_pooling.path_module_list.2.', 1_049_600],
    ['head_d_cls_cbr_final.', 18_875_392],
    ['head_d_cls_classification.', 16_416],
  ] as const;
  for (const [prefix, count] of counts)
    t.equal(
      part((name) => name.startsWith(prefix)),
      count,
      prefix,
    );
  // The other numbers of classes and the single tasks differ by the last convolution and by a whole head.
  t.equal(encoder + regression, 65_698_241);
  t.equal(encoder + classification, 65_714_144);
  const withClasses = (n: number): number => net.parameterCount() + 513 * (n - 32);
  t.same(
    [2, 4, 8, 16, 64, 128].map(withClasses),
    [88_773_059, 88_774_085, 88_776_137, 88_780_241, 88_804_865, 88_837_697],
  );
  const state = [...net.namedState()];
  const ofRank = (rank: number): number =>
    state.filter(([, value]) => value instanceof Tensor && value.rank === rank).length;
  t.equal(ofRank(4), 118, 'convolutions');
  const norms = state.filter(([name]) => name.endsWith('running_mean'));
  t.equal(norms.length, 116, 'batch norms');
  t.equal(
    norms.reduce((sum, [, { size }]) => sum + size, 0),
    57_984,
    'their channels',
  );
  t.equal(state.length, 700, 'entries of the state dict');
  const shapes = new Map(state.map(([name, { shape }]) => [name, { shape }]));
  t.same(multiDepthOptionsOf(shapes), { baseWidth: 64, blocks: [3, 4, 23, 3], classes: 32, regression: true });
  t.end();
});

t.test('pooling cells have a fixed size and leave a rest over', async (t) => {
  setDefaultDevice(wasm);
  using _ = scope();
  const cells = (height: number, width: number): number[][] =>
    pyramidPool2d(ones([1, 1, height, width]), [6, 3, 2, 1], { rule: 'fixedKernel' }).map(({ shape }) =>
      shape.slice(2),
    );
  t.same(cells(16, 16), [[8, 8], [3, 3], [2, 2], [1, 1]]); // prettier-ignore
  t.same(cells(32, 32), [[6, 6], [3, 3], [2, 2], [1, 1]]); // prettier-ignore
  t.same(cells(44, 152), [[6, 6], [3, 3], [2, 2], [1, 1]]); // prettier-ignore
  const ramp = tensor(
    Float32Array.from({ length: 16 }, (_, i) => i),
    [1, 1, 1, 16],
  );
  const tall = ramp.expand([1, 1, 16, 16]);
  const [, thirds] = pyramidPool2d(tall, [6, 3], { rule: 'fixedKernel' });
  t.same([...(await thirds!.array())].slice(0, 3), [2, 7, 12], 'column 15 is not seen');
});

t.test('heads, dropout and sizes', async (t) => {
  setDefaultDevice(wasm);
  using _ = scope();
  manualSeed(1);
  const net = new MultiDepth({ ...small, classes: 4, scales: 'uniform' });
  const gamma = await net.convbnrelu1_3.cbr_unit.at(1).stateDict();
  const { values } = gamma.get('weight')!;
  t.ok(Math.min(...values) > 0 && Math.max(...values) < 1 && new Set(values).size > 6, 'scales are uniform on (0, 1)');
  const x = tensor(random(1, 'pictures').uniformArray(2 * 3 * 48 * 56), [2, 3, 48, 56]);
  const first = net.forward(x, random(1, 'dropout', 0));
  t.same(first.regression!.shape, [2, 1, 48, 56]);
  t.same(first.logits!.shape, [2, 4, 48, 56]);
  const again = net.forward(x, random(1, 'dropout', 0));
  t.ok(await sameBits(again.logits!, first.logits!), 'the stream decides what is dropped');
  t.notOk(await sameBits(net.forward(x, random(1, 'dropout', 1)).logits!, first.logits!));
  net.eval();
  const kept = net.forward(x);
  const freed = noGrad(() => net.forward(x));
  t.ok(await sameBits(freed.regression!, kept.regression!), 'nothing changes where values are freed early');
  const single = new MultiDepth({ ...small, regression: true });
  t.same(Object.keys(single.forward(x, random(1, 'dropout', 0))), ['regression']);
  t.throws(() => net.forward(ones([1, 3, 44, 48])), { name: 'ConfigError', message: /44 x 48/ });
  t.throws(() => multiDepthOptionsOf(new Map()), { name: 'ConfigError' });
  net.dispose();
  single.dispose();
});

const python = await pythonWithTorch();
if (!python) {
  t.pass('against PyTorch', { skip: withoutTorch });
} else {
  // Of two values that batch norm sees in the 1x1 cells, only the sign would be left: hence three
  // pictures. A relu's input nearer to 0 than the margin would fall on the other side by rounding alone.
  const smallArgs = ['--base', '6', '--blocks', '1,1,2,1', '--size', '48', '--batch', '3', '--margin', '2e-5'];
  t.test('the small variant as PyTorch has it, on the reference and on wasm', async (t) => {
    const fixture = await makeFixture(python, smallArgs);
    setDefaultDevice(await createDevice('reference'));
    await compareWithTorch(t, fixture, 1e-6, true);
    setDefaultDevice(wasm);
    await compareWithTorch(t, fixture, 1e-4, true);
  });
  t.test('the small variant with running statistics', async (t) => {
    setDefaultDevice(wasm);
    await compareWithTorch(t, await makeFixture(python, [...smallArgs, '--eval', '--margin', '0']), 1e-4, false);
  });
  // With the batch's statistics a hundred layers are chaotic: PyTorch's own float32 is then 5 % away from its float64.
  t.test('the paper size with running statistics', async (t) => {
    setDefaultDevice(wasm);
    // The gradients of the other 21 blocks of stage 4 would be as many megabytes again.
    const kept = '^(convbn|res_block[235]|res_block4.layers.(0|22)|head_d_cls|head_d_reg_(c|pyr))';
    const fixture = await makeFixture(python, ['--size', '64', '--batch', '1', '--eval', '--gradients', kept]);
    t.equal(below(fixture, 'state').size, 584);
    await compareWithTorch(t, fixture, 1e-4, false);
  });
}
