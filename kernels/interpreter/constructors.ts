// Values made of their parts, conversions, and zero values: `vec4(0.0)`, `u32(x)`, `array<f32, 4>()`, `Walk(a, b, c)`.
import { type Code, value } from './code.ts';
import { type Find, type Module, partsOf } from './module.ts';
import { bitcastText, convertText } from './scalar-functions.ts';
import { type Name, type Place, ShaderError } from './syntax.ts';
import {
  elementOf,
  f32,
  isAbstract,
  type Scalar,
  scalar,
  type ScalarName,
  showType,
  type Type,
  type Vector,
  vector,
  withElement,
} from './types.ts';
import { componentwise } from './vectors.ts';

const TYPES = /^(f32|i32|u32|bool|vec[234][fiu]?|mat[234]x[234]f?|array)$/;

export function isConstructor(module: Module, { name, template }: Name): boolean {
  const declared = module.declarations.get(name)?.kind;
  if (declared) return declared === 'struct' || declared === 'alias';
  return TYPES.test(name) || (template !== undefined && name !== 'bitcast');
}

/** The type that is made; without a template list it follows from the arguments. */
function madeType(module: Module, callee: Name, args: readonly Code[], find: Find): Type {
  const { name, template, at } = callee;
  if (template || module.declarations.has(name)) return module.type(callee, find);
  const given = args.map(({ type }) => elementOf(type)).filter((of) => of !== undefined);
  const of = given.find(({ name: own }) => !own.startsWith('abstract')) ?? commonAbstract(given);
  const size = /^vec([234])$/.exec(name)?.[1];
  if (size) return vector(Number(size), of);
  const shape = /^mat([234])x([234])$/.exec(name);
  if (shape) {
    const element = of.name === 'abstract-int' ? scalar('abstract-float') : of;
    return { kind: 'matrix', columns: Number(shape[1]), rows: Number(shape[2]), of: element };
  }
  if (name !== 'array') return module.type(callee, find);
  const first = args.find(({ type }) => !isAbstract(type)) ?? args[0];
  if (!first) throw new ShaderError('an array of nothing has no type', at);
  const element = isAbstract(first.type) ? withElement(first.type, of) : first.type;
  return { kind: 'array', of: element, count: args.length };
}

const commonAbstract = (given: readonly Scalar[]): Scalar =>
  given.find(({ name }) => name === 'abstract-float') ?? given[0] ?? f32;

export function compileConstructor(module: Module, callee: Name, args: readonly Code[], find: Find): Code {
  const type = madeType(module, callee, args, find);
  const { at } = callee;
  if (args.length === 0) return module.known(module.zero(type), type);
  switch (type.kind) {
    case 'scalar':
      return converted(module, args, type, at);
    case 'vector':
      return makeVector(module, type, args, at);
    case 'matrix': {
      if (args.length === 1 && args[0]!.type.kind === 'matrix') return module.convert(args[0]!, type, at);
      if (args.length === type.columns) {
        const column = vector(type.rows, type.of);
        return joined(
          module,
          args.map((arg) => module.convert(arg, column, at)),
          type,
        );
      }
      if (args.length !== type.columns * type.rows) break;
      const numbers = args.map((arg) => module.convert(arg, type.of, at));
      const columns = Array.from({ length: type.columns }, (_, c) =>
        joined(module, numbers.slice(c * type.rows, (c + 1) * type.rows), vector(type.rows, type.of)),
      );
      return joined(module, columns, type);
    }
    case 'array':
    case 'struct': {
      const parts = partsOf(type);
      if (parts.length !== args.length) break;
      return joined(
        module,
        args.map((arg, i) => module.convert(arg, parts[i]![0], at)),
        type,
      );
    }
    default:
  }
  throw new ShaderError(`${showType(type)} is not made of ${args.length} values`, at);
}

const joined = (module: Module, parts: readonly Code[], type: Type): Code =>
  value(
    `[${parts.map((part) => module.kept(part)).join(',')}]`,
    type,
    parts.every((part) => part.isConstant),
  );

function converted(module: Module, [arg, ...more]: readonly Code[], type: Scalar, at: Place): Code {
  const from = arg && elementOf(arg.type);
  if (!arg || !from || more.length > 0 || arg.type.kind !== 'scalar') {
    throw new ShaderError(`${showType(type)} is made of one number`, at);
  }
  return value(convertText(arg.text, from.name, type.name), type, arg.isConstant);
}

function makeVector(module: Module, type: Vector, args: readonly Code[], at: Place): Code {
  const [first] = args;
  if (args.length === 1 && first!.type.kind === 'scalar') {
    const part = module.convert(first!, type.of, at);
    const copies = Array.from({ length: type.size }, () => 'x');
    return value(`${module.routine(`(x)=>[${copies}]`)}(${part.text})`, type, part.isConstant);
  }
  if (args.length === 1 && first!.type.kind === 'vector' && first!.type.size === type.size) {
    const from = first!.type.of.name;
    if (from === type.of.name) return first!;
    const text = (x?: string): string => convertText(x!, from, type.of.name);
    return componentwise(module, { text, result: type.of.name }, [first!]);
  }
  const names = args.map((_, i) => `a${i}`);
  const parts = args.flatMap((arg, i) => {
    const { type: given } = arg;
    if (given.kind === 'vector') return Array.from({ length: given.size }, (_, k) => `${names[i]}[${k}]`);
    return [names[i]!];
  });
  if (parts.length !== type.size) throw new ShaderError(`${showType(type)} of ${parts.length} numbers`, at);
  const given = args.map((arg) => module.convert(arg, withElement(arg.type, type.of), at));
  const text = `${module.routine(`(${names})=>[${parts}]`)}(${given.map((arg) => arg.text).join(',')})`;
  return value(
    text,
    type,
    given.every((arg) => arg.isConstant),
  );
}

/** The same bits as numbers of another type, one by one. */
export function bitcast(module: Module, arg: Code, to: Type, at: Place): Code {
  const of = elementOf(to);
  const concrete = module.convert(arg, module.concrete(arg.type), at);
  const from = elementOf(concrete.type);
  const widths = [concrete.type, to].map((type) => (type.kind === 'vector' ? type.size : 1));
  const isNumber = (name: ScalarName | undefined): boolean => name === 'f32' || name === 'i32' || name === 'u32';
  if (!of || !from || widths[0] !== widths[1] || !isNumber(of.name) || !isNumber(from.name)) {
    throw new ShaderError(`bitcast of ${showType(arg.type)} to ${showType(to)}`, at);
  }
  return componentwise(module, { text: (x) => bitcastText(x!, from.name, of.name), result: of.name }, [concrete]);
}
