// State dicts that torch.save wrote: since PyTorch 1.6 a zip archive of one pickle and a file for each storage, before that four
// pickles in a row, a fifth with the order of the storages, and these behind it. Nothing in a file is executed (see pickle.ts).
import { DataError, type SafetensorsEntry } from '../../index.ts';
import { foreignFile } from '../content.ts';
import { type PickleContext, PickleGlobal, PickleObject, type PickleValue, readPickle } from './pickle.ts';
import { readStoredZip } from './zip.ts';

/** Element types of storages by their class in PyTorch. */
const storageTypes = {
  FloatStorage: { dtype: 'F32', array: Float32Array },
  DoubleStorage: { dtype: 'F64', array: Float64Array },
  HalfStorage: { dtype: 'F16', array: Uint16Array },
  BFloat16Storage: { dtype: 'BF16', array: Uint16Array },
  LongStorage: { dtype: 'I64', array: BigInt64Array },
  IntStorage: { dtype: 'I32', array: Int32Array },
  ShortStorage: { dtype: 'I16', array: Int16Array },
  CharStorage: { dtype: 'I8', array: Int8Array },
  ByteStorage: { dtype: 'U8', array: Uint8Array },
  BoolStorage: { dtype: 'BOOL', array: Uint8Array },
} as const;
type StorageClass = keyof typeof storageTypes;

const storageClasses = new Set(Object.keys(storageTypes).map((name) => `torch.${name}`));

/** Numbers in a row, which tensors look at. */
class TorchStorage extends PickleObject {
  protected readonly kind = 'storage';
  readonly key: string;
  readonly type: StorageClass;
  /** In elements. */
  readonly length: number;

  constructor(key: string, type: StorageClass, length: number) {
    super();
    this.key = key;
    this.type = type;
    this.length = length;
  }

  get bytesPerElement(): number {
    return storageTypes[this.type].array.BYTES_PER_ELEMENT;
  }
}

/** A view of a storage; offset and strides count elements. */
class TorchTensor extends PickleObject {
  protected readonly kind = 'tensor';
  readonly storage: TorchStorage;
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];

  constructor(storage: TorchStorage, offset: number, shape: readonly number[], strides: readonly number[]) {
    super();
    this.storage = storage;
    this.offset = offset;
    this.shape = shape;
    this.strides = strides;
  }
}

const isSize = (value: PickleValue): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isSizes = (value: PickleValue): value is number[] => Array.isArray(value) && value.every(isSize);

/** What the pickle of a state dict may call, and what it refers to. Storages are added to `storages` by their key. */
function contextOf(file: string, storages = new Map<string, TorchStorage>()): PickleContext {
  const bad = (what: string): never => {
    throw new DataError(`${file}: ${what} in the pickle is not as torch.save writes it`);
  };
  const tensor = ([storage, offset, shape, strides]: readonly PickleValue[]): TorchTensor => {
    if (!(storage instanceof TorchStorage) || !isSize(offset) || !isSizes(shape) || !isSizes(strides))
      return bad('a tensor');
    const size = shape.reduce((product, n) => product * n, 1);
    const end = size && offset + shape.reduce((last, n, axis) => last + (n - 1) * strides[axis]!, 1);
    // A stride of 0 would make any number of elements of one.
    if (shape.length !== strides.length || size > storage.length || !(end <= storage.length)) return bad('a tensor');
    return new TorchTensor(storage, offset, shape, strides);
  };
  const parameter = ([data]: readonly PickleValue[]): TorchTensor =>
    data instanceof TorchTensor ? data : bad('a parameter');
  return {
    file,
    functions: {
      'collections.OrderedDict': () => new Map(),
      'torch._utils._rebuild_tensor': tensor,
      'torch._utils._rebuild_tensor_v2': tensor,
      'torch._utils._rebuild_parameter': parameter,
    },
    classes: storageClasses,
    persistent(id) {
      const [kind, type, key, , length, view] = Array.isArray(id) ? id : [];
      const isStorage = kind === 'storage' && type instanceof PickleGlobal && storageClasses.has(type.name);
      if (!isStorage || typeof key !== 'string' || !isSize(length) || view !== undefined) return bad('a storage');
      const storage = new TorchStorage(key, type.name.slice('torch.'.length) as StorageClass, length);
      storages.set(key, storage);
      return storage;
    },
  };
}

/** Where the state dict is in a training checkpoint. */
const WRAPPERS = ['state_dict', 'model_state_dict', 'model', 'model_state'];

function tensorsOf(value: PickleValue, file: string): Map<string, TorchTensor> {
  if (!(value instanceof Map))
    throw new DataError(`${file}: no state dict in the file`, { hint: 'Save model.state_dict()' });
  const inner = WRAPPERS.map((name) => value.get(name)).find((each) => each instanceof Map);
  const tensors = new Map<string, TorchTensor>();
  for (const [name, tensor] of inner ?? value) {
    if (typeof name === 'string' && tensor instanceof TorchTensor) tensors.set(name, tensor);
  }
  if (tensors.size === 0) {
    throw new DataError(`${file}: the state dict has no tensors`, { hint: 'Save model.state_dict()' });
  }
  return tensors;
}

/** Copies a tensor out of its storage's bytes. */
function entryOf({ storage, offset, shape, strides }: TorchTensor, bytes: Uint8Array): SafetensorsEntry {
  const { dtype, array } = storageTypes[storage.type];
  const width = storage.bytesPerElement;
  const size = shape.reduce((product, n) => product * n, 1);
  const rowMajor = shape.map((_, axis) => shape.slice(axis + 1).reduce((product, n) => product * n, 1));
  if (rowMajor.every((stride, axis) => stride === strides[axis] || shape[axis] === 1)) {
    return { dtype, shape, data: new array(bytes.slice(offset * width, (offset + size) * width).buffer) };
  }
  const copy = new Uint8Array(size * width);
  for (let i = 0; i < size; i++) {
    const at = shape.reduce((sum, n, axis) => sum + (Math.floor(i / rowMajor[axis]!) % n) * strides[axis]!, offset);
    copy.set(bytes.subarray(at * width, (at + 1) * width), i * width);
  }
  return { dtype, shape, data: new array(copy.buffer) };
}

function entriesOf(
  tensors: ReadonlyMap<string, TorchTensor>,
  file: string,
  content: (key: string) => Uint8Array | undefined,
): Map<string, SafetensorsEntry> {
  return new Map(
    [...tensors].map(([name, tensor]) => {
      const bytes = content(tensor.storage.key);
      if (!bytes || bytes.length < tensor.storage.length * tensor.storage.bytesPerElement) {
        throw new DataError(`${file}: the numbers of '${name}' are not in the file`, { hint: 'Get the file again' });
      }
      return [name, entryOf(tensor, bytes)];
    }),
  );
}

/** The tensors of a zip archive of torch.save. */
export function readTorchZip(bytes: Uint8Array, file: string): Map<string, SafetensorsEntry> {
  const entries = readStoredZip(bytes, file);
  const pickle = [...entries.keys()].find((name) => /(^|\/)data\.pkl$/.test(name));
  if (pickle === undefined)
    throw new DataError(`${file}: a zip archive, but none of torch.save`, { expected: 'an entry data.pkl' });
  const folder = pickle.slice(0, -'data.pkl'.length);
  const order = entries.get(`${folder}byteorder`);
  if (order && new TextDecoder().decode(order) !== 'little') {
    throw new DataError(`${file}: written on a machine whose numbers begin with the highest byte`);
  }
  const { value } = readPickle(entries.get(pickle)!, 0, contextOf(file));
  return entriesOf(tensorsOf(value, file), file, (key) => entries.get(`${folder}data/${key}`));
}

/** The first of the five pickles of the old form: protocol 2, and a number of ten bytes. */
const MAGIC = [0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, 0x2e];

export const isTorchPickle = (bytes: Uint8Array): boolean => MAGIC.every((byte, i) => bytes[i] === byte);

/**
 * Throws for a pickle that is none of torch.save: what is in it that weights do not need, by its opcode, or else that it is a pickle.
 */
export function refuseBarePickle(bytes: Uint8Array, file: string): never {
  readPickle(bytes, 0, contextOf(file));
  throw foreignFile(file, bytes, 'weights that torch.save wrote');
}

/** The tensors of a file that torch.save wrote before PyTorch 1.6, or with `_use_new_zipfile_serialization=False`. */
export function readTorchPickle(bytes: Uint8Array, file: string): Map<string, SafetensorsEntry> {
  const storages = new Map<string, TorchStorage>();
  const context = contextOf(file, storages);
  let at = MAGIC.length;
  const next = (): PickleValue => {
    const { value, end } = readPickle(bytes, at, context);
    at = end;
    return value;
  };
  next(); // the protocol
  const system = next();
  if (!(system instanceof Map) || system.get('little_endian') !== true) {
    throw new DataError(`${file}: written on a machine whose numbers begin with the highest byte`);
  }
  const tensors = tensorsOf(next(), file);
  const keys = next();
  const contents = new Map<string, Uint8Array>();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (const key of Array.isArray(keys) ? keys : []) {
    const storage = typeof key === 'string' ? storages.get(key) : undefined;
    if (!storage) throw new DataError(`${file}, byte ${at}: a storage that no tensor looks at`);
    const length = storage.length * storage.bytesPerElement;
    if (at + 8 + length > bytes.length || Number(view.getBigInt64(at, true)) !== storage.length) {
      throw new DataError(`${file}, byte ${at}: the numbers of a storage end too early`, {
        hint: 'Get the file again',
      });
    }
    contents.set(storage.key, bytes.subarray(at + 8, at + 8 + length));
    at += 8 + length;
  }
  return entriesOf(tensors, file, (key) => contents.get(key));
}
