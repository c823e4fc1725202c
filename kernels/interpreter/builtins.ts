// Built-in functions of WGSL to JavaScript text: those of numbers, of vectors, of packed words, atomics, barriers, and those by
// which the invocations of a subgroup exchange values.
import { type Code, value } from './code.ts';
import { bitcast } from './constructors.ts';
import type { Find, Module } from './module.ts';
import { builtinFunction, isScalarBuiltin, type ScalarFunction } from './scalar-functions.ts';
import { type Name, type Place, ShaderError } from './syntax.ts';
import {
  bool,
  elementOf,
  f32,
  i32,
  isAbstract,
  showType,
  strideOf,
  structType,
  type Type,
  u32,
  vector,
  withElement,
} from './types.ts';
import { componentwise, dot, joinBools } from './vectors.ts';

/** Where a built-in function is called. */
export interface BuiltinContext {
  readonly module: Module;
  readonly at: Place;
  readonly path: string | undefined;
  readonly template: Name | undefined;
  readonly find: Find;
}

type Builtin = (args: readonly Code[], context: BuiltinContext) => Code;

const constantOf = (args: readonly Code[]): boolean => args.every((arg) => arg.isConstant);
const nothing = structType('nothing', []);

/** Arguments of the vector functions below as numbers of f32. */
const floats = (args: readonly Code[], { module, at }: BuiltinContext): Code[] =>
  args.map((arg) => (isAbstract(arg.type) ? module.convert(arg, withElement(arg.type, f32), at) : arg));

const sizeOf = ({ type }: Code): number => (type.kind === 'vector' ? type.size : 1);

const builtinDot: Builtin = (given, context) => {
  const [a, b] = same(given, context);
  const of = elementOf(a!.type)!;
  return value(dot(context.module, a!, b!, sizeOf(a!), of), of, constantOf(given));
};

/** Arguments that have no type of their own take that of the others. */
function same(args: readonly Code[], { module, at }: BuiltinContext): Code[] {
  const own = args.map(({ type }) => elementOf(type)).find((of) => of && !of.name.startsWith('abstract'));
  const isFloat = args.some(({ type }) => elementOf(type)?.name === 'abstract-float');
  const to = own ?? elementOf(args.find(({ type }) => !isFloat || elementOf(type)?.name === 'abstract-float')!.type)!;
  return args.map((arg) => (isAbstract(arg.type) ? module.convert(arg, withElement(arg.type, to), at) : arg));
}

const squaredLength = (args: readonly Code[], context: BuiltinContext): string =>
  dot(context.module, args[0]!, args[0]!, sizeOf(args[0]!), f32);

function difference(args: readonly Code[], { module }: BuiltinContext): Code {
  return componentwise(module, { text: (a, b) => `f(${a}-${b})` }, args);
}

const select: Builtin = ([no, yes, condition], context) => {
  const { module, at } = context;
  const [a, b] = same([no!, yes!], context);
  if (showType(a!.type) !== showType(b!.type))
    throw new ShaderError(`select of ${showType(a!.type)} and ${showType(b!.type)}`, at);
  const concrete = [a!, b!].map((arg) => module.convert(arg, module.concrete(arg.type), at));
  const order: ScalarFunction = { text: (x, y, c) => `(${c}?${y}:${x})` };
  if (condition!.type.kind === 'vector') return componentwise(module, order, [...concrete, condition!]);
  // Both are worked out, as on a GPU.
  const text = `${module.routine('(a,b,c)=>c?b:a')}(${[...concrete, condition!].map((arg) => arg.text)})`;
  const isFresh = concrete.every((arg) => arg.isFresh);
  return { text, type: concrete[0]!.type, isFresh, isConstant: constantOf([no!, yes!, condition!]) };
};

const pack =
  (count: number, text: string): Builtin =>
  (args, context) => {
    const [arg] = floats(args, context);
    const given = showType(arg!.type);
    if (sizeOf(arg!) !== count) throw new ShaderError(`expected ${count} numbers, found ${given}`, context.at);
    return value(`N.joinParts(${arg!.text}.map((x)=>${text}))`, u32, arg!.isConstant);
  };

const unpack =
  (count: number, kind: 'U' | 'I', text: string): Builtin =>
  ([arg], { module, at }) => {
    const word = module.convert(arg!, u32, at);
    return value(`N.parts${kind}(${word.text},${count}).map((x)=>${text})`, vector(count, f32), word.isConstant);
  };

const parts: Builtin = (args, { module, at }) => {
  const [x, offset, count] = args;
  const given = [x!, ...[offset!, count!].map((arg) => module.convert(arg, u32, at))];
  const name = elementOf(x!.type)?.name === 'i32' ? 'extractI' : 'extractU';
  return componentwise(module, { text: (...texts) => `N.${name}(${texts})` }, given);
};

/** Operations on atomics: the new word of the old one and the argument. */
const ATOMICS: Readonly<Record<string, string>> = {
  atomicAdd: 'a+b',
  atomicSub: 'a-b',
  atomicMax: 'a<b?b:a',
  atomicMin: 'b<a?b:a',
  atomicAnd: 'a&b',
  atomicOr: 'a|b',
  atomicXor: 'a^b',
  atomicExchange: 'b',
};

function atomic(name: string, [pointer, ...args]: readonly Code[], { module, at }: BuiltinContext): Code {
  const of = pointer!.type.kind === 'pointer' && pointer!.type.of.kind === 'atomic' ? pointer!.type.of.of : undefined;
  if (!of) throw new ShaderError(`${name} of ${showType(pointer!.type)}`, at);
  const place = pointer!.text;
  const view = of.name === 'i32' ? 'ints' : 'uints';
  const given = args.map((arg) => module.convert(arg, of, at).text);
  const call = (body: string, names: string): string =>
    `${module.routine(`(p,${names})=>{const w=p[0].${view},i=p[1],a=w[i];${body}}`)}(${[place, ...given]})`;
  if (name === 'atomicLoad') return value(call('return a', ''), of);
  if (name === 'atomicStore') return value(call('w[i]=b', 'b'), nothing);
  if (name === 'atomicCompareExchangeWeak') {
    const type = structType('__atomic_compare_exchange_result', [
      { name: 'old_value', type: of },
      { name: 'exchanged', type: bool },
    ]);
    return value(call('if(a===b)w[i]=c;return [a,a===b]', 'b,c'), type);
  }
  return value(call(`w[i]=${ATOMICS[name]};return a`, 'b'), of);
}

/** Results of subgroup functions that are not of their argument's type. */
const SUBGROUP_RESULTS: Readonly<Record<string, Type>> = {
  subgroupElect: bool,
  subgroupAll: bool,
  subgroupAny: bool,
  subgroupBallot: vector(4, u32),
};
const SUBGROUP =
  /^subgroup(Broadcast|BroadcastFirst|Shuffle|ShuffleXor|ShuffleUp|ShuffleDown|Add|Mul|Min|Max|And|Or|Xor|(Ex|In)clusive(Add|Mul)|Elect|All|Any|Ballot)$/;
const BARRIERS: readonly string[] = ['workgroupBarrier', 'storageBarrier', 'workgroupUniformLoad'];

/** Whether a function waits for other invocations. */
export const waitsForOthers = (name: string): boolean => BARRIERS.includes(name) || SUBGROUP.test(name);

function subgroup(name: string, args: readonly Code[], { module, at, path }: BuiltinContext): Code {
  const [given, other] = args.map((arg, i) =>
    module.convert(arg, i === 1 ? (isAbstract(arg.type) ? u32 : arg.type) : module.concrete(arg.type), at),
  );
  const type = SUBGROUP_RESULTS[name] ?? given!.type;
  const element = elementOf(given?.type ?? u32)?.name ?? 'u32';
  const texts = `value:${given?.text ?? 0},lane:${other?.text ?? 0},element:'${element}'`;
  return value(`(yield {kind:'subgroup',name:'${name}',site:${module.site(at)},path:${path},${texts}})`, type);
}

function barrier(name: string, args: readonly Code[], { module, at, path }: BuiltinContext): Code {
  const wait = (scope: string): string =>
    `(yield {kind:'barrier',name:'${name}',scope:'${scope}',site:${module.site(at)},path:${path}})`;
  if (name !== 'workgroupUniformLoad') return value(wait(name === 'storageBarrier' ? 'storage' : 'workgroup'), nothing);
  const type = args[0]!.type.kind === 'pointer' ? args[0]!.type.of : nothing;
  const loaded = `$$=>${module.load(type, '$$[0]', '$$[1]', module.site(at))}`;
  const order = module.routine('(before,value,after)=>value');
  return value(`${order}(${wait('workgroup')},(${loaded})(${args[0]!.text}),${wait('workgroup')})`, type);
}

const special: Readonly<Record<string, Builtin>> = {
  select,
  dot: builtinDot,
  all: ([arg], { module }) => joinBools(module, arg!, '&&'),
  any: ([arg], { module }) => joinBools(module, arg!, '||'),
  length: (args, context) =>
    value(`f(Math.sqrt(${squaredLength(floats(args, context), context)}))`, f32, constantOf(args)),
  distance: (args, context) => {
    const between = difference(floats(args, context), context);
    return value(`f(Math.sqrt(${squaredLength([between], context)}))`, f32, constantOf(args));
  },
  normalize: (args, context) => {
    const [arg] = floats(args, context);
    const size = value(`f(Math.sqrt(${squaredLength([arg!], context)}))`, f32, arg!.isConstant);
    return componentwise(context.module, { text: (a, b) => `f(${a}/${b})` }, [arg!, size]);
  },
  cross: (args, context) => {
    const [a, b] = floats(args, context);
    const term = (i: number, k: number): string => `f(f(a[${i}]*b[${k}])-f(a[${k}]*b[${i}]))`;
    const text = context.module.routine(`(a,b)=>[${term(1, 2)},${term(2, 0)},${term(0, 1)}]`);
    return value(`${text}(${a!.text},${b!.text})`, vector(3, f32), constantOf(args));
  },
  transpose: ([arg], { module, at }) => {
    const { type } = arg!;
    if (type.kind !== 'matrix') throw new ShaderError(`transpose of ${showType(type)}`, at);
    const text = module.routine('(a)=>a[0].map((_,r)=>a.map((column)=>column[r]))');
    return value(`${text}(${arg!.text})`, { ...type, columns: type.rows, rows: type.columns }, arg!.isConstant);
  },
  bitcast: ([arg], { module, at, template, find }) => {
    if (!template) throw new ShaderError('bitcast wants a type in its template list', at);
    return bitcast(module, arg!, module.type(template, find), at);
  },
  arrayLength: ([pointer], { at }) => {
    const of = pointer!.type.kind === 'pointer' ? pointer!.type.of : undefined;
    if (of?.kind !== 'array') throw new ShaderError('arrayLength wants a pointer to an array', at);
    const lengthOf = `((p)=>Math.floor((p[0].words-p[1])/${strideOf(of.of)}))`;
    return value(of.count === undefined ? `${lengthOf}(${pointer!.text})` : String(of.count), u32);
  },
  extractBits: parts,
  insertBits: ([x, bits, offset, count], { module, at }) => {
    const given = [
      x!,
      module.convert(bits!, x!.type, at),
      ...[offset!, count!].map((arg) => module.convert(arg, u32, at)),
    ];
    const back = elementOf(x!.type)?.name === 'i32' ? '|0' : '>>>0';
    return componentwise(module, { text: (...texts) => `(N.insertBits(${texts})${back})` }, given);
  },
  pack4x8unorm: pack(4, 'N.normalized(x,0,255)'),
  pack4x8snorm: pack(4, 'N.normalized(x,-1,127)'),
  pack2x16unorm: pack(2, 'N.normalized(x,0,65535)'),
  pack2x16snorm: pack(2, 'N.normalized(x,-1,32767)'),
  pack2x16float: pack(2, 'N.halfBits(x)'),
  unpack4x8unorm: unpack(4, 'U', 'f(x/255)'),
  unpack4x8snorm: unpack(4, 'I', 'f(Math.max(x/127,-1))'),
  unpack2x16unorm: unpack(2, 'U', 'f(x/65535)'),
  unpack2x16snorm: unpack(2, 'I', 'f(Math.max(x/32767,-1))'),
  unpack2x16float: unpack(2, 'U', 'N.halfValue(x)'),
  dot4U8Packed: ([a, b]) =>
    value(`N.dotParts(N.partsU(${a!.text},4),N.partsU(${b!.text},4))>>>0`, u32, constantOf([a!, b!])),
  dot4I8Packed: ([a, b]) =>
    value(`N.dotParts(N.partsI(${a!.text},4),N.partsI(${b!.text},4))|0`, i32, constantOf([a!, b!])),
};

const isAtomic = (name: string): boolean =>
  name in ATOMICS || ['atomicLoad', 'atomicStore', 'atomicCompareExchangeWeak'].includes(name);

export const isBuiltin = (name: string): boolean =>
  name in special || isScalarBuiltin(name) || isAtomic(name) || waitsForOthers(name);

export function compileBuiltin(name: string, args: readonly Code[], context: BuiltinContext): Code {
  const { at, module } = context;
  if (BARRIERS.includes(name)) return barrier(name, args, context);
  if (SUBGROUP.test(name)) return subgroup(name, args, context);
  if (isAtomic(name)) return atomic(name, args, context);
  const own = special[name];
  if (own) return own(args, context);
  const given = same(args, context);
  const of = elementOf(given[0]?.type ?? nothing);
  const fn = builtinFunction(
    name,
    of?.name === 'abstract-int' && !builtinFunction(name, 'abstract-int') ? 'f32' : (of?.name ?? 'bool'),
  );
  if (!fn || !of) throw new ShaderError(`${name} of ${given.map(({ type }) => showType(type)).join(', ')}`, at);
  // Of numbers without a type, functions that are not among those worked out beforehand take f32.
  const isOpen = of.name.startsWith('abstract') && !builtinFunction(name, of.name);
  const typed = isOpen ? given.map((arg) => module.convert(arg, withElement(arg.type, f32), at)) : given;
  const odd = typed.find((arg) => elementOf(arg.type)?.name !== elementOf(typed[0]!.type)?.name);
  if (odd) throw new ShaderError(`${name} of ${typed.map(({ type }) => showType(type)).join(', ')}`, at);
  return componentwise(module, fn, typed);
}
