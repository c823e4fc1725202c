// The messages of an ONNX file, as far as they are read or written here: field numbers of onnx.proto, version 1.
// https://github.com/onnx/onnx/blob/main/onnx/onnx.proto
import { decode, encode, type Field, type Message } from './wire.ts';

/** Values of one tensor. Where `location` is 1 they lie in another file. */
export interface TensorProto {
  dims?: readonly number[];
  dataType?: number;
  floats?: readonly number[];
  ints?: readonly number[];
  longs?: readonly number[];
  name?: string;
  raw?: Uint8Array;
  doubles?: readonly number[];
  unsigned?: readonly number[];
  external?: readonly { key?: string; value?: string }[];
  location?: number;
}

/** One attribute of a node; `type` says which of its fields holds the value. */
export interface AttributeProto {
  name?: string;
  f?: number;
  i?: number;
  s?: Uint8Array;
  t?: TensorProto;
  floats?: readonly number[];
  ints?: readonly number[];
  strings?: readonly Uint8Array[];
  type?: number;
}

export interface NodeProto {
  input: readonly string[];
  output: readonly string[];
  name?: string;
  opType?: string;
  attribute: readonly AttributeProto[];
  domain?: string;
}

export interface Dimension {
  value?: number;
  param?: string;
}

export interface ValueInfoProto {
  name?: string;
  type?: { tensor?: { elementType?: number; shape?: { dim: readonly Dimension[] } } };
}

export interface GraphProto {
  node: readonly NodeProto[];
  name?: string;
  initializer: readonly TensorProto[];
  input: readonly ValueInfoProto[];
  output: readonly ValueInfoProto[];
}

export interface ModelProto {
  irVersion?: number;
  producerName?: string;
  producerVersion?: string;
  graph?: GraphProto;
  opset: readonly { domain?: string; version?: number }[];
  metadata: readonly { key?: string; value?: string }[];
}

/** TensorProto.DataType */
export const DataType = {
  float: 1,
  uint8: 2,
  int8: 3,
  uint16: 4,
  int16: 5,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  double: 11,
  uint32: 12,
  uint64: 13,
  bfloat16: 16,
} as const;

/** AttributeProto.AttributeType */
export const AttributeType = { float: 1, int: 2, string: 3, tensor: 4, floats: 6, ints: 7, strings: 8 } as const;

const one = (name: string, type: Field['type']): Field => ({ name, type });
const list = (name: string, type: Field['type']): Field => ({ name, type, isList: true });

const entry: Message = { 1: one('key', 'text'), 2: one('value', 'text') };

const tensor: Message = {
  1: list('dims', 'whole'),
  2: one('dataType', 'whole'),
  4: list('floats', 'float'),
  5: list('ints', 'whole'),
  7: list('longs', 'whole'),
  8: one('name', 'text'),
  9: one('raw', 'bytes'),
  10: list('doubles', 'double'),
  11: list('unsigned', 'whole'),
  13: list('external', entry),
  14: one('location', 'whole'),
};

const attribute: Message = {
  1: one('name', 'text'),
  2: one('f', 'float'),
  3: one('i', 'whole'),
  4: one('s', 'bytes'),
  5: one('t', tensor),
  7: list('floats', 'float'),
  8: list('ints', 'whole'),
  9: list('strings', 'bytes'),
  20: one('type', 'whole'),
};

const node: Message = {
  1: list('input', 'text'),
  2: list('output', 'text'),
  3: one('name', 'text'),
  4: one('opType', 'text'),
  5: list('attribute', attribute),
  7: one('domain', 'text'),
};

const shape: Message = { 1: list('dim', { 1: one('value', 'whole'), 2: one('param', 'text') }) };
const valueInfo: Message = {
  1: one('name', 'text'),
  2: one('type', { 1: one('tensor', { 1: one('elementType', 'whole'), 2: one('shape', shape) }) }),
};

const graph: Message = {
  1: list('node', node),
  2: one('name', 'text'),
  5: list('initializer', tensor),
  11: list('input', valueInfo),
  12: list('output', valueInfo),
};

const model: Message = {
  1: one('irVersion', 'whole'),
  2: one('producerName', 'text'),
  3: one('producerVersion', 'text'),
  7: one('graph', graph),
  8: list('opset', { 1: one('domain', 'text'), 2: one('version', 'whole') }),
  14: list('metadata', entry),
};

/** Reads a model. Throws an Error of the reader where the bytes are none. */
export const decodeModel = (bytes: Uint8Array): ModelProto => decode(bytes, model) as ModelProto;

/** Writes a model. */
export const encodeModel = (values: ModelProto): Uint8Array => encode(values, model);
