// Expressions of WGSL to JavaScript text.
import { compileBuiltin, isBuiltin } from './builtins.ts';
import { type Code, value } from './code.ts';
import { compileConstructor, isConstructor } from './constructors.ts';
import type { Find, Module } from './module.ts';
import { binaryOperator, unaryOperator } from './scalar-functions.ts';
import { type Call, type Expression, type Name, type Place, ShaderError } from './syntax.ts';
import {
  abstractFloat,
  abstractInt,
  bool,
  elementOf,
  f32,
  i32,
  isAbstract,
  type Scalar,
  showType,
  sizeOfType,
  strideOf,
  type Struct,
  type Type,
  u32,
  vector,
  withElement,
} from './types.ts';
import { componentwise, matrixProduct } from './vectors.ts';

/** What a function's parameters and result are, and whether it waits for other invocations. */
export interface Signature {
  readonly params: readonly Type[];
  /** Undefined where it returns nothing. */
  readonly result: Type | undefined;
  readonly waits: boolean;
}

/** Where an expression stands. */
export interface Scope {
  readonly module: Module;
  readonly find: Find;
  /** The variable that holds the path of calls and turns to here; undefined outside of functions. */
  readonly path: string | undefined;
  /** Where a place is compiled that is written: the scope of what is read on the way. */
  readonly reading?: Scope;
  signature(name: string): Signature;
}

/** The type of a call that gives nothing. */
export const nothing: Struct = { kind: 'struct', name: 'nothing', members: [] };

/** The value or place that an expression names. */
export function compile(expression: Expression, scope: Scope): Code {
  const { module } = scope;
  switch (expression.kind) {
    case 'number': {
      const { suffix, isFloat, value: number } = expression;
      const type = suffix ? { u: u32, i: i32, f: f32 }[suffix] : isFloat ? abstractFloat : abstractInt;
      return module.known(suffix === 'f' ? Math.fround(number) : number, type);
    }
    case 'bool':
      return module.known(expression.value, bool);
    case 'name': {
      const binding = scope.find(expression.name);
      if (binding?.kind === 'code') return binding.code;
      throw new ShaderError(`there is no variable or constant '${expression.name}'`, expression.at);
    }
    case 'call':
      return compileCall(expression, scope);
    case 'index':
      return compileIndex(compile(expression.base, scope), expression.index, expression.at, scope);
    case 'member':
      return compileMember(compile(expression.base, scope), expression.name, expression.at, scope);
    case 'unary':
      return compileUnary(expression.op, expression.of, expression.at, scope);
    case 'binary':
      return compileBinary(expression.op, expression.a, expression.b, expression.at, scope);
  }
}

/** The value of an expression: what it names is read. */
export const compileValue = (expression: Expression, scope: Scope): Code =>
  read(compile(expression, scope), expression.at, scope.module);

/** The value of an expression as one of this type. */
export const compileAs = (expression: Expression, type: Type, scope: Scope): Code =>
  scope.module.convert(compileValue(expression, scope), type, expression.at);

export function read(code: Code, at: Place, module: Module): Code {
  if (code.reference?.kind !== 'memory') return code;
  const { memory, address } = code.reference;
  if (code.type.kind === 'atomic') throw new ShaderError('an atomic is read by atomicLoad', at);
  if (code.type.kind === 'array' && code.type.count === undefined) {
    throw new ShaderError('an array without a length is no value', at);
  }
  return value(module.load(code.type, memory, address, module.site(at)), code.type);
}

/** Values without a type of their own are worked out at once. */
export const folded = (code: Code, at: Place, module: Module): Code =>
  code.isConstant && isAbstract(code.type) ? module.known(module.evaluate(code, at), code.type) : code;

function compileCall({ callee, args, at }: Call, scope: Scope): Code {
  const { module } = scope;
  const { name } = callee;
  if (scope.find(name)?.kind === 'function') return callFunction(name, args, at, scope);
  if (isConstructor(module, callee)) {
    const values = args.map((arg) => compileValue(arg, scope));
    return folded(compileConstructor(module, callee, values, scope.find), at, module);
  }
  if (!isBuiltin(name)) throw new ShaderError(`there is no function '${name}' in the part of WGSL that is known`, at);
  const context = {
    module,
    at,
    path: scope.path,
    template: callee.template?.[0] as Name | undefined,
    find: scope.find,
  };
  // A pointer argument is the place itself.
  const values = args.map((arg) => compileValue(arg, scope));
  return folded(compileBuiltin(name, values, context), at, module);
}

function callFunction(name: string, args: readonly Expression[], at: Place, scope: Scope): Code {
  const { params, result, waits } = scope.signature(name);
  if (args.length !== params.length) {
    throw new ShaderError(`'${name}' takes ${params.length} arguments, not ${args.length}`, at);
  }
  const { module } = scope;
  // Through a pointer the called function might change what it was given by value.
  const changes = params.some(({ kind }) => kind === 'pointer');
  const texts = args.map((arg, i) => {
    const param = params[i]!;
    const code = compileValue(arg, scope);
    if (param.kind !== 'pointer') {
      const converted = module.convert(code, param, arg.at);
      return changes ? module.kept(converted) : converted.text;
    }
    if (code.type.kind === 'pointer' && showType(code.type.of) === showType(param.of)) return code.text;
    throw new ShaderError(`expected ${showType(param)}, found ${showType(code.type)}`, arg.at);
  });
  const type = result ?? nothing;
  const call = [`$`, ...(waits ? [`N.mix(${scope.path},${module.site(at)})`] : []), ...texts].join(',');
  return value(waits ? `(yield* fn_${name}(${call}))` : `fn_${name}(${call})`, type);
}

function compileIndex(base: Code, indexed: Expression, at: Place, scope: Scope): Code {
  const { module } = scope;
  if (base.type.kind === 'pointer') return compileIndex(pointee(base, base.type.of), indexed, at, scope);
  const index = compileValue(indexed, scope.reading ?? scope);
  const of = elementOf(index.type);
  if (index.type.kind !== 'scalar' || (of?.name !== 'i32' && of?.name !== 'u32' && of?.name !== 'abstract-int')) {
    throw new ShaderError(`an index of type ${showType(index.type)}`, indexed.at);
  }
  const { type } = base;
  const part = partType(type, at);
  const count =
    type.kind === 'array' ? type.count : type.kind === 'vector' ? type.size : (type as { columns: number }).columns;
  let text = index.text;
  // What is read past the end of a buffer is some word of it, or zero, which shaders may rely on.
  const isLenient = !scope.reading && base.reference?.kind === 'memory' && count === undefined;
  const fix = isLenient ? '$over' : '$ix';
  if (index.isConstant) {
    const known = Number(module.evaluate(index, at));
    if (known < 0 || (count !== undefined && known >= count)) {
      throw new ShaderError(`index ${known} of ${showType(type)}`, indexed.at);
    }
    if (count === undefined) text = `${fix}(${known},${lengthText(base)},${module.site(at)})`;
    else text = String(known);
  } else text = `${fix}(${text},${count ?? lengthText(base)},${module.site(at)})`;
  return partOf(base, part, text, strideOf(part));
}

/** The text of how many elements an array in a buffer has. */
export function lengthText({ type, reference }: Code): string {
  if (type.kind !== 'array' || reference?.kind !== 'memory') return '0';
  if (type.count !== undefined) return String(type.count);
  return `Math.floor((${reference.memory}.words-${reference.address})/${strideOf(type.of)})`;
}

function partType(type: Type, at: Place): Type {
  if (type.kind === 'array') return type.of;
  if (type.kind === 'vector') return type.of;
  if (type.kind === 'matrix') return vector(type.rows, type.of);
  throw new ShaderError(`${showType(type)} has no elements`, at);
}

/** Part `index` of a value or place; in memory they are `stride` words apart. */
function partOf(base: Code, type: Type, index: string, stride: number): Code {
  const { reference } = base;
  if (reference?.kind !== 'memory') {
    const text = `${base.text}[${index}]`;
    const { isFresh, isConstant } = base;
    if (!reference)
      return { text, type, isFresh, isConstant: isConstant && !index.includes('$') && /^\d+$/.test(index) };
    return {
      text,
      type,
      isFresh: false,
      isConstant: false,
      reference: { kind: 'local', container: base.text, key: index },
    };
  }
  const words = stride === 1 ? index : `${index}*${stride}`;
  const address = reference.address === '0' ? `(${words})` : `(${reference.address}+${words})`;
  const whole =
    base.type.kind === 'vector'
      ? { address: reference.address, words: sizeOfType(base.type), component: index }
      : undefined;
  return { ...base, type, reference: { kind: 'memory', memory: reference.memory, address, whole } };
}

function compileMember(base: Code, name: string, at: Place, scope: Scope): Code {
  const { type } = base;
  if (type.kind === 'pointer') return compileMember(pointee(base, type.of), name, at, scope);
  if (type.kind === 'struct') {
    const index = type.members.findIndex((member) => member.name === name);
    const member = type.members[index];
    if (!member) throw new ShaderError(`${type.name} has no member '${name}'`, at);
    if (base.reference?.kind !== 'memory') return partOf(base, member.type, String(index), 0);
    const { memory, address: start } = base.reference;
    const address = start === '0' ? String(member.offset) : `(${start}+${member.offset})`;
    return { ...base, type: member.type, reference: { kind: 'memory', memory, address } };
  }
  if (type.kind !== 'vector' || !/^([xyzw]{1,4}|[rgba]{1,4})$/.test(name)) {
    throw new ShaderError(`${showType(type)} has no member '${name}'`, at);
  }
  const order = [...name].map((letter) => 'xyzwrgba'.indexOf(letter) % 4);
  if (order.some((i) => i >= type.size)) throw new ShaderError(`${showType(type)} has no '${name}'`, at);
  if (order.length === 1) return partOf(base, type.of, String(order[0]), 1);
  const from = read(base, at, scope.module);
  const text = `${scope.module.routine(`(v)=>[${order.map((i) => `v[${i}]`)}]`)}(${from.text})`;
  return value(text, vector(order.length, type.of), from.isConstant);
}

/** The place that a pointer points at. */
function pointee(pointer: Code, of: Type): Code {
  const { text } = pointer;
  const space = pointer.type.kind === 'pointer' ? pointer.type.space : '';
  if (space === 'function' || space === 'private') {
    const reference = { kind: 'local', container: `${text}[0]`, key: `${text}[1]` } as const;
    return { text: `${text}[0][${text}[1]]`, type: of, isFresh: false, isConstant: false, reference };
  }
  const reference = { kind: 'memory', memory: `${text}[0]`, address: `${text}[1]` } as const;
  return { text, type: of, isFresh: true, isConstant: false, reference };
}

function compileUnary(op: string, of: Expression, at: Place, scope: Scope): Code {
  const { module } = scope;
  if (op === '*') {
    const pointer = compileValue(of, scope);
    if (pointer.type.kind !== 'pointer') throw new ShaderError(`${showType(pointer.type)} points at nothing`, at);
    return pointee(pointer, pointer.type.of);
  }
  if (op === '&') {
    const { type, reference } = compile(of, scope);
    if (reference?.kind === 'memory') {
      const text = `[${reference.memory},${reference.address}]`;
      return value(text, { kind: 'pointer', space: 'memory', of: type });
    }
    if (reference?.container === undefined) throw new ShaderError('a value has no address', at);
    const space = reference.container.startsWith('$.') ? 'private' : 'function';
    return value(`[${reference.container},${reference.key}]`, { kind: 'pointer', space, of: type });
  }
  const operand = compileValue(of, scope);
  const fn = unaryOperator(op, elementOf(operand.type)?.name ?? 'bool');
  if (!fn) throw new ShaderError(`${op} of ${showType(operand.type)}`, at);
  return folded(componentwise(module, fn, [operand]), at, module);
}

function compileBinary(op: string, left: Expression, right: Expression, at: Place, scope: Scope): Code {
  return binary(op, compileValue(left, scope), compileValue(right, scope), at, scope.module);
}

/** Gives operands that have no type of their own that of the others. */
export function unified(args: readonly Code[], at: Place, module: Module): Code[] {
  const own = args.map(({ type }) => elementOf(type)).find((of) => of && !of.name.startsWith('abstract'));
  const isFloat = args.some(({ type }) => elementOf(type)?.name === 'abstract-float');
  const to: Scalar = own ?? (isFloat ? abstractFloat : abstractInt);
  return args.map((arg) => (isAbstract(arg.type) ? module.convert(arg, withElement(arg.type, to), at) : arg));
}

export function binary(op: string, a: Code, b: Code, at: Place, module: Module): Code {
  const isShift = op === '<<' || op === '>>';
  const shiftBy = isAbstract(a.type) ? abstractInt : u32;
  const [x, y] = isShift
    ? [a, isAbstract(b.type) ? module.convert(b, withElement(b.type, shiftBy), at) : b]
    : unified([a, b], at, module);
  const [left, right] = [elementOf(x!.type), elementOf(y!.type)];
  const fail = (): never => {
    throw new ShaderError(`${showType(a.type)} ${op} ${showType(b.type)}`, at);
  };
  if (!left || !right || (!isShift && left.name !== right.name)) return fail();
  if (op === '*' && (x!.type.kind === 'matrix' || y!.type.kind === 'matrix')) {
    const product = matrixProduct(module, x!, y!);
    if (product) return product;
    if (x!.type.kind !== 'scalar' && y!.type.kind !== 'scalar') return fail();
  }
  const fn = binaryOperator(op, left.name);
  const kinds = [x!.type, y!.type]
    .filter(({ kind }) => kind !== 'scalar')
    .map((type) => showType(withElement(type, f32)));
  if (!fn || new Set(kinds).size > 1) return fail();
  return folded(componentwise(module, fn, [x!, y!]), at, module);
}
