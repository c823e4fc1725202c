// Checkpoint files: round trips, element types of others, shards, what does not match, damage, and writing as a whole.
import { mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { freemem, tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import {
  checkpoint,
  createDevice,
  DataError,
  loadCheckpoint,
  manualSeed,
  nn,
  random,
  readCheckpoint,
  readSafetensors,
  readStateDict,
  type SafetensorsEntry,
  saveCheckpoint,
  scope,
  setDefaultDevice,
  type StateEntry,
  StateDictError,
  tensor,
  writeSafetensors,
  writeStateDict,
} from '../../engine/index.ts';
import { readWhole } from '../../engine/io/files.ts';

setDefaultDevice(await createDevice('wasm'));
const folder = await mkdtemp(path.join(tmpdir(), 'wgrad-checkpoint-'));
t.teardown(() => rm(folder, { recursive: true }));
const at = (name: string): string => path.join(folder, name);

const build = () =>
  new nn.Sequential(new nn.Conv2d(2, 3, 3), new nn.BatchNorm2d(3), new nn.ReLU(), new nn.Conv2d(3, 1, 1));

/** A pass in training of `count` batches that differ. */
function train(net: nn.Module & nn.Layer, count: number): void {
  for (let i = 0; i < count; i++) {
    using _ = scope();
    net.forward(tensor(random(4, 'x', i).normalArray(2 * 2 * 25), [2, 2, 5, 5]));
  }
}

const valuesOf = (state: ReadonlyMap<string, StateEntry>) => [...state].map(([key, { values }]) => [key, [...values]]);

t.test('a module comes back as it was', async (t) => {
  const [net, other] = [build(), build()];
  train(net, 3);
  const file = at('new/folder/net.safetensors');
  await saveCheckpoint(file, net, { metadata: { format: 'pt', note: 'ü' } });
  const report = await loadCheckpoint(file, other);
  t.same(report, { missing: [], unexpected: [], metadata: { format: 'pt', note: 'ü' } });
  t.same(await other.stateDict(), await net.stateDict());
  t.same(await readdir(path.dirname(file)), ['net.safetensors'], 'and nothing else is left behind');

  const { tensors } = readSafetensors(await readFile(file), file);
  const count = tensors.get('1.num_batches_tracked');
  t.same(count, { dtype: 'I64', shape: [], data: BigInt64Array.of(3n) });
  t.equal(tensors.get('1.running_mean')?.dtype, 'F32');
  t.same(
    [...(await net.stateDict()).keys()],
    [
      '0.weight',
      '0.bias',
      '1.weight',
      '1.bias',
      '1.running_mean',
      '1.running_var',
      '1.num_batches_tracked',
      '3.weight',
      '3.bias',
    ],
  );
  net.dispose();
  other.dispose();
});

t.test('the reference device writes float32 too', async (t) => {
  const reference = await createDevice('reference');
  const net = new nn.Linear(3, 2, { device: reference });
  await saveCheckpoint(at('reference.safetensors'), net);
  const { state } = await readCheckpoint(at('reference.safetensors'));
  const exact = await net.weight.array();
  t.ok(exact instanceof Float64Array);
  t.same(state.get('weight')?.values, Float32Array.from(exact));
  reference.dispose();
});

const file = (tensors: Record<string, SafetensorsEntry>) =>
  writeSafetensors({ tensors: new Map(Object.entries(tensors)) });

t.test('element types of other writers', (t) => {
  const halves = [0x0000, 0x8000, 0x0001, 0x03ff, 0x0400, 0x3c00, 0xc000, 0x7bff, 0x7c00, 0xfc00, 0x7e00];
  const bfloats = [0x0000, 0x3f80, 0xc049, 0x7f80, 0x7fc0, 0x0001];
  const { state } = readStateDict(
    file({
      half: { dtype: 'F16', shape: [halves.length], data: Uint16Array.from(halves) },
      bfloat: { dtype: 'BF16', shape: [2, 3], data: Uint16Array.from(bfloats) },
      double: { dtype: 'F64', shape: [1], data: Float64Array.of(1 / 3) },
      long: { dtype: 'I64', shape: [], data: BigInt64Array.of(-(2n ** 31n)) },
      byte: { dtype: 'U8', shape: [2], data: Uint8Array.of(0, 255) },
      short: { dtype: 'I16', shape: [1], data: Int16Array.of(-7) },
      bool: { dtype: 'BOOL', shape: [2], data: Uint8Array.of(1, 0) },
    }),
    'a',
  );
  const smallest = 2 ** -24;
  t.same(
    [...state.get('half')!.values],
    [0, -0, smallest, 1023 * smallest, 2 ** -14, 1, -2, 65504, Infinity, -Infinity, NaN],
  );
  t.ok(Object.is(state.get('half')!.values[1], -0));
  t.same([...state.get('bfloat')!.values], [0, 1, -3.140625, Infinity, NaN, Math.fround(2 ** -133)]);
  t.same(state.get('double'), { shape: [1], values: Float64Array.of(1 / 3) });
  t.same(state.get('long'), { shape: [], values: Int32Array.of(-(2 ** 31)), fileType: 'I64' });
  t.same(state.get('byte')?.values, Int32Array.of(0, 255));
  t.same(state.get('short')?.values, Int32Array.of(-7));
  t.same(state.get('bool')?.values, Int32Array.of(1, 0));

  const tooLong: [string, SafetensorsEntry][] = [
    ['2147483648', { dtype: 'I64', shape: [2], data: BigInt64Array.of(1n, 2n ** 31n) }],
    ['4294967296', { dtype: 'I64', shape: [2], data: BigInt64Array.of(1n, 2n ** 32n) }],
    ['4294967295', { dtype: 'U32', shape: [2], data: Uint32Array.of(1, 2 ** 32 - 1) }],
    ['18446744073709551615', { dtype: 'U64', shape: [2], data: BigUint64Array.of(1n, 2n ** 64n - 1n) }],
  ];
  for (const [given, entry] of tooLong) {
    t.throws(() => readStateDict(file({ x: entry }), 'a.safetensors'), {
      name: 'DataError',
      message: new RegExp(`a.safetensors: 'x' holds a number.*got ${given} at element 1`),
    });
  }
  t.end();
});

t.test('half precision has the values that its bits spell', (t) => {
  // Rounding a value to a multiple of its spacing is another way to the same numbers.
  const property = fc.property(fc.integer({ min: 0, max: 0x7bff }), (bits) => {
    const { state } = readStateDict(
      file({ x: { dtype: 'F16', shape: [2], data: Uint16Array.of(bits, bits + 1) } }),
      'a',
    );
    const [low, high] = state.get('x')!.values as unknown as [number, number];
    const spacing = 2 ** (Math.max(1, bits >>> 10) - 25);
    return bits === 0x7bff ? high === Infinity : high - low === spacing;
  });
  t.doesNotThrow(() => fc.assert(property, { seed: 11, numRuns: 500 }));
  t.end();
});

t.test('what does not match is listed and nothing is changed', async (t) => {
  const net = build();
  train(net, 1);
  const before = valuesOf(await net.stateDict());
  const state = await net.stateDict();
  state.delete('0.bias');
  state.set('4.weight', { shape: [1], values: Float32Array.of(1) });
  state.set('0.weight', { shape: [3, 2, 9], values: new Float32Array(54) });
  state.set('3.bias', { shape: [1], values: Int32Array.of(1) });
  state.set('1.num_batches_tracked', { shape: [], values: Float32Array.of(1) });
  await saveCheckpoint(at('other.safetensors'), state);
  const error = await loadCheckpoint(at('other.safetensors'), net).catch((e: unknown) => e);
  t.ok(error instanceof StateDictError && error instanceof DataError);
  t.match(error, {
    missing: ['0.bias'],
    unexpected: ['4.weight'],
    unfit: [
      '0.weight (expected [3, 2, 3, 3], got [3, 2, 9])',
      '1.num_batches_tracked (expected integers, got floats)',
      '3.bias (expected floats, got integers)',
    ],
    message:
      /other\.safetensors does not fit the module, got missing: 0\.bias; unexpected: 4\.weight; different: 0\.weight/,
  });
  t.same(valuesOf(await net.stateDict()), before, 'nothing is changed');
  await t.rejects(loadCheckpoint(at('other.safetensors'), net, { strict: false }), /different: 0\.weight/);

  for (const key of ['0.weight', '3.bias', '1.num_batches_tracked']) state.delete(key);
  state.set('3.weight', { shape: [1, 3, 1, 1], values: Float32Array.of(1, 2, 3) });
  await saveCheckpoint(at('part.safetensors'), state);
  const missing = ['0.weight', '0.bias', '3.bias'];
  const refusal = await loadCheckpoint(at('part.safetensors'), net).catch((e: unknown) => e);
  t.match(refusal, { name: 'StateDictError', missing, unexpected: ['4.weight'], unfit: [] });
  t.match(await loadCheckpoint(at('part.safetensors'), net, { strict: false }), { missing, unexpected: ['4.weight'] });
  t.same([...(await net.stateDict()).get('3.weight')!.values], [1, 2, 3]);
  t.equal((net.at(1) as nn.BatchNorm2d).num_batches_tracked.value, 1, 'a count that is not there stays');

  const many = new Map(Array.from({ length: 30 }, (_, i) => [`k${i}`, state.get('3.weight')!]));
  t.throws(() => net.loadStateDict(many), { message: /unexpected: k0, .* k19, \.\.\. \(30\)/ });
  net.dispose();
});

t.test('several files with an index', async (t) => {
  const net = build();
  train(net, 2);
  const entries = [...(await net.stateDict())];
  const names = ['model-00001-of-00002.safetensors', 'model-00002-of-00002.safetensors'];
  const parts = [entries.slice(0, 4), entries.slice(4)];
  const map: Record<string, string> = {};
  for (const [i, part] of parts.entries()) {
    await saveCheckpoint(at(names[i]!), new Map(part));
    for (const [key] of part) map[key] = names[i]!;
  }
  const index = at('model.safetensors.index.json');
  const write = (value: unknown) => writeFile(index, typeof value === 'string' ? value : JSON.stringify(value));
  await write({ metadata: { total_size: 1 }, weight_map: map });
  const other = build();
  t.match(await loadCheckpoint(index, other), { missing: [], unexpected: [], metadata: { format: 'pt' } });
  t.same(await other.stateDict(), await net.stateDict());

  await write({ weight_map: { ...map, more: names[0] } });
  await t.rejects(
    loadCheckpoint(index, other),
    /model-00001-of-00002\.safetensors lacks 'more', which .*index\.json lists/,
  );
  await write({ weight_map: { ...map, more: '../x.safetensors' } });
  await t.rejects(loadCheckpoint(index, other), /bad file of 'more'; expected the name of a file beside the index/);
  await write({ weight_map: { ...map, more: 'absent.safetensors' } });
  await t.rejects(loadCheckpoint(index, other), {
    name: 'DataError',
    message: /absent\.safetensors cannot be read.*ENOENT/,
  });
  await write('{"weight_map": x}');
  await t.rejects(loadCheckpoint(index, other), {
    name: 'DataError',
    message: /index\.json, byte 0: the index is not JSON/,
  });
  await write(`{"weight_map":{"0.weight":"${names[0]}","0.weight":"${names[1]}"}}`);
  await t.rejects(loadCheckpoint(index, other), /index\.json, byte \d+: the index has the key '0\.weight' twice/);
  for (const value of ['{}', 'null', { weight_map: [] }]) {
    await write(value);
    await t.rejects(loadCheckpoint(index, other), /the index has no 'weight_map'/);
  }
  net.dispose();
  other.dispose();
});

const GIB = 2 ** 30;
const memory = freemem() > 6 * GIB ? false : 'less than 6 GiB of memory are free';
t.test('a file of more than 2 GiB', { skip: memory }, async (t) => {
  const name = at('large.safetensors');
  const size = 2 * GIB + 4;
  const header = Buffer.from(
    `{"zeros":{"dtype":"U8","shape":[${size}],"data_offsets":[0,${size}]},` +
      `"last":{"dtype":"F32","shape":[1],"data_offsets":[${size},${size + 4}]}}`,
  );
  const handle = await open(name, 'w');
  const length = Buffer.alloc(8);
  length.writeUInt32LE(header.length);
  await handle.write(Buffer.concat([length, header]), 0, 8 + header.length, 0);
  await handle.write(Buffer.from(Float32Array.of(7).buffer), 0, 4, 8 + header.length + size);
  await handle.close();
  const { tensors } = readSafetensors(await readWhole(name), name);
  await rm(name);
  t.equal(tensors.get('zeros')?.data.length, size);
  t.equal(tensors.get('last')?.data[0], 7);
});

t.test('damage names the file and the byte', async (t) => {
  const net = new nn.Linear(2, 2);
  const whole = writeStateDict(await net.stateDict());
  const name = at('cut.safetensors');
  await writeFile(name, whole.subarray(0, whole.length - 3));
  await t.rejects(loadCheckpoint(name, net), {
    name: 'DataError',
    message: new RegExp(`cut\\.safetensors, byte ${whole.length - 3}: the file ends inside 'weight'`),
  });
  await t.rejects(loadCheckpoint(at('absent.safetensors'), net), DataError);
  net.dispose();
});

t.test('a write that fails leaves the old file and nothing else', async (t) => {
  const net = new nn.Linear(2, 2);
  const name = at('kept/net.safetensors');
  await saveCheckpoint(name, net);
  const before = await readFile(name);
  const unfit = new Map([['x', { shape: [3], values: new Float32Array(2) }]]);
  await t.rejects(saveCheckpoint(name, unfit), DataError);
  t.same(await readFile(name), before);
  // A file cannot take the place of a folder.
  await t.rejects(saveCheckpoint(at('kept'), net));
  t.same(await readdir(at('kept')), ['net.safetensors']);
  t.same(
    (await readdir(folder)).filter((entry) => entry.endsWith('.part')),
    [],
  );
  net.dispose();
});

t.test('batches are counted in training only, once each, and average without a momentum', async (t) => {
  manualSeed(1);
  const batches = [0, 1, 2].map((i) => tensor(random(2, 'x', i).normalArray(4 * 2 * 3), [4, 2, 3, 1]));
  const norm = new nn.BatchNorm2d(2, { momentum: null });
  using _ = scope();
  for (const x of batches) norm.forward(x);
  t.equal(norm.num_batches_tracked.value, 3);
  const means = await Promise.all(batches.map(async (x) => (await x.mean([0, 2, 3]).array())[0]!));
  const average = means.reduce((sum, each) => sum + each, 0) / 3;
  t.ok(Math.abs((await norm.running_mean.array())[0]! - average) < 1e-6, 'the average over all batches');
  norm.eval().forward(batches[0]!);
  t.equal(norm.num_batches_tracked.value, 3);
  norm.train();
  t.throws(() => norm.forward(tensor([1, 2], [1, 2, 1, 1])), /no variance/);
  t.equal(norm.num_batches_tracked.value, 3, 'a batch that is refused does not count');
  checkpoint((x) => norm.forward(x), batches[0]!)
    .sum()
    .backward();
  t.equal(norm.num_batches_tracked.value, 4);
  const state = { num_batches_tracked: tensor(1) };
  t.throws(() => nn.functionalCall(norm, state, () => norm.forward(batches[0]!)), /no such parameter/);
  norm.dispose();
});
