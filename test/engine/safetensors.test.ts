// Safetensors: round trips, files written by others, and what a reader says about damaged files.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { DataError } from '../../engine/errors.ts';
import { readSafetensors, type SafetensorsEntry, writeSafetensors } from '../../engine/io/safetensors.ts';
import { sharedData } from '../shared-data.ts';

const entries: [string, SafetensorsEntry][] = [
  ['mask', { dtype: 'BOOL', shape: [3], data: new Uint8Array([1, 0, 1]) }],
  ['conv.weight', { dtype: 'F32', shape: [2, 1, 2], data: new Float32Array([1, -0, NaN, 3e38]) }],
  ['scalar', { dtype: 'F32', shape: [], data: new Float32Array([7]) }],
  ['empty', { dtype: 'F32', shape: [0, 5], data: new Float32Array(0) }],
  ['num_batches_tracked', { dtype: 'I64', shape: [1], data: new BigInt64Array([-(2n ** 60n)]) }],
  ['half', { dtype: 'F16', shape: [1], data: new Uint16Array([0x3c00]) }],
  ['Gewicht ä 😀 "', { dtype: 'I32', shape: [2], data: new Int32Array([-1, 2]) }],
];
const metadata = { format: 'pt', note: 'ü' };

t.test('what is written is read again', (t) => {
  const bytes = writeSafetensors({ tensors: new Map(entries), metadata });
  const file = readSafetensors(bytes, 'a.safetensors');
  t.same(file.metadata, metadata);
  t.equal(file.tensors.size, entries.length);
  for (const [name, entry] of entries) t.same(file.tensors.get(name), entry, name);
  t.same(writeSafetensors(file), bytes, 'and written again with the same bytes');
  const order = [...entries].reverse();
  t.same(writeSafetensors({ tensors: new Map(order), metadata }), bytes, 'in whatever order');
  t.end();
});

t.test('tensors are aligned and start at a multiple of 8', (t) => {
  const bytes = writeSafetensors({ tensors: new Map(entries) });
  t.equal(new DataView(bytes.buffer).getUint32(0, true) % 8, 0);
  for (const [name, { data }] of readSafetensors(bytes, 'a').tensors) {
    t.equal(data.byteOffset % data.BYTES_PER_ELEMENT, 0, name);
    t.equal(data.buffer, bytes.buffer, `${name} shares the memory of the file`);
  }
  t.end();
});

/** A file with this header text and data. */
function fileOf(header: string, data: readonly number[] = []): Uint8Array {
  const text = new TextEncoder().encode(header);
  const bytes = new Uint8Array(8 + text.length + data.length);
  new DataView(bytes.buffer).setUint32(0, text.length, true);
  bytes.set(text, 8);
  bytes.set(data, 8 + text.length);
  return bytes;
}

t.test('unaligned files of other writers are read', (t) => {
  const bytes = fileOf('{"x":{"dtype":"I32","shape":[1],"data_offsets":[0,4]} }', [1, 2, 0, 0]);
  t.not(bytes.length % 4, 0);
  t.same(readSafetensors(bytes, 'a').tensors.get('x')?.data, new Int32Array([513]));
  const inside = new Uint8Array(bytes.length + 3);
  inside.set(bytes, 3);
  t.same(readSafetensors(inside.subarray(3), 'a').tensors.get('x')?.data, new Int32Array([513]), 'part of a buffer');
  t.same(readSafetensors(Buffer.from(bytes), 'a').tensors.get('x')?.data, new Int32Array([513]), "Node's Buffer");
  t.same(readSafetensors(bytes.buffer as ArrayBuffer, 'a').tensors.size, 1, 'an ArrayBuffer');
  t.equal(readSafetensors(fileOf('{}'), 'a').tensors.size, 0, 'no tensors');
  t.end();
});

const four = [0, 0, 0, 0];
const entry = (offsets: string, rest = '"dtype":"F32","shape":[1]') => `{${rest},"data_offsets":[${offsets}]}`;

/** Damage, and what the message must say: the byte and the fault. */
const damaged: [string, Uint8Array, RegExp][] = [
  ['nothing', new Uint8Array(0), /bad\.safetensors, byte 0: the file ends inside the header length/],
  ['a part of the length', new Uint8Array(5), /byte 5: the file ends inside the header length/],
  ['a length past all reason', new Uint8Array(16).fill(255), /byte 0: bad header length/],
  ['a length past the end', fileOf('{}').subarray(0, 9), /byte 9: the file ends inside the header/],
  ['no JSON', fileOf('{"x":'), /byte 8: the header is not JSON/],
  ['no UTF-8', fileOf('{"x":"', [255]).fill(255, 10), /byte 8: the header is not JSON/],
  ['no object', fileOf('[1]'), /byte 8: the header is not a JSON object/],
  ['no entry', fileOf('{"x":3}'), /byte 9: the entry of 'x' is not an object/],
  [
    'an unknown type',
    fileOf(`{"ä":${entry('0,4', '"dtype":"F5","shape":[1]')}}`, four),
    /byte 9: unknown element type of 'ä'.*F64, F32.*got F5/,
  ],
  [
    'a type that has no array',
    fileOf(`{"ä":${entry('0,1', '"dtype":"F8_E4M3","shape":[1]')}}`, [0]),
    /byte 9: 'ä' is of the element type F8_E4M3, which wgrad does not read.*F64, F32.*Convert/,
  ],
  [
    'a tensor twice',
    fileOf(`{"ä":${entry('0,4')}, "y":${entry('4,8')},"ä":${entry('8,12')}}`, [...four, ...four, ...four]),
    /byte 117: the header has the key 'ä' twice/,
  ],
  [
    'the same bytes twice',
    fileOf(`{"x":${entry('0,4')},"x":${entry('0,4')}}`, four),
    /the header has the key 'x' twice/,
  ],
  [
    'a tensor twice in two spellings',
    fileOf(`{"x\\u0022":${entry('0,4')},"x\\"" :${entry('0,4')}}`, four),
    /the header has the key 'x"' twice/,
  ],
  ['a shape twice', fileOf(`{"x":${entry('0,4', '"dtype":"F32","shape":[1],"shape":[1]')}}`, four), /'shape' twice/],
  ['metadata twice', fileOf('{"__metadata__":{},"__metadata__":{}}'), /the key '__metadata__' twice/],
  ['a text twice', fileOf('{"__metadata__":{"a":"1","b":"}","a":"1"}}'), /the key 'a' twice/],
  ['a mark before the header', fileOf('\ufeff{}'), /byte 8: the header is not JSON/],
  [
    'tensors past 2 GiB that are not there',
    fileOf(`{"x":${entry('0,3000000000', '"dtype":"U8","shape":[3,1000000000]')}}`, four),
    /the file ends inside 'x'; expected 30000000\d\d bytes/,
  ],
  ['a type of Object', fileOf(`{"x":${entry('0,4', '"dtype":"toString","shape":[1]')}}`, four), /unknown element type/],
  ['no shape', fileOf(`{"x":${entry('0,4', '"dtype":"F32"')}}`, four), /bad shape of 'x'/],
  ['a negative size', fileOf(`{"x":${entry('0,4', '"dtype":"F32","shape":[-1]')}}`, four), /bad shape of 'x'/],
  ['one offset', fileOf(`{"x":${entry('4')}}`, four), /bad data_offsets of 'x'/],
  ['a wrong size', fileOf(`{"x":${entry('0,3')}}`, four), /'x' do not fit its shape; expected 4 bytes, got 3/],
  ['a gap', fileOf(`{"x":${entry('4,8')}}`, [...four, ...four]), /'x' leaves a gap before it; expected begin 0, got 4/],
  [
    'an overlap',
    fileOf(`{"x":${entry('0,4')},"y":${entry('2,6')}}`, [...four, 0, 0]),
    /'y' overlaps the tensor before it/,
  ],
  ['the end missing', fileOf(`{"x":${entry('0,4')}}`, [0, 0]), /byte \d+: the file ends inside 'x'/],
  ['bytes too many', fileOf(`{"x":${entry('0,4')}}`, [...four, 0]), /bytes after the last tensor/],
  ['metadata that is not a string', fileOf('{"__metadata__":{"a":1}}'), /__metadata__ must hold strings/],
];

t.test('a damaged file names itself, the byte and the fault', (t) => {
  for (const [what, bytes, message] of damaged) {
    const read = () => readSafetensors(bytes, 'bad.safetensors');
    t.throws(read, DataError, what);
    t.throws(read, { message }, what);
  }
  t.end();
});

t.test('a file cut anywhere, or with any byte of its header changed, never gives another error or wrong sizes', (t) => {
  const whole = writeSafetensors({ tensors: new Map(entries), metadata });
  const headerEnd = 8 + new DataView(whole.buffer).getUint32(0, true);
  for (let length = 0; length < whole.length; length++) {
    t.throws(() => readSafetensors(whole.slice(0, length), 'cut'), DataError, `cut at ${length}`);
  }
  const property = fc.property(fc.nat(headerEnd - 1), fc.nat(255), (at, value) => {
    const bytes = whole.slice();
    bytes[at] = value;
    try {
      for (const { shape, data } of readSafetensors(bytes, 'changed').tensors.values()) {
        if (data.length !== shape.reduce((product, n) => product * n, 1)) throw new Error('wrong size');
      }
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
    }
  });
  fc.assert(property, { seed: 24, numRuns: 3000 });
  t.pass('3000 changes');
  t.end();
});

t.test('the same key in different objects is no fault, nor is a name of Object', (t) => {
  const bytes = fileOf(
    `{"__metadata__":{"dtype":"x","__proto__":"y","a":"\\\\"},"dtype":${entry('0,4')},"__proto__":${entry('4,8')},` +
      `"10":${entry('8,8', '"dtype":"F64","shape":[0,7]')},"9":${entry('8,12')}  }   `,
    [...four, ...four, ...four],
  );
  const { tensors, metadata } = readSafetensors(bytes, 'a');
  t.same([...tensors.keys()], ['dtype', '__proto__', '10', '9'], 'in the order of the file');
  t.same(Object.entries(metadata), [
    ['dtype', 'x'],
    ['__proto__', 'y'],
    ['a', '\\'],
  ]);
  t.same(tensors.get('10'), { dtype: 'F64', shape: [0, 7], data: new Float64Array(0) });
  t.end();
});

t.test('the time for a header is in proportion to its length', (t) => {
  // Were it quadratic, this would take half an hour.
  const count = 100_000;
  const data = new Float32Array(count);
  const tensors = new Map<string, SafetensorsEntry>();
  for (let i = 0; i < count; i++) {
    tensors.set(`layers.${i}.weight`, { dtype: 'F32', shape: [1], data: data.subarray(i, i + 1).fill(i) });
  }
  const started = performance.now();
  const read = readSafetensors(writeSafetensors({ tensors }), 'many').tensors;
  const seconds = (performance.now() - started) / 1000;
  t.equal(read.size, count);
  t.equal(read.get('layers.77777.weight')?.data[0], 77777);
  t.ok(seconds < 20, `${seconds.toFixed(1)} s`);
  t.end();
});

t.test('entries that do not fit are not written', (t) => {
  const tensors = (entry: SafetensorsEntry) => ({ tensors: new Map([['x', entry]]) });
  const short: SafetensorsEntry = { dtype: 'F32', shape: [3], data: new Float32Array(2) };
  t.throws(() => writeSafetensors(tensors(short)), /'x' cannot be written; expected 3 values of F32/);
  const other: SafetensorsEntry = { dtype: 'F32', shape: [2], data: new Int32Array(2) };
  t.throws(() => writeSafetensors(tensors(other)), DataError);
  t.end();
});

const golden = sharedData('golden/open');
t.test('the golden files', { skip: golden ? false : 'no ../shared/golden/open' }, (t) => {
  const folder = golden!;
  const files = readdirSync(folder).filter((file) => file.endsWith('.safetensors'));
  let count = 0;
  for (const file of files) {
    const bytes = readFileSync(path.join(folder, file));
    const { tensors } = readSafetensors(bytes, file);
    for (const { dtype, data } of tensors.values()) {
      count++;
      if (dtype === 'F32' && !(data as Float32Array).every(Number.isFinite))
        t.fail(`${file} holds a number that is not finite`);
    }
    const again = readSafetensors(writeSafetensors({ tensors }), file);
    t.same([...again.tensors.keys()].sort(), [...tensors.keys()].sort(), file);
  }
  t.ok(count > 1000, `${count} tensors in ${files.length} files`);
  t.end();
});
