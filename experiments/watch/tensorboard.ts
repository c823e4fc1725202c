// Event files as TensorBoard reads them: records of length, masked CRC-32C of the length, an Event message, masked CRC-32C of it
// (tensorflow/core/lib/io/record_writer.h, tensorflow/core/util/event.proto). The bytes of the messages are the library's part
// (@bufbuild/protobuf/wire).
import path from 'node:path';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { DataError } from '../../engine/index.ts';
import { writeWhole } from '../runner/files.ts';
import type { Picture } from '../runner/paper.ts';
import type { WatchedFolder, WatchedRun } from './folder.ts';

/** Of Castagnoli's polynomial, reflected. */
const table = Uint32Array.from({ length: 256 }, (_, byte) => {
  let rest = byte;
  for (let bit = 0; bit < 8; bit++) rest = (rest >>> 1) ^ (rest & 1 ? 0x82f63b78 : 0);
  return rest;
});

/** CRC-32C of bytes (RFC 3720, appendix B.4). */
export function crc32c(bytes: Uint8Array): number {
  let rest = 0xffffffff;
  for (const byte of bytes) rest = (rest >>> 8) ^ table[(rest ^ byte) & 255]!;
  return ~rest >>> 0;
}

/** Rotated and moved, so that the checksum of bytes that hold checksums is not special. */
function maskedCrc(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** A message with its length and checksums: 16 bytes more. */
function framed(message: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(message.length + 16);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(message.length), true);
  view.setUint32(8, maskedCrc(bytes.subarray(0, 8)), true);
  bytes.set(message, 12);
  view.setUint32(12 + message.length, maskedCrc(message), true);
  return bytes;
}

/** Numbers of the fields of Event, Summary.Value and Summary.Image. */
const event = { wallTime: 1, step: 2, fileVersion: 3, summary: 5 };
const summaryValue = 1;
const value = { tag: 1, simpleValue: 2, image: 4 };
const image = { height: 1, width: 2, colorspace: 3, encoded: 4 };

type Fill = (writer: BinaryWriter) => void;

function nested(writer: BinaryWriter, field: number, fill: Fill): void {
  writer.tag(field, WireType.LengthDelimited).fork();
  fill(writer);
  writer.join();
}

/** One event. `seconds`: wall time since 1970. */
function eventOf(seconds: number, step: number, fill: Fill): Uint8Array {
  const writer = new BinaryWriter();
  writer.tag(event.wallTime, WireType.Bit64).double(seconds);
  if (step !== 0) writer.tag(event.step, WireType.Varint).int64(step);
  fill(writer);
  return framed(writer.finish());
}

const withValue = (tag: string, fill: Fill): Fill => {
  const ofValue: Fill = (writer) => {
    writer.tag(value.tag, WireType.LengthDelimited).string(tag);
    fill(writer);
  };
  return (writer) => nested(writer, event.summary, () => nested(writer, summaryValue, ofValue));
};

const scalar = (tag: string, number: number): Fill =>
  withValue(tag, (writer) => writer.tag(value.simpleValue, WireType.Bit32).float(number));

/** Channels by the colour type of a PNG file. */
const channels: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 3, 4: 2, 6: 4 };

/** A PNG file, whose size and colours stand in its first chunk. Throws DataError for anything else. */
function picture(tag: string, png: string): Fill {
  const bytes = Buffer.from(png, 'base64');
  if (bytes.length < 33 || bytes.toString('latin1', 1, 4) !== 'PNG') {
    throw new DataError(`the picture '${tag}' is no PNG file`);
  }
  return withValue(tag, (writer) =>
    nested(writer, value.image, () => {
      writer.tag(image.height, WireType.Varint).int32(bytes.readUInt32BE(20));
      writer.tag(image.width, WireType.Varint).int32(bytes.readUInt32BE(16));
      writer.tag(image.colorspace, WireType.Varint).int32(channels[bytes[25]!] ?? 3);
      writer.tag(image.encoded, WireType.LengthDelimited).bytes(bytes);
    }),
  );
}

/**
 * The bytes of an event file of one run: each curve under its name with its points as steps from 1, each metric as `final/<name>` and
 * each picture at the last step. The wall time of all is that of the run's file. What is not finite is written as it is.
 */
export function eventFile(run: Omit<WatchedRun, 'id'>, pictures: readonly Picture[] = []): Uint8Array {
  const { curves, metrics, changed } = run;
  const seconds = changed / 1000;
  const parts = [
    eventOf(seconds, 0, (writer) => writer.tag(event.fileVersion, WireType.LengthDelimited).string('brain.Event:2')),
  ];
  const last = Math.max(1, ...Object.values(curves).map(({ length }) => length));
  for (const [name, values] of Object.entries(curves)) {
    values.forEach((each, i) => parts.push(eventOf(seconds, i + 1, scalar(name, each ?? NaN))));
  }
  for (const [name, each] of Object.entries(metrics)) {
    parts.push(eventOf(seconds, last, scalar(`final/${name}`, each ?? NaN)));
  }
  for (const { label, images } of pictures) {
    for (const { caption, png } of images) parts.push(eventOf(seconds, last, picture(`${label}/${caption}`, png)));
  }
  return Buffer.concat(parts);
}

/**
 * Writes an event file for each run: `<out>/<paper>/<run>-<fingerprint>/seed-<n>/events.out.tfevents.<seconds>.wgrad`, of several run
 * folders each in a folder of its own. The same files give the same bytes. Returns how many were written.
 */
export async function writeEventFiles(folders: readonly WatchedFolder[], out: string): Promise<number> {
  let count = 0;
  for (const [i, folder] of folders.entries()) {
    const own = folders.length > 1 ? `${i + 1}-${path.basename(path.resolve(folder.name))}` : '';
    const shown = new Set<string>();
    for (const run of folder.runs()) {
      // The pictures of a group are those of its first seed.
      const pictures = shown.has(run.id) ? [] : await folder.pictures(run.id);
      shown.add(run.id);
      const name = `events.out.tfevents.${Math.floor(run.changed / 1000)}.wgrad`;
      const file = path.join(out, own, ...run.id.split('/'), `seed-${run.seed}`, name);
      await writeWhole(file, eventFile(run, pictures));
      count++;
    }
  }
  return count;
}
