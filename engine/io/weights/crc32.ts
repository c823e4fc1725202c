// The checksum of zip archives, eight bytes at a time ("slicing by eight", Kounavis and Berry 2005): Node's own is not in browsers.

const REFLECTED_POLYNOMIAL = 0xedb88320;
const SLICES = 8;

/** Row k: what a byte gives that stands k bytes before the last one of eight. */
const tables = ((): Int32Array[] => {
  const rows = Array.from({ length: SLICES }, () => new Int32Array(256));
  for (let byte = 0; byte < 256; byte++) {
    let value = byte;
    for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ REFLECTED_POLYNOMIAL : value >>> 1;
    rows[0]![byte] = value;
  }
  for (let k = 1; k < SLICES; k++) {
    for (let byte = 0; byte < 256; byte++) {
      const before = rows[k - 1]![byte]!;
      rows[k]![byte] = rows[0]![before & 0xff]! ^ (before >>> 8);
    }
  }
  return rows;
})();

/** CRC-32 of the bytes, as an unsigned number. */
export function crc32(bytes: Uint8Array): number {
  const [t0, t1, t2, t3, t4, t5, t6, t7] = tables as [
    ...[Int32Array, Int32Array, Int32Array, Int32Array],
    ...[Int32Array, Int32Array, Int32Array, Int32Array],
  ];
  let crc = -1;
  let i = 0;
  for (const end = bytes.length - SLICES; i <= end; i += SLICES) {
    crc =
      t7[(crc ^ bytes[i]!) & 0xff]! ^
      t6[((crc >>> 8) ^ bytes[i + 1]!) & 0xff]! ^
      t5[((crc >>> 16) ^ bytes[i + 2]!) & 0xff]! ^
      t4[(crc >>> 24) ^ bytes[i + 3]!]! ^
      t3[bytes[i + 4]!]! ^
      t2[bytes[i + 5]!]! ^
      t1[bytes[i + 6]!]! ^
      t0[bytes[i + 7]!]!;
  }
  for (; i < bytes.length; i++) crc = t0[(crc ^ bytes[i]!) & 0xff]! ^ (crc >>> 8);
  return ~crc >>> 0;
}
