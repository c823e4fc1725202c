// A module as the compiler sees it: what each name at module scope stands for, constants and overrides with their values, types, and
// the JavaScript functions that the compiled text shares. Names are resolved when first used, since their order is free.
import { type Binding, type Code, type Constant, literal, type MemoryReference, value } from './code.ts';
import * as N from './numbers.ts';
import { parseModule } from './parse.ts';
import { convertText } from './scalar-functions.ts';
import { type Declaration, type Expression, type Name, type Place, ShaderError, type Variable } from './syntax.ts';
import {
  bool,
  elementOf,
  f32,
  i32,
  isAbstract,
  isComposite,
  sameType,
  type Scalar,
  type ScalarName,
  showType,
  strideOf,
  structType,
  type Type,
  u32,
  vector,
  withElement,
} from './types.ts';

/** A buffer or workgroup variable that the shader names. */
export interface MemoryVariable {
  readonly name: string;
  readonly space: 'uniform' | 'storage' | 'workgroup';
  readonly isWritable: boolean;
  /** Of a buffer. */
  readonly binding: number;
  readonly type: Type;
}

export interface ModuleOptions {
  /** Values of overrides. */
  readonly constants: Readonly<Record<string, number | boolean>>;
}

/** Compiles an expression in the scope that `find` looks names up in. */
export type CompileExpression = (expression: Expression, module: Module, find: Find) => Code;
export type Find = (name: string) => Binding | undefined;

/** Parts of a value that are written out one by one. */
const MOST_LITERAL = 8;

const SHORT: Readonly<Record<string, Scalar>> = { f: f32, i: i32, u: u32 };
const SCALARS: Readonly<Record<string, Scalar>> = { f32, i32, u32, bool };

export class Module {
  readonly declarations = new Map<string, Declaration>();
  readonly memories: MemoryVariable[] = [];
  /** Variables of `var<private>`, by their place in an invocation's list. */
  readonly privates: { readonly declaration: Variable; readonly type: Type }[] = [];
  /** Where the numbered places of the text are. */
  readonly sites: Place[] = [];
  readonly #routines = new Map<string, string>();
  readonly #bindings = new Map<string, Binding>();
  readonly #types = new Map<string, Type>();
  readonly #constants: ModuleOptions['constants'];
  readonly #compile: CompileExpression;

  constructor(text: string, { constants }: ModuleOptions, compile: CompileExpression) {
    this.#constants = constants;
    this.#compile = compile;
    for (const declaration of parseModule(text)) {
      if (this.declarations.has(declaration.name)) {
        throw new ShaderError(`'${declaration.name}' is declared twice`, declaration.at);
      }
      this.declarations.set(declaration.name, declaration);
    }
    for (const name of Object.keys(constants)) {
      if (this.declarations.get(name)?.kind === 'override') continue;
      throw new RangeError(`the module has no override '${name}', for which a value is given`);
    }
  }

  /** The number of a place, by which the running shader names it. */
  site(at: Place): number {
    const last = this.sites.at(-1);
    if (last?.line === at.line && last.column === at.column) return this.sites.length - 1;
    return this.sites.push(at) - 1;
  }

  /** The name of a shared function with this text. */
  routine(text: string): string {
    let name = this.#routines.get(text);
    if (!name) this.#routines.set(text, (name = `$h${this.#routines.size}`));
    return name;
  }

  get routineText(): string {
    return [...this.#routines].map(([text, name]) => `const ${name}=${text};\n`).join('');
  }

  readonly find: Find = (name) => {
    let binding = this.#bindings.get(name);
    if (binding) return binding;
    const declaration = this.declarations.get(name);
    if (declaration) {
      binding = this.#resolve(declaration);
      if (binding) this.#bindings.set(name, binding);
    }
    return binding;
  };

  #resolve(declaration: Declaration): Binding | undefined {
    switch (declaration.kind) {
      case 'function':
        return { kind: 'function', name: declaration.name };
      case 'const':
        return { kind: 'code', code: this.constant(declaration, this.find) };
      case 'override':
        return { kind: 'code', code: this.#override(declaration) };
      case 'var':
        return { kind: 'code', code: this.#variable(declaration) };
      default:
        return undefined;
    }
  }

  /** The value of a `const` of any scope. */
  constant({ init, type, name, at }: Variable, find: Find): Code {
    if (!init) throw new ShaderError(`the constant '${name}' has no value`, at);
    const code = this.#compile(init, this, find);
    const wanted = type ? this.type(type, find) : code.type;
    return this.known(this.evaluate(this.convert(code, wanted, at), at), wanted);
  }

  #override({ name, type, init, at }: Variable): Code {
    const code = init && this.#compile(init, this, this.find);
    const wanted = type ? this.type(type, this.find) : this.concrete(code?.type ?? f32);
    const given = this.#constants[name];
    if (given === undefined) {
      if (!code) throw new ShaderError(`the override '${name}' has no value`, at);
      return this.known(this.evaluate(this.convert(code, wanted, at), at), wanted);
    }
    const number = Number(given);
    if (wanted.kind !== 'scalar') throw new ShaderError(`an override of type ${showType(wanted)}`, at);
    return this.known(
      wanted.name === 'bool' ? number !== 0 : wanted.name === 'f32' ? Math.fround(number) : number,
      wanted,
    );
  }

  #variable(declaration: Variable): Code {
    const { name, at, space = 'private', access, attributes } = declaration;
    if (!declaration.type) throw new ShaderError(`the variable '${name}' has no type`, at);
    const type = this.type(declaration.type, this.find);
    if (space === 'private') {
      const place = this.privates.push({ declaration, type }) - 1;
      const text = `$.privates[${place}]`;
      const reference = { kind: 'local', container: '$.privates', key: String(place) } as const;
      return { text, type, isFresh: false, isConstant: false, reference };
    }
    if (space !== 'uniform' && space !== 'storage' && space !== 'workgroup') {
      throw new ShaderError(`variables of '${space}' are not in the part of WGSL that the interpreter knows`, at);
    }
    const number = attributes.find((attribute) => attribute.name === 'binding')?.args[0];
    const binding = number ? Number(this.evaluate(this.#compile(number, this, this.find), at)) : -1;
    const memory = `$m${this.memories.length}`;
    const isWritable = space === 'workgroup' || access === 'read_write' || access === 'write';
    this.memories.push({ name, space, isWritable, binding, type });
    const reference: MemoryReference = { kind: 'memory', memory, address: '0' };
    return { text: memory, type, isFresh: true, isConstant: false, reference };
  }

  /** The text of a value that is known. Long ones stand once, outside of the loops that use them. */
  known(constant: Constant, type: Type): Code {
    const text = literal(constant);
    if (typeof constant !== 'object' || constant.length <= MOST_LITERAL) return value(text, type, true);
    return { ...value(this.routine(text), type, true), isFresh: false };
  }

  /** Runs what is known before the shader does. Throws ShaderError where it is not. */
  evaluate(code: Code, at: Place): Constant {
    if (!code.isConstant) throw new ShaderError('a constant is wanted here', at);
    const routines = code.text.includes('$h') ? this.routineText : '';
    // The text is made by this compiler, of numbers and of the functions of numbers.ts alone.
    return new Function('N', 'f', 'm', `${routines}return ${code.text};`)(N, N.f, N.m) as Constant;
  }

  /** The type that a value gets which is kept in a variable. */
  concrete(type: Type): Type {
    const of = elementOf(type);
    if (of?.name === 'abstract-int') return withElement(type, i32);
    return of?.name === 'abstract-float' ? withElement(type, f32) : type;
  }

  /** The value as one of that type, where WGSL converts by itself: numbers without a type take any that they fit. */
  convert(code: Code, type: Type, at: Place): Code {
    const from = elementOf(code.type);
    const to = elementOf(type);
    if (sameType(code.type, type)) return code;
    const fits =
      from &&
      to &&
      isAbstract(code.type) &&
      to.name !== 'bool' &&
      sameType(withElement(code.type, to), type) &&
      !(from.name === 'abstract-float' && ['i32', 'u32', 'abstract-int'].includes(to.name));
    if (!fits) throw new ShaderError(`expected ${showType(type)}, found ${showType(code.type)}`, at);
    return this.known(convertKnown(this.evaluate(code, at), from.name, to.name), type);
  }

  type(name: Name, find: Find): Type {
    const { template, at } = name;
    const plain = template ? undefined : this.#plainType(name.name);
    if (plain) return plain;
    const shape = /^(?:vec([234])|mat([234])x([234]))(?:([fiu]))?$/.exec(name.name);
    if (shape) {
      const of = shape[4] ? SHORT[shape[4]]! : this.type(typeArgument(name, 0), find);
      if (of.kind !== 'scalar') throw new ShaderError(`no component can be ${showType(of)}`, at);
      if (shape[1]) return vector(Number(shape[1]), of);
      return { kind: 'matrix', columns: Number(shape[2]), rows: Number(shape[3]), of };
    }
    switch (name.name) {
      case 'array': {
        const count = template?.[1];
        const length = count && Number(this.evaluate(this.#compile(count, this, find), at));
        return { kind: 'array', of: this.type(typeArgument(name, 0), find), count: length };
      }
      case 'atomic': {
        const of = this.type(typeArgument(name, 0), find);
        if (of.kind !== 'scalar') throw new ShaderError(`an atomic ${showType(of)}`, at);
        return { kind: 'atomic', of };
      }
      case 'ptr':
        return { kind: 'pointer', space: typeArgument(name, 0).name, of: this.type(typeArgument(name, 1), find) };
      default:
        throw new ShaderError(`there is no type '${name.name}' in the part of WGSL that the interpreter knows`, at);
    }
  }

  /** A type without a template list; undefined where the name is none, or lacks its list. */
  #plainType(name: string): Type | undefined {
    const declaration = this.declarations.get(name);
    if (declaration?.kind === 'alias') return this.type(declaration.type, this.find);
    if (declaration?.kind === 'struct') {
      const known = this.#types.get(name);
      if (known) return known;
      const fields = declaration.fields.map((field) => {
        const builtin = field.attributes.find((attribute) => attribute.name === 'builtin')?.args[0];
        const given = builtin?.kind === 'name' ? builtin.name : undefined;
        return { name: field.name, type: this.type(field.type, this.find), builtin: given };
      });
      const type = structType(name, fields);
      this.#types.set(name, type);
      return type;
    }
    return SCALARS[name];
  }

  /** The text that reads a value from memory. `site` is a number, or the name of a variable that holds one. */
  load(type: Type, memory: string, address: string, site: number | string): string {
    if (type.kind === 'scalar') {
      const read = `${memory}.${letterOf(type)}(${address},${site})`;
      return type.name === 'bool' ? `(${read}!==0)` : read;
    }
    const part = (of: Type, at: string): string => this.load(of, 'b', at, 's');
    const parts =
      type.kind === 'array' && (type.count ?? 0) > MOST_LITERAL
        ? `Array.from({length:${type.count}},(_,i)=>${part(type.of, `a+i*${strideOf(type.of)}`)})`
        : `[${partsOf(type).map(([of, offset]) => part(of, `a+${offset}`))}]`;
    return `${this.routine(`(b,a,s)=>${parts}`)}(${memory},${address},${site})`;
  }

  /** The text, an expression, that writes `text` to memory. */
  store(type: Type, { memory, address, whole }: MemoryReference, text: string, site: number | string): string {
    if (type.kind === 'scalar') {
      const word = type.name === 'bool' ? `(${text}?1:0)` : text;
      const letter = letterOf(type);
      if (!whole) return `${memory}.s${letter}(${address},${word},${site})`;
      return `${memory}.p${letter}(${whole.address},${whole.words},${whole.component},${word},${site})`;
    }
    const parts = partsOf(type).map(
      ([of, offset], i) =>
        `${this.store(of, { kind: 'memory', memory: 'b', address: `a+${offset}` }, `v[${i}]`, 's')};`,
    );
    return `${this.routine(`(b,a,v,s)=>{${parts.join('')}}`)}(${memory},${address},${text},${site})`;
  }

  /** The value of a type whose words are zero. */
  zero(type: Type): Constant {
    if (type.kind === 'scalar') return type.name === 'bool' ? false : 0;
    return partsOf(type).map(([of]) => this.zero(of));
  }

  /** The value, which may be kept and changed. */
  kept(code: Code): string {
    return isComposite(code.type) && !code.isFresh ? `N.copy(${code.text})` : code.text;
  }
}

const letterOf = ({ name }: Scalar): string => ({ f32: 'f', i32: 'i' })[name as 'f32'] ?? 'u';

/** The type argument of that number. Throws ShaderError where there is none. */
function typeArgument({ name, template, at }: Name, index: number): Name {
  const argument = template?.[index];
  if (argument?.kind === 'name') return argument;
  throw new ShaderError(`'${name}' wants a type in its template list`, at);
}

/** The types of a value's parts and the words before each. */
export function partsOf(type: Type): [Type, number][] {
  const repeat = (count: number, of: Type, stride: number): [Type, number][] =>
    Array.from({ length: count }, (_, i) => [of, i * stride]);
  switch (type.kind) {
    case 'vector':
      return repeat(type.size, type.of, 1);
    case 'matrix':
      return repeat(type.columns, vector(type.rows, type.of), strideOf(vector(type.rows, type.of)));
    case 'array':
      return repeat(type.count ?? 0, type.of, strideOf(type.of));
    case 'struct':
      return type.members.map((member) => [member.type, member.offset]);
    default:
      return [];
  }
}

function convertKnown(constant: Constant, from: ScalarName, to: ScalarName): Constant {
  if (typeof constant === 'object') return constant.map((part) => convertKnown(part, from, to));
  const text = convertText('x', from, to);
  return new Function('x', 'N', 'f', `return ${text};`)(constant, N, N.f) as Constant;
}
