// One door to weights in other people's files: what a file is, is told by its first bytes, not by its name. Works on bytes, and so
// in browsers too; a path is read in Node.
import { ConfigError, DataError, readSafetensors, type SafetensorsEntry } from '../../index.ts';
import { contentOf, foreignFile } from '../content.ts';
import { readWhole } from '../files.ts';
import { readIndex } from '../shards.ts';
import { checkNamedFingerprint, publishedFileOf, sha256Of } from './fingerprint.ts';
import { readKerasWeights } from './keras-file.ts';
import { isTorchPickle, readTorchPickle, readTorchZip, refuseBarePickle } from './torch-file.ts';

/** What a file turned out to be. */
export type WeightsFormat = 'PyTorch, zip' | 'PyTorch, before 1.6' | 'Keras, HDF5' | 'safetensors';

/** The content of a file: bytes, or a Blob or File of a browser. */
export type WeightsBytes = ArrayBuffer | Uint8Array | Blob;

/** A path in Node, or the content. */
export type WeightsSource = string | WeightsBytes;

/** How a file is read. */
export interface ReadWeightsOptions {
  /** The file's name for messages, where the content is given. Default: that of a File. */
  name?: string | undefined;
  /** Gives a file that an index names. Default: the file of that name beside the index, in Node. */
  shard?: ((name: string) => WeightsSource | Promise<WeightsSource>) | undefined;
}

/** A file of weights, or all files of an index, by the file's own names. Kernels of Keras have PyTorch's order of axes. */
export interface WeightsFile {
  readonly name: string;
  readonly format: WeightsFormat;
  /** Of the file, or of the index; undefined in a page that is not secure, where browsers have no SHA-256. */
  readonly sha256: string | undefined;
  /** The published file of that SHA-256, if it is one that is known. */
  readonly published: string | undefined;
  readonly tensors: Map<string, SafetensorsEntry>;
  /** The texts that safetensors keep beside the tensors. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Of an index: its files, with their SHA-256. */
  readonly shards?: readonly { readonly name: string; readonly sha256: string | undefined }[];
}

type Content = Pick<WeightsFile, 'format' | 'tensors' | 'metadata'>;

const LENGTH_BYTES = 8;
const BRACE = 0x7b;

const startsWith = (bytes: Uint8Array, text: string): boolean =>
  bytes.length >= text.length && [...text].every((character, i) => bytes[i] === character.charCodeAt(0));

/** An index is JSON from its first byte on; safetensors have eight bytes of length before it. */
function isIndex(bytes: Uint8Array): boolean {
  const isHeader = bytes[LENGTH_BYTES] === BRACE && bytes.slice(4, LENGTH_BYTES).every((byte) => byte === 0);
  return !isHeader && /^\s*\{/.test(String.fromCharCode(...bytes.subarray(0, 64)));
}

async function contentOfWeights(bytes: Uint8Array, file: string): Promise<Content> {
  const metadata = {};
  if (startsWith(bytes, 'PK\x03\x04')) return { format: 'PyTorch, zip', tensors: readTorchZip(bytes, file), metadata };
  if (isTorchPickle(bytes)) {
    return { format: 'PyTorch, before 1.6', tensors: readTorchPickle(bytes, file), metadata };
  }
  if (startsWith(bytes, '\x89HDF\r\n\x1a\n')) {
    return { format: 'Keras, HDF5', tensors: await readKerasWeights(bytes, file), metadata };
  }
  if (contentOf(bytes)?.name === 'a Python pickle') refuseBarePickle(bytes, file);
  if (bytes[LENGTH_BYTES] !== BRACE) throw foreignFile(file, bytes, 'a .pth, .h5 or .safetensors file of weights');
  return { format: 'safetensors', ...readSafetensors(bytes, file) };
}

async function bytesOf(source: WeightsSource): Promise<Uint8Array> {
  if (typeof source === 'string') return readWhole(source);
  // A plain view: the slice of Node's Buffer, which extends Uint8Array, does not copy.
  if (source instanceof Uint8Array) return new Uint8Array(source.buffer, source.byteOffset, source.byteLength);
  if (source instanceof ArrayBuffer) return new Uint8Array(source);
  if (typeof Blob === 'function' && source instanceof Blob) return new Uint8Array(await source.arrayBuffer());
  throw new ConfigError('not a file of weights', {
    operation: 'readWeights',
    argument: 'source',
    expected: 'a path, bytes in a Uint8Array or ArrayBuffer, or a Blob',
    given: Object.prototype.toString.call(source).slice('[object '.length, -1),
  });
}

function nameOf(source: WeightsSource, name: string | undefined): string {
  if (name !== undefined) return name;
  if (typeof source === 'string') return source;
  return source instanceof Blob && 'name' in source ? String(source.name) : 'the weights';
}

/** The files of an index one after the other. */
async function readShards(
  index: string,
  bytes: Uint8Array,
  shard: NonNullable<ReadWeightsOptions['shard']>,
): Promise<Content & Pick<WeightsFile, 'shards'>> {
  const tensors = new Map<string, SafetensorsEntry>();
  const shards: { name: string; sha256: string | undefined }[] = [];
  const formats = new Set<WeightsFormat>();
  let metadata: Readonly<Record<string, string>> = {};
  for (const [name, keys] of readIndex(index, bytes)) {
    const source = await shard(name);
    const file = typeof source === 'string' ? source : name;
    const content = await bytesOf(source);
    const read = await contentOfWeights(content, file);
    shards.push({ name, sha256: await sha256Of(content) });
    formats.add(read.format);
    metadata = { ...metadata, ...read.metadata };
    for (const key of keys) {
      const tensor = read.tensors.get(key);
      if (!tensor) throw new DataError(`${file} lacks '${key}', which ${index} lists`);
      tensors.set(key, tensor);
    }
  }
  const [format, other] = formats;
  if (other) throw new DataError(`${index} names files of several formats`, { given: `${format} and ${other}` });
  return { format: format!, tensors, metadata, shards };
}

function noShards(index: string): never {
  throw new ConfigError(`${index} is an index, whose files are not here`, {
    operation: 'readWeights',
    argument: 'shard',
    expected: 'a function from the name of a file to its content',
  });
}

/**
 * Reads weights from a file or its content: state dicts of PyTorch (`.pth`, `.pt`, `.bin`; zip archives and the form before
 * 1.6), weights of Keras (`.h5`), safetensors, and indexes of files of these. Nothing in a file is executed.
 *
 * Throws DataError, naming the file and the byte, for what is damaged or something else; a pickle that calls what no weights
 * need is refused with the name of its opcode. A file whose name ends with digits of its SHA-256, as torchvision's do, must have them.
 */
export async function readWeights(source: WeightsSource, options: ReadWeightsOptions = {}): Promise<WeightsFile> {
  const bytes = await bytesOf(source);
  const name = nameOf(source, options.name);
  const sha256 = await sha256Of(bytes);
  if (sha256 !== undefined) checkNamedFingerprint(name, sha256);
  const beside = (shard: string): WeightsSource =>
    typeof source === 'string' ? source.replace(/[^/\\]*$/, () => shard) : noShards(name);
  const content = isIndex(bytes)
    ? await readShards(name, bytes, options.shard ?? beside)
    : await contentOfWeights(bytes, name);
  return { name, sha256, published: sha256 === undefined ? undefined : publishedFileOf(sha256), ...content };
}
