// Files of weights made by hand, which need no Python: what is refused, each with one clear line, and nothing loaded then; and the
// command.
import { access, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import * as h5 from 'h5wasm/node';
import t from 'tap';
import {
  createDevice,
  manualSeed,
  readCheckpoint,
  saveCheckpoint,
  setDefaultDevice,
  type StateDict,
} from '../../../engine/index.ts';
import { importWeights, loadBackbone } from '../../../experiments/index.ts';
import type { Inspection, WeightsComparison } from '../../../experiments/weights/inspect.ts';
import { makeBackbone } from '../../../models/index.ts';
import { run } from '../command.ts';
import { malicious, oldFile, PROTOCOL_2, tensorOf, zip, zipEntriesOf } from './made-files.ts';

t.setTimeout(240_000);
const wasm = await createDevice('wasm');
setDefaultDevice(wasm);
manualSeed(5);
const backbone = makeBackbone('mini-densenet');
/** Without the counts of batches, as old files are. */
const state: StateDict = new Map(
  [...(await backbone.stateDict())].filter(([key]) => !key.endsWith('num_batches_tracked')),
);
const good = zip(zipEntriesOf(state));
const [firstKey] = state.keys() as Iterable<string> as [string];
const without = (key: string): StateDict => new Map([...state].filter(([name]) => name !== key));
const withEntry = (key: string, shape: number[]): StateDict =>
  new Map([...state, [key, { shape, values: new Float32Array(shape.reduce((a, b) => a * b, 1)) }]]);
const replaced = (name: string, content: Buffer): Buffer =>
  zip(zipEntriesOf(state).map(([each, bytes]) => [each, each === name ? content : bytes]));

/** A byte of a weight that is another. */
const flipped = Buffer.from(good);
const place = good.indexOf(zipEntriesOf(state)[1]![1]) + 5;
flipped[place] = flipped[place]! ^ 0x10;
/** An opcode in the middle of the pickle. */
const withOpcode = (...bytes: number[]): Buffer =>
  zip(zipEntriesOf(state, (key) => (key === firstKey ? Buffer.of(...bytes) : undefined)));
const old = oldFile(state);
/** The first tensor as another view of its storage. */
const withView = (offset: number, shape: number[], strides: number[]): Buffer => {
  const storage = { key: '0', length: state.get(firstKey)!.values.length };
  return zip(zipEntriesOf(state, (key) => (key === firstKey ? tensorOf(storage, offset, shape, strides) : undefined)));
};

const rows: readonly (readonly [what: string, content: Buffer | string, message: RegExp])[] = [
  ['an unknown opcode', withOpcode(0x81), /byte \d+: the pickle has the opcode NEWOBJ \(0x81\), which/],
  ['another', withOpcode(0x69), /opcode INST \(0x69\)/],
  ['extensions', withOpcode(0x82, 1), /opcode EXT1 \(0x82\)/],
  [
    'a call of a program',
    replaced('archive/data.pkl', malicious),
    /byte 2: the opcode GLOBAL \(0x63\) of the pickle names os\.system, which/,
  ],
  [
    'a call of a builtin',
    replaced('archive/data.pkl', Buffer.from('\x80\x02cbuiltins\neval\n(X\x01\0\0\x001tR.', 'latin1')),
    /names builtins\.eval/,
  ],
  ['a bare pickle of it', malicious, /byte 2: the opcode GLOBAL \(0x63\) of the pickle names os\.system/],
  ['a bare pickle of a number', Buffer.concat([PROTOCOL_2, Buffer.from('K\x01.')]), /a Python pickle/],
  [
    'a pickle that ends',
    replaced('archive/data.pkl', Buffer.concat([PROTOCOL_2, Buffer.from('}(X')])),
    /ends too early/,
  ],
  ['an empty stack', replaced('archive/data.pkl', Buffer.concat([PROTOCOL_2, Buffer.from('.')])), /not on its stack/],
  ['no dictionary', replaced('archive/data.pkl', Buffer.concat([PROTOCOL_2, Buffer.from('K\x01.')])), /no state dict/],
  ['no tensors', replaced('archive/data.pkl', Buffer.concat([PROTOCOL_2, Buffer.from('}.')])), /no tensors/],
  ['a zip cut off', good.subarray(0, good.length - 40), /no directory at its end/],
  ['a zip with a bit that fell over', flipped, /'archive\/data\/0' does not have its checksum/],
  ['a zip without a pickle', zip([['notes.txt', Buffer.from('x')]]), /none of torch\.save/],
  ['a compressed zip', zip(zipEntriesOf(state), ['archive/data.pkl']), /'archive\/data\.pkl' is compressed/],
  [
    'a storage too short',
    replaced('archive/data/0', Buffer.alloc(4)),
    /numbers of 'conv0\.weight' are not in the file/,
  ],
  [
    'the other order of bytes',
    zip([...zipEntriesOf(state), ['archive/byteorder', Buffer.from('big')]]),
    /highest byte/,
  ],
  ['a view past the end', withView(1, [24, 3, 7, 7], [147, 49, 7, 1]), /a tensor in the pickle is not as torch\.save/],
  ['a view of endless size', withView(0, [2 ** 30], [0]), /a tensor in the pickle is not as torch\.save/],
  ['a view without strides', withView(0, [24, 3, 7, 7], [147]), /a tensor in the pickle is not as torch\.save/],
  ['an old file cut off', old.subarray(0, old.length - 3), /byte \d+: the numbers of a storage end too early/],
  ['an old file without numbers', old.subarray(0, 40), /ends too early/],
  ['an entry less', zip(zipEntriesOf(without(firstKey))), /lacks weights of mini-densenet: conv0\.weight/],
  [
    'an entry more',
    zip(zipEntriesOf(withEntry('extra.weight', [2]))),
    /has weights that mini-densenet has not: extra\.weight/,
  ],
  [
    'another shape',
    zip(zipEntriesOf(new Map([...state, ['norm0.bias', { shape: [3], values: new Float32Array(3) }]]))),
    /other shapes than mini-densenet: norm0\.bias/,
  ],
  ['a text', 'weights\n', /byte 0: not a \.pth, \.h5 or \.safetensors file/],
  ['a pointer', 'version https://git-lfs.github.com/spec/v1\noid sha256:0\n', /a Git LFS pointer/],
  ['nothing', '', /an empty file/],
];

t.test('refused', async (t) => {
  const folder = t.testdir();
  const before = await backbone.stateDict();
  for (const [i, [what, content, message]] of rows.entries()) {
    const file = path.join(folder, `${i}.pth`);
    await writeFile(file, content);
    setDefaultDevice(wasm);
    const error = await loadBackbone(backbone, 'mini-densenet', file).then(
      () => undefined,
      (reason: Error) => reason,
    );
    t.equal(error?.name, 'DataError', what);
    t.match(error?.message, message);
    t.notMatch(error?.message, /\n/, 'one line');
    t.ok(error?.message.includes(file), 'which names the file');
  }
  t.same(await backbone.stateDict(), before, 'nothing was loaded');
  await t.rejects(importWeights(path.join(folder, 'none.pth'), 'mini-densenet'), { name: 'DataError' });
  await t.rejects(importWeights(path.join(folder, '0.pth'), 'densenet196'), {
    name: 'ConfigError',
    message: /no backbone 'densenet196'.*densenet169/,
  });
});

t.test('HDF5 that is damaged or of another form', async (t) => {
  await h5.ready;
  const folder = t.testdir();
  const file = path.join(folder, 'keras3.weights.h5');
  const opened = new h5.File(file, 'w');
  for (const group of ['layers', 'layers/conv2d', 'layers/conv2d/vars']) opened.create_group(group);
  opened.create_dataset({ name: 'layers/conv2d/vars/0', data: new Float32Array(12), shape: [3, 4], dtype: '<f' });
  opened.close();
  await t.rejects(importWeights(file, 'densenet169'), { name: 'DataError', message: /in the form of Keras 3/ });
  const other = path.join(folder, 'arrays.h5');
  const arrays = new h5.File(other, 'w');
  arrays.create_dataset({ name: 'X', data: new Float32Array(12), shape: [3, 4], dtype: '<f' });
  arrays.close();
  await t.rejects(importWeights(other, 'densenet169'), { name: 'DataError', message: /lacks weights of densenet169/ });
  const whole = await readFile(file);
  for (const length of [100, 300, whole.length - 10]) {
    const cut = path.join(folder, `cut-${length}.h5`);
    await writeFile(cut, whole.subarray(0, length));
    await t.rejects(importWeights(cut, 'densenet169'), {
      name: 'DataError',
      message: /cut-\d+\.h5: the HDF5 file is damaged, got [^\n]+/,
    });
  }
});

t.test('taken, in each form, with the same numbers', async (t) => {
  const folder = t.testdir();
  await saveCheckpoint(path.join(folder, 'own.safetensors'), state);
  await writeFile(path.join(folder, 'zip.pth'), good);
  await writeFile(path.join(folder, 'old.pth'), old);
  for (const [file, format] of [
    ['own.safetensors', 'safetensors'],
    ['zip.pth', 'PyTorch, zip'],
    ['old.pth', 'PyTorch, before 1.6'],
  ] as const) {
    const imported = await importWeights(path.join(folder, file), 'mini-densenet');
    t.equal(imported.report.format, format);
    t.same(imported.report.loaded, [...state.keys()]);
    t.ok(
      [...state].every(([key, { values }]) =>
        Array.from(values).every((value, i) => value === imported.state.get(key)!.values[i]),
      ),
      file,
    );
  }
});

t.test('wgrad weights import', async (t) => {
  const folder = t.testdir();
  await writeFile(path.join(folder, 'zip.pth'), good);
  const ended = await run(
    ['weights', 'import', 'zip.pth', '--for', 'mini-densenet', '--out', 'out/w.safetensors'],
    folder,
  );
  t.equal(ended.status, 0, ended.stderr);
  t.match(ended.stdout, new RegExp(`loaded: ${state.size} entries of mini-densenet\\s+missing: 0\\s+unexpected: 0`));
  t.match(ended.stdout, /SHA-256 [0-9a-f]{64}/);
  const written = await readCheckpoint(path.join(folder, 'out/w.safetensors'));
  t.match(written.metadata, { backbone: 'mini-densenet', source: 'zip.pth', sourceFormat: 'PyTorch, zip' });
  t.same([...written.state.keys()].sort(), [...state.keys()].sort());
  setDefaultDevice(wasm);
  const fresh = makeBackbone('mini-densenet');
  await loadBackbone(fresh, 'mini-densenet', path.join(folder, 'out/w.safetensors'));
  t.same((await fresh.stateDict()).get(firstKey), state.get(firstKey));
  const other = await run(
    ['weights', 'import', 'out/w.safetensors', '--for', 'mini-resnet', '--out', 'no.safetensors'],
    folder,
  );
  t.equal(other.status, 2);
  t.match(other.stderr, /holds the weights of mini-densenet, not of mini-resnet/);
  t.equal(other.stderr.trim().split('\n').length, 1, 'one line');
  await t.rejects(access(path.join(folder, 'no.safetensors')), { code: 'ENOENT' });
  const lacking = await run(['weights', 'import', 'zip.pth'], folder);
  t.equal(lacking.status, 2);
  t.match(lacking.stderr, /needs --for and --out/);
  const bad = await run(['weights', 'import', 'zip.pth', '--for', 'vgg', '--out', 'no.safetensors'], folder);
  t.equal(bad.status, 2);
  fresh.dispose();
});

t.test('wgrad weights inspect and diff', async (t) => {
  const folder = t.testdir();
  await writeFile(path.join(folder, 'zip.pth'), good);
  await saveCheckpoint(path.join(folder, 'same.safetensors'), state);
  const inspected = await run(['weights', 'inspect', 'zip.pth'], folder);
  t.equal(inspected.status, 0, inspected.stderr);
  t.match(inspected.stdout, /^zip\.pth \(PyTorch, zip\)\n {2}SHA-256: [0-9a-f]{64}\n {2}weights of: mini-densenet/);
  t.match(inspected.stdout, /\nconv0\.weight +F32 +\[/);
  const json = JSON.parse((await run(['weights', 'inspect', 'zip.pth', '--json'], folder)).stdout) as Inspection;
  t.same(
    json.entries,
    [...state].map(([name, { shape }]) => ({ name, dtype: 'F32', shape })),
  );
  t.match(json, { format: 'PyTorch, zip', published: null, nonFinite: 0, backbone: 'mini-densenet' });

  const same = await run(['weights', 'diff', 'zip.pth', 'same.safetensors'], folder);
  t.same([same.status, same.stdout], [0, `zip.pth and same.safetensors say the same: ${state.size} entries\n`]);
  const entry = state.get(firstKey)!;
  const values = Float32Array.from(entry.values);
  values[3] = values[3]! + 1e-3;
  const changed = new Map([...without('norm0.bias'), [firstKey, { ...entry, values }]]);
  changed.set('norm0.weight', { shape: [1], values: Float32Array.of(NaN) });
  changed.set('extra', { shape: [1], values: Float32Array.of(NaN) });
  await saveCheckpoint(path.join(folder, 'changed.safetensors'), changed);
  const differing = await run(['weights', 'diff', 'zip.pth', 'changed.safetensors', '--json'], folder);
  t.equal(differing.status, 1);
  const found = JSON.parse(differing.stdout) as WeightsComparison;
  t.same([found.onlyInA, found.onlyInB, found.same], [['norm0.bias'], ['extra'], state.size - 3]);
  t.match(found.different, [
    { name: firstKey, largest: Math.abs(values[3] - entry.values[3]!) },
    { name: 'norm0.weight', b: 'F32 [1]', largest: null },
  ]);
  const text = await run(['weights', 'diff', 'zip.pth', 'changed.safetensors', '--tolerance', '0.1'], folder);
  t.equal(text.status, 1);
  t.match(text.stdout, /only in zip\.pth: 1: norm0\.bias\nonly in changed\.safetensors: 1: extra\n/);
  t.notMatch(text.stdout, firstKey, 'within the tolerance');
  const nan = await run(['weights', 'inspect', 'changed.safetensors'], folder);
  t.match(nan.stdout, /not finite: 2 values/);
  const bad = await run(['weights', 'diff', 'zip.pth', 'same.safetensors', '--tolerance', 'few'], folder);
  t.same([bad.status, /bad --tolerance; expected a number from 0 on/.test(bad.stderr)], [2, true]);
  await writeFile(path.join(folder, 'evil.pkl'), malicious);
  const evil = await run(['weights', 'inspect', 'evil.pkl'], folder);
  t.equal(evil.status, 2);
  t.match(evil.stderr, /evil\.pkl, byte 2: the opcode GLOBAL \(0x63\) of the pickle names os\.system/);
});
