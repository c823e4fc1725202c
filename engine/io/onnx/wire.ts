// Protocol buffers by tables: a message is a list of fields, and one reader and one writer serve all. The bytes of numbers, texts
// and lengths are the library's part (@bufbuild/protobuf/wire). Fields that a table does not name are passed over.
import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';

/** Whole numbers are read as numbers: the largest of int64, which mean "to the end", need not be exact. */
type Scalar = 'whole' | 'float' | 'double' | 'text' | 'bytes';

/** A field of a message: its name, its type, and whether it may stand several times. */
export interface Field {
  readonly name: string;
  readonly type: Scalar | Message;
  readonly isList?: boolean;
}

/** Fields by their numbers. */
export interface Message {
  readonly [number: number]: Field;
}

type Values = Record<string, unknown>;

const wireTypes: Readonly<Record<Scalar, WireType>> = {
  whole: WireType.Varint,
  float: WireType.Bit32,
  double: WireType.Bit64,
  text: WireType.LengthDelimited,
  bytes: WireType.LengthDelimited,
};

function readScalar(reader: BinaryReader, type: Scalar): unknown {
  switch (type) {
    case 'whole':
      return Number(reader.int64());
    case 'float':
      return reader.float();
    case 'double':
      return reader.double();
    case 'text':
      return reader.string();
    case 'bytes':
      return reader.bytes();
  }
}

function readField(reader: BinaryReader, wire: WireType, { type }: Field): unknown[] {
  if (typeof type === 'object') return [readMessage(new BinaryReader(reader.bytes()), type)];
  if (wire === wireTypes[type]) return [readScalar(reader, type)];
  // Lists of numbers may come packed, one behind the other.
  const end = reader.uint32() + reader.pos;
  if (end > reader.len) throw new RangeError('a list ends behind the end of the file');
  const values: unknown[] = [];
  while (reader.pos < end) values.push(readScalar(reader, type));
  return values;
}

function readMessage(reader: BinaryReader, message: Message): Values {
  const values: Values = {};
  for (const { name, isList } of Object.values(message) as Field[]) if (isList) values[name] = [];
  while (reader.pos < reader.len) {
    const [number, wire] = reader.tag();
    const field = message[number];
    const fits = field && (wire === WireType.LengthDelimited || wire === wireTypes[field.type as Scalar]);
    if (!fits) {
      reader.skip(wire, number);
      continue;
    }
    const read = readField(reader, wire, field);
    if (field.isList) for (const value of read) (values[field.name] as unknown[]).push(value);
    else values[field.name] = read.at(-1);
  }
  return values;
}

/** Reads a message. Throws RangeError or another Error where the bytes are none. */
export const decode = (bytes: Uint8Array, message: Message): object => readMessage(new BinaryReader(bytes), message);

function writeScalar(writer: BinaryWriter, type: Scalar, value: unknown): void {
  switch (type) {
    case 'whole':
      writer.int64(value as number);
      return;
    case 'float':
      writer.float(value as number);
      return;
    case 'double':
      writer.double(value as number);
      return;
    case 'text':
      writer.string(value as string);
      return;
    case 'bytes':
      writer.bytes(value as Uint8Array);
  }
}

function writeMessage(writer: BinaryWriter, values: Values, message: Message): BinaryWriter {
  for (const [number, { name, type, isList }] of Object.entries(message) as [string, Field][]) {
    const value = values[name];
    if (value === undefined) continue;
    for (const each of isList ? (value as unknown[]) : [value]) {
      if (typeof type === 'object') {
        writer.tag(Number(number), WireType.LengthDelimited).fork();
        writeMessage(writer, each as Values, type).join();
      } else {
        writeScalar(writer.tag(Number(number), wireTypes[type]), type, each);
      }
    }
  }
  return writer;
}

/** Writes a message. */
export const encode = (values: object, message: Message): Uint8Array =>
  writeMessage(new BinaryWriter(), values as Values, message).finish();
