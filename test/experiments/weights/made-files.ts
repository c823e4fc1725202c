// Files of weights by hand, good and bad: pickles and zip archives as torch.save writes them, and HDF5 as Keras does.
import zlib from 'node:zlib';
import type { StateDict } from '../../../engine/index.ts';

const ascii = (text: string): Buffer => Buffer.from(text, 'latin1');
const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};
const text = (value: string): Buffer =>
  Buffer.concat([ascii('X'), uint32(Buffer.byteLength(value)), Buffer.from(value)]);
const int = (value: number): Buffer => Buffer.concat([ascii('J'), uint32(value)]);
const tuple = (...values: Buffer[]): Buffer => Buffer.concat([ascii('('), ...values, ascii('t')]);
const global = (module: string, name: string): Buffer => ascii(`c${module}\n${name}\n`);
const call = (callee: Buffer, ...args: Buffer[]): Buffer => Buffer.concat([callee, tuple(...args), ascii('R')]);

export const PROTOCOL_2 = Buffer.of(0x80, 2);
/** A pickle that runs a program when Python reads it. */
export const malicious = Buffer.concat([PROTOCOL_2, call(global('os', 'system'), text('touch executed')), ascii('.')]);

/** A tensor with this shape and these strides of a storage. */
export const tensorOf = (
  storage: { key: string; length: number },
  offset: number,
  shape: readonly number[],
  strides: readonly number[],
): Buffer =>
  call(
    global('torch._utils', '_rebuild_tensor_v2'),
    Buffer.concat([
      tuple(text('storage'), global('torch', 'FloatStorage'), text(storage.key), text('cpu'), int(storage.length)),
      ascii('Q'),
    ]),
    int(offset),
    tuple(...shape.map(int)),
    tuple(...strides.map(int)),
    Buffer.of(0x89),
    call(global('collections', 'OrderedDict')),
  );

/** What may stand in the place of the tensor of an entry. */
export type Override = (key: string) => Buffer | undefined;

/** The pickle of a state dict of float32 tensors, whose storages are 0, 1, ... */
export function pickleOf(state: StateDict, override: Override = () => undefined): Buffer {
  const items = [...state].map(([key, { shape, values }], i) => {
    const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
    const tensor = tensorOf({ key: String(i), length: values.length }, 0, shape, strides);
    return Buffer.concat([text(key), override(key) ?? tensor, ascii('s')]);
  });
  return Buffer.concat([PROTOCOL_2, call(global('collections', 'OrderedDict')), ...items, ascii('.')]);
}

const bytesOf = ({ values }: { values: ArrayLike<number> }): Buffer => Buffer.from(Float32Array.from(values).buffer);

/** Entries of the zip archive of a state dict. */
export const zipEntriesOf = (state: StateDict, override?: Override): [name: string, content: Buffer][] => [
  ['archive/data.pkl', pickleOf(state, override)],
  ...[...state.values()].map((entry, i): [string, Buffer] => [`archive/data/${i}`, bytesOf(entry)]),
  ['archive/version', ascii('3\n')],
];

/** A zip archive; the entries named in `compressed` are deflated. */
export function zip(
  entries: readonly (readonly [name: string, content: Buffer])[],
  compressed: readonly string[] = [],
): Buffer {
  const [parts, directory]: [Buffer[], Buffer[]] = [[], []];
  let at = 0;
  for (const [name, content] of entries) {
    const deflates = compressed.includes(name);
    const stored = deflates ? zlib.deflateRawSync(content) : content;
    const header = Buffer.alloc(26);
    header.writeUInt16LE(20, 0);
    header.writeUInt16LE(deflates ? 8 : 0, 4);
    header.writeUInt32LE(zlib.crc32(content), 10);
    header.writeUInt32LE(stored.length, 14);
    header.writeUInt32LE(content.length, 18);
    header.writeUInt16LE(name.length, 22);
    const place = Buffer.alloc(14);
    place.writeUInt32LE(at, 10);
    directory.push(ascii('PK\x01\x02'), Buffer.of(20, 0), header, place, ascii(name));
    const local = Buffer.concat([ascii('PK\x03\x04'), header, ascii(name), stored]);
    parts.push(local);
    at += local.length;
  }
  const listing = Buffer.concat(directory);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(entries.length, 4);
  end.writeUInt16LE(entries.length, 6);
  end.writeUInt32LE(listing.length, 8);
  end.writeUInt32LE(at, 12);
  return Buffer.concat([...parts, listing, ascii('PK\x05\x06'), end]);
}

/** A state dict in the form before PyTorch 1.6. */
export function oldFile(state: StateDict): Buffer {
  const magic = Buffer.from('80028a0a6cfc9c46f9206aa850192e', 'hex');
  const version = Buffer.concat([PROTOCOL_2, ascii('M'), Buffer.of(0xe9, 3), ascii('.')]);
  const system = Buffer.concat([PROTOCOL_2, ascii('}'), text('little_endian'), Buffer.of(0x88), ascii('s.')]);
  const pickle = pickleWithViews(state);
  const keys = [...state.keys()].map((_, i) => Buffer.concat([text(String(i)), ascii('a')]));
  const order = Buffer.concat([PROTOCOL_2, ascii(']'), ...keys, ascii('.')]);
  const storages = [...state.values()].flatMap((entry) => {
    const length = Buffer.alloc(8);
    length.writeBigInt64LE(BigInt(entry.values.length));
    return [length, bytesOf(entry)];
  });
  return Buffer.concat([magic, version, system, pickle, order, ...storages]);
}

/** In the old form a storage's id ends with None. */
function pickleWithViews(state: StateDict): Buffer {
  const pickle = pickleOf(state);
  return Buffer.from(pickle.toString('latin1').replaceAll('tQ', 'NtQ'), 'latin1');
}
