// Entries of the zip archives that PyTorch writes: stored, not compressed, and with checksums, which are checked. Archives of
// more than 4 GiB, which no backbone here reaches, are refused.
import { DataError } from '../../index.ts';
import { crc32 } from './crc32.ts';

const END_OF_DIRECTORY = 0x06054b50;
const DIRECTORY_ENTRY = 0x02014b50;
const LOCAL_HEADER = 0x04034b50;
const LONGEST_COMMENT = 0xffff;

/** The content of each entry by its name. Throws DataError, naming the byte, for an archive that is damaged or compressed. */
export function readStoredZip(bytes: Uint8Array, file: string): Map<string, Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const fail = (at: number, reason: string): never => {
    throw new DataError(`${file}, byte ${at}: ${reason}`, {
      hint: 'Get the file again: a download may have been cut off',
    });
  };
  const uint32 = (at: number): number =>
    at + 4 <= bytes.length ? view.getUint32(at, true) : fail(at, 'the archive ends too early');
  const uint16 = (at: number): number =>
    at + 2 <= bytes.length ? view.getUint16(at, true) : fail(at, 'the archive ends too early');
  let end = bytes.length - 22;
  while (end >= 0 && end >= bytes.length - 22 - LONGEST_COMMENT && uint32(end) !== END_OF_DIRECTORY) end--;
  if (end < 0 || uint32(end) !== END_OF_DIRECTORY) fail(bytes.length, 'the archive has no directory at its end');
  const entries = new Map<string, Uint8Array>();
  let at = uint32(end + 16);
  for (let left = uint16(end + 10); left > 0; left--) {
    if (uint32(at) !== DIRECTORY_ENTRY) fail(at, 'the directory of the archive is damaged');
    const [flags, method, checksum, stored, size] = [
      uint16(at + 8),
      uint16(at + 10),
      uint32(at + 16),
      uint32(at + 20),
      uint32(at + 24),
    ];
    const [nameLength, extraLength, commentLength, local] = [
      uint16(at + 28),
      uint16(at + 30),
      uint16(at + 32),
      uint32(at + 42),
    ];
    const name = new TextDecoder().decode(bytes.subarray(at + 46, at + 46 + nameLength));
    if (method !== 0 || stored !== size || flags & 1)
      fail(at, `'${name}' is compressed or encrypted, as torch.save never writes`);
    if (uint32(local) !== LOCAL_HEADER) fail(local, `'${name}' does not begin where the directory says`);
    const begin = local + 30 + uint16(local + 26) + uint16(local + 28);
    if (begin + size > bytes.length) fail(begin, `'${name}' ends behind the archive`);
    const content = bytes.subarray(begin, begin + size);
    if (crc32(content) !== checksum) fail(begin, `'${name}' does not have its checksum`);
    entries.set(name, content);
    at += 46 + nameLength + extraLength + commentLength;
  }
  return entries;
}
