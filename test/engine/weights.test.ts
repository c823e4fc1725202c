// `wgrad/weights` on files made by hand: what a map says, what is loaded in part, where content comes from, and whose file it is.
import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import zlib from 'node:zlib';
import * as h5 from 'h5wasm';
import t from 'tap';
import {
  createDevice,
  nn,
  setDefaultDevice,
  type StateDict,
  writeSafetensors,
  writeStateDict,
} from '../../engine/index.ts';
import { crc32 } from '../../engine/io/weights/crc32.ts';
import { checkNamedFingerprint } from '../../engine/io/weights/fingerprint.ts';
import { loadWeights, publishedFileOf, readWeights } from '../../engine/io/weights/index.ts';
import { malicious, zip, zipEntriesOf } from '../experiments/weights/made-files.ts';

t.setTimeout(120_000);
setDefaultDevice(await createDevice('reference'));

class Net extends nn.Module {
  readonly body = new nn.Linear(3, 2);
  readonly head = new nn.Linear(2, 1);
}
const ramp = (size: number, start: number): Float32Array => Float32Array.from({ length: size }, (_, i) => start + i);
const state: StateDict = new Map([
  ['body.weight', { shape: [2, 3], values: ramp(6, 1) }],
  ['body.bias', { shape: [2], values: ramp(2, 10) }],
  ['head.weight', { shape: [1, 2], values: ramp(2, 20) }],
  ['head.bias', { shape: [1], values: ramp(1, 30) }],
]);
const renamed = (rename: (name: string) => string): StateDict =>
  new Map([...state].map(([name, entry]) => [rename(name), entry]));
const file = zip(zipEntriesOf(state));

/** What a module holds, as plain numbers. */
async function valuesOf(module: nn.Module): Promise<Record<string, number[]>> {
  return Object.fromEntries([...(await module.stateDict())].map(([name, { values }]) => [name, [...values]]));
}
const expected = Object.fromEntries([...state].map(([name, { values }]) => [name, [...values]]));

t.test('content comes as a path, bytes or a Blob', async (t) => {
  const place = path.join(t.testdir(), 'net.pt');
  await writeFile(place, file);
  const exact = new Uint8Array(file);
  for (const source of [place, file, exact, exact.buffer, new Blob([exact]), new File([exact], 'net.pt')]) {
    const net = new Net();
    const report = await loadWeights(net, source);
    t.same(await valuesOf(net), expected);
    t.same(
      [report.format, report.missing, report.unexpected, report.loaded],
      ['PyTorch, zip', [], [], [...state.keys()]],
    );
    t.equal(report.sha256, createHash('sha256').update(file).digest('hex'));
  }
  const named = { name: 'evil.pth' };
  await t.rejects(loadWeights(new Net(), malicious, named), {
    message: /^evil\.pth, byte 2: the opcode GLOBAL \(0x63\)/,
  });
  const noFile = { name: 'ConfigError', message: /expected a path, bytes.*or a Blob, got Number/ };
  await t.rejects(loadWeights(new Net(), 3 as unknown as string), noFile);
});

t.test('names', async (t) => {
  const load = async (names: StateDict, options?: Parameters<typeof loadWeights>[2]) => {
    const net = new Net();
    const report = await loadWeights(net, writeStateDict(names), { name: 'net.safetensors', ...options });
    return { report, values: await valuesOf(net) };
  };
  const { values: unwrapped } = await load(renamed((name) => `module._orig_mod.${name}`));
  t.same(unwrapped, expected, 'wrappers are taken off');
  const below = renamed((name) => `model.${name}`);
  await t.rejects(load(below), { name: 'StateDictError', message: /missing: body\.weight.*unexpected: model\.body/ });
  t.same((await load(below, { map: { 'model.': '' } })).values, expected, 'a beginning');
  t.same((await load(below, { map: (name) => name.slice('model.'.length) })).values, expected, 'a function');
  const swapped = renamed((name) => name.replace('body.', 'trunk.'));
  const one = { 'trunk.weight': 'body.weight', 'trunk.': 'body.' };
  t.same((await load(swapped, { map: one })).values, expected, 'a whole name before a beginning');
  const more = new Map([...state, ['optimizer.step', { shape: [1], values: ramp(1, 0) }]]);
  t.same((await load(more, { map: { 'optimizer.': undefined } })).report.leftOut, ['optimizer.step']);
  await t.rejects(load(state, { map: { 'bodi.': 'x.' } }), {
    name: 'ConfigError',
    message: /net\.safetensors has no entry that the map names.*got 'bodi\.'/,
  });
  await t.rejects(load(state, { map: () => 'body.weight' }), {
    name: 'ConfigError',
    message: /two entries the same name.*'body\.weight' for '[\w.]+' and '[\w.]+'/,
  });
  await t.rejects(load(state, { maps: {} } as object), { name: 'ConfigError', message: /no such option.*map, strict/ });
});

t.test('in part', async (t) => {
  const net = new Net();
  const before = await valuesOf(net);
  const part = writeStateDict(new Map([...state].filter(([name]) => name !== 'head.bias')));
  await t.rejects(loadWeights(net, part), { name: 'StateDictError', message: /missing: head\.bias/ });
  t.same(await valuesOf(net), before, 'nothing was loaded');
  const report = await loadWeights(net, part, { strict: false });
  t.same(report.missing, ['head.bias']);
  t.same(await valuesOf(net), { ...expected, 'head.bias': before['head.bias'] });
});

t.test('element types become float32', async (t) => {
  const halves = Uint16Array.of(0x3c00, 0x4000, 0x4200, 0x4400, 0x4500, 0x4600); // 1 to 6
  const brains = Uint16Array.of(0x4120, 0x4130); // 10 and 11
  const bytes = writeSafetensors({
    tensors: new Map([
      ['weight', { dtype: 'F16', shape: [2, 3], data: halves }],
      ['bias', { dtype: 'BF16', shape: [2], data: brains }],
    ]),
  });
  const layer = new nn.Linear(3, 2);
  await loadWeights(layer, bytes);
  t.same(await valuesOf(layer), { weight: expected['body.weight'], bias: expected['body.bias'] });
});

t.test('an index of files', async (t) => {
  const folder = t.testdir();
  const half = (from: number, to: number): Buffer => zip(zipEntriesOf(new Map([...state].slice(from, to))));
  const parts: Record<string, Buffer> = { 'a.bin': half(0, 2), 'b.bin': half(2, 4) };
  const places = [...state.keys()].map((name, i) => [name, i < 2 ? 'a.bin' : 'b.bin']);
  const index = JSON.stringify({ weight_map: Object.fromEntries(places) as Record<string, string> });
  for (const [name, content] of [...Object.entries(parts), ['net.bin.index.json', index] as const]) {
    await writeFile(path.join(folder, name), content);
  }
  const net = new Net();
  await loadWeights(net, path.join(folder, 'net.bin.index.json'));
  t.same(await valuesOf(net), expected);
  const content = new Blob([index]);
  const given = new Net();
  await loadWeights(given, content, { shard: (name) => parts[name]! });
  t.same(await valuesOf(given), expected);
  const { shards } = await readWeights(content, { shard: (name) => new Blob([new Uint8Array(parts[name]!)]) });
  t.match(shards, [{ name: 'a.bin', sha256: /^[0-9a-f]{64}$/ }, { name: 'b.bin' }]);
  await t.rejects(readWeights(content), { name: 'ConfigError', message: /an index, whose files are not here.*shard/ });
  const lacking = { name: 'DataError', message: /b\.bin lacks 'head\.weight', which the weights lists/ };
  await t.rejects(readWeights(content, { shard: () => parts['a.bin']! }), lacking);
  const mixed = (name: string) => (name === 'a.bin' ? parts[name]! : writeStateDict(state));
  await t.rejects(readWeights(content, { shard: mixed }), {
    message: /several formats, got PyTorch, zip and safetensors/,
  });
});

t.test('Keras: kernels in the other order, variables by their layer', async (t) => {
  const { FS } = await h5.ready;
  const opened = new h5.File('made.h5', 'w');
  const write = (name: string, shape: number[], data: Float32Array): void => {
    const groups = name.split('/').slice(0, -1);
    groups.forEach((_, i) => opened.create_group(groups.slice(0, i + 1).join('/')));
    opened.create_dataset({ name, shape, data, dtype: '<f' });
  };
  write('body/body/kernel:0', [3, 2], Float32Array.of(1, 4, 2, 5, 3, 6));
  write('wide/wide/depthwise_kernel:0', [1, 2, 2, 3], ramp(12, 0));
  opened.close();
  const bytes = FS.readFile('made.h5') as Uint8Array;
  const { tensors, format } = await readWeights(bytes, { name: 'made.h5' });
  t.equal(format, 'Keras, HDF5');
  t.same([...tensors.get('body/kernel')!.data], [1, 2, 3, 4, 5, 6]);
  // Output channel c * 3 + m, as PyTorch numbers the channels of groups; then the row of two pixels.
  t.same(tensors.get('wide/kernel')!.shape, [6, 1, 1, 2]);
  t.same([...tensors.get('wide/kernel')!.data], [0, 6, 1, 7, 2, 8, 3, 9, 4, 10, 5, 11]);
  const net = new Net();
  const report = await loadWeights(net, bytes, {
    strict: false,
    map: { 'wide/': undefined, 'body/kernel': 'body.weight' },
  });
  t.same([report.loaded, report.leftOut], [['body.weight'], ['wide/kernel']]);
  const plain = await loadWeights(new Net(), bytes, { strict: false });
  t.same([plain.loaded, plain.unexpected], [['body.weight'], ['wide.weight']]);
});

t.test('fingerprints', async (t) => {
  t.match(publishedFileOf(`0676ba61${'0'.repeat(56)}`), /resnet50-0676ba61\.pth of torchvision/);
  t.equal(publishedFileOf('0'.repeat(64)), undefined);
  const sha256 = createHash('sha256').update(file).digest('hex');
  checkNamedFingerprint(`net-${sha256.slice(0, 8)}.pth`, sha256);
  checkNamedFingerprint('net-3.pth', sha256);
  await t.rejects(readWeights(file, { name: 'resnet50-0676ba61.pth' }), {
    name: 'DataError',
    message: /resnet50-0676ba61\.pth is not the file that its name says; expected a SHA-256 that begins with 0676ba61/,
  });
});

t.test('the checksum of zip archives is that of zlib', (t) => {
  for (const size of [0, 1, 7, 8, 9, 1000, 4099]) {
    const bytes = Uint8Array.from({ length: size }, (_, i) => (i * 2654435761) >>> 24);
    t.equal(crc32(bytes), zlib.crc32(bytes), `${size} bytes`);
    t.equal(crc32(bytes.subarray(3)), zlib.crc32(bytes.subarray(3)));
  }
  t.end();
});
