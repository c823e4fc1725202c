// What a file is by its first bytes, for the readers of weights and data: a Git LFS pointer, a web page or an archive is often
// given in place of the file that is meant, and its own name helps more than "damaged". Works on bytes; touches no file.
import { DataError } from '../errors.ts';

export interface Content {
  /** With its article: `a Git LFS pointer`. */
  readonly name: string;
  /** What to do about it, as a sentence without its full stop. */
  readonly hint?: string;
}

interface Signature extends Content {
  /** Tells from the first bytes, which stand in `text` as one character a byte. */
  matches(text: string): boolean;
}

/** Bytes that are looked at: the magic word of tar stands at byte 257. */
const LOOKED_AT = 512;

const starting = (...starts: readonly string[]) => {
  return (text: string): boolean => starts.some((start) => text.startsWith(start));
};

const unpack = (program: string): string => `Unpack it (${program}) and give what is inside`;

/** In the order in which they are tried. */
const signatures: readonly Signature[] = [
  {
    name: 'a Git LFS pointer',
    hint: 'It stands for a file that has not been downloaded: run `git lfs pull` in its repository, or download the file itself',
    matches: starting('version https://git-lfs.github.com/spec/', 'version https://hawser.github.com/spec/'),
  },
  {
    name: 'a git-annex pointer',
    hint: 'It stands for a file that has not been downloaded: run `git annex get` in its repository',
    matches: (text) => /^(?:\.\.\/)*(?:\/annex\/objects\/|\.git\/annex\/objects\/)/.test(text),
  },
  {
    name: 'a web page',
    hint: 'The server answered with a page (a log-in, a notice, an error) in place of the file: open the address in a browser',
    matches: (text) =>
      /^(?:\xef\xbb\xbf)?\s*(?:<!--[^]*?-->\s*)?<(?:!doctype\s+html|html|head|body|title|script)\b/i.test(text),
  },
  {
    name: 'an XML document',
    hint: 'A server may have answered with an error in place of the file: open it in an editor',
    matches: (text) => /^(?:\xef\xbb\xbf)?\s*<\?xml\b/i.test(text),
  },
  {
    name: 'a zip archive',
    hint: `${unpack('unzip')}; PyTorch's own weights (.pth) are such archives: loadWeights of wgrad/weights reads them`,
    matches: starting('PK\x03\x04', 'PK\x05\x06', 'PK\x07\x08'),
  },
  { name: 'a gzip file', hint: unpack('gunzip, or tar xzf'), matches: starting('\x1f\x8b') },
  { name: 'a bzip2 file', hint: unpack('bunzip2, or tar xjf'), matches: (text) => /^BZh[1-9]/.test(text) },
  { name: 'an xz file', hint: unpack('unxz, or tar xJf'), matches: starting('\xfd7zXZ\0') },
  { name: 'a zstd file', hint: unpack('unzstd'), matches: starting('\x28\xb5\x2f\xfd') },
  { name: 'a 7z archive', hint: unpack('7z x'), matches: starting('7z\xbc\xaf\x27\x1c') },
  { name: 'a RAR archive', hint: unpack('unrar x'), matches: starting('Rar!\x1a\x07') },
  { name: 'a tar archive', hint: unpack('tar xf'), matches: (text) => text.startsWith('ustar', 257) },
  {
    name: 'an AppleDouble file',
    hint: 'macOS puts it beside the real file, which has the same name without `._`',
    matches: starting('\0\x05\x16\x07', '\0\x05\x16\0'),
  },
  { name: 'an HDF5 file', matches: starting('\x89HDF\r\n\x1a\n') },
  { name: 'a MATLAB file', matches: starting('MATLAB 5.0 MAT-file', 'MATLAB 7.') },
  { name: 'a NumPy array', matches: starting('\x93NUMPY') },
  {
    name: 'a Python pickle',
    hint: 'If it holds PyTorch weights (.pth), loadWeights of wgrad/weights reads them',
    matches: starting('\x80\x02', '\x80\x03', '\x80\x04', '\x80\x05'),
  },
  { name: 'a PNG picture', matches: starting('\x89PNG\r\n\x1a\n') },
  { name: 'a JPEG picture', matches: starting('\xff\xd8\xff') },
  { name: 'a GIF picture', matches: starting('GIF87a', 'GIF89a') },
  { name: 'a WebP picture', matches: (text) => /^RIFF[^]{4}WEBP/.test(text) },
  { name: 'a TIFF picture', matches: starting('II*\0', 'MM\0*', 'II+\0', 'MM\0+') },
  {
    name: 'a HEIF or AVIF picture',
    hint: 'Convert it to JPEG or PNG',
    matches: (text) => /^[^]{4}ftyp(?:hei[cfmsx]|hev[cmsx]|mif1|msf1|avif|avis)/.test(text),
  },
  { name: 'a BMP picture', hint: 'Convert it to PNG', matches: (text) => /^BM[^]{4}\0\0\0\0/.test(text) },
  { name: 'an SVG drawing', hint: 'Save it as PNG', matches: (text) => /^(?:\xef\xbb\xbf)?\s*<svg\b/i.test(text) },
  { name: 'a PDF document', matches: starting('%PDF-') },
];

/** What the bytes are by their beginning, or undefined where that does not say. */
export function contentOf(bytes: Uint8Array): Content | undefined {
  if (bytes.length === 0) return { name: 'an empty file', hint: 'Get the file again' };
  const head = bytes.subarray(0, LOOKED_AT);
  if (head.every((byte) => byte === 0)) {
    return { name: 'nothing but zeros', hint: 'A download was cut off, or a disk was full: get the file again' };
  }
  const text = String.fromCharCode(...head);
  const found = signatures.find((signature) => signature.matches(text));
  return found && { name: found.name, hint: found.hint };
}

/**
 * The error for a file that is not `expected` (`a PNG file`): it says what the file is where its first bytes tell, and calls it
 * damaged otherwise. `otherwise` is said in that case.
 */
export function foreignFile(file: string, bytes: Uint8Array, expected: string, otherwise?: string): DataError {
  const content = contentOf(bytes);
  if (content) return new DataError(`${file}, byte 0: ${content.name}, not ${expected}`, { hint: content.hint });
  return new DataError(`${file}, byte 0: not ${expected}`, { given: `${bytes.length} bytes`, hint: otherwise });
}
