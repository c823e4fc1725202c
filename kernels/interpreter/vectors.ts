// Functions of one number applied to each component of vectors and matrices, and the products of matrices, as shared JavaScript
// functions.
import { type Code, value } from './code.ts';
import type { Module } from './module.ts';
import { binaryOperator, type ScalarFunction } from './scalar-functions.ts';
import { bool, f32, type Matrix, type Scalar, scalar, type Type, vector, withElement } from './types.ts';

const components = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

/** Numbers at one level of a value: components of a vector, columns of a matrix. */
const widthOf = (type: Type): number =>
  type.kind === 'vector' ? type.size : type.kind === 'matrix' ? type.columns : 1;

/** `fn` for each component; arguments that are scalars serve all components. */
export function componentwise(module: Module, fn: ScalarFunction, args: readonly Code[]): Code {
  const shaped = args.find(({ type }) => type.kind !== 'scalar')?.type ?? args[0]!.type;
  const of = fn.result ? scalar(fn.result) : elementFrom(args);
  const type = withElement(shaped, of);
  const isConstant = args.every((arg) => arg.isConstant);
  return value(componentText(module, fn.text, args, shaped), type, isConstant);
}

const elementFrom = (args: readonly Code[]): Scalar => {
  const { type } = args[0]!;
  return type.kind === 'scalar' ? type : type.kind === 'vector' || type.kind === 'matrix' ? type.of : f32;
};

function componentText(module: Module, text: ScalarFunction['text'], args: readonly Code[], shaped: Type): string {
  if (shaped.kind === 'scalar') return text(...args.map((arg) => arg.text));
  const names = args.map((_, i) => `a${i}`);
  const part = (i: number): string => {
    const parts = args.map(({ type }, k) => (type.kind === 'scalar' ? names[k]! : `${names[k]}[${i}]`));
    if (shaped.kind === 'vector') return text(...parts);
    const columns = args.map((arg, k): Code => {
      const of = arg.type.kind === 'matrix' ? vector(arg.type.rows, arg.type.of) : arg.type;
      return { ...arg, type: of, text: parts[k]! };
    });
    return componentText(module, text, columns, columns.find(({ type }) => type.kind === 'vector')!.type);
  };
  const body = components(widthOf(shaped)).map(part).join(',');
  return `${module.routine(`(${names.join(',')})=>[${body}]`)}(${args.map((arg) => arg.text).join(',')})`;
}

/** The sum of products of components, first to last, each rounded. */
export function dot(module: Module, a: Code, b: Code, size: number, of: Scalar): string {
  const times = binaryOperator('*', of.name)!.text;
  const plus = binaryOperator('+', of.name)!.text;
  const sum = components(size)
    .map((i) => times(`a[${i}]`, `b[${i}]`))
    .reduce((total, term) => plus(total, term));
  return `${module.routine(`(a,b)=>${sum}`)}(${a.text},${b.text})`;
}

/** A product in which a matrix takes part as such; undefined where the operands are not of shapes that multiply. */
export function matrixProduct(module: Module, a: Code, b: Code): Code | undefined {
  const [left, right] = [a.type, b.type];
  const isConstant = a.isConstant && b.isConstant;
  const sum = (terms: number, term: (k: number) => string): string =>
    components(terms)
      .map(term)
      .reduce((total, next) => `f(${total}+${next})`);
  const make = (body: string, type: Type): Code =>
    value(`${module.routine(`(a,b)=>${body}`)}(${a.text},${b.text})`, type, isConstant);
  if (left.kind === 'matrix' && right.kind === 'vector' && left.columns === right.size) {
    const entry = (row: number): string => sum(left.columns, (k) => `f(a[${k}][${row}]*b[${k}])`);
    return make(`[${components(left.rows).map(entry)}]`, vector(left.rows, left.of));
  }
  if (left.kind === 'vector' && right.kind === 'matrix' && left.size === right.rows) {
    const entry = (column: number): string => sum(right.rows, (k) => `f(a[${k}]*b[${column}][${k}])`);
    return make(`[${components(right.columns).map(entry)}]`, vector(right.columns, right.of));
  }
  if (left.kind === 'matrix' && right.kind === 'matrix' && left.columns === right.rows) {
    const entry = (column: number, row: number): string =>
      sum(left.columns, (k) => `f(a[${k}][${row}]*b[${column}][${k}])`);
    const columns = components(right.columns).map((c) => `[${components(left.rows).map((r) => entry(c, r))}]`);
    const type: Matrix = { kind: 'matrix', columns: right.columns, rows: left.rows, of: left.of };
    return make(`[${columns}]`, type);
  }
  return undefined;
}

/** `all`, `any` and `select` of vectors of bool. */
export function joinBools(module: Module, arg: Code, op: '&&' | '||'): Code {
  if (arg.type.kind !== 'vector') return value(arg.text, bool, arg.isConstant);
  const joined = components(arg.type.size).map((i) => `a[${i}]`);
  return value(`${module.routine(`(a)=>${joined.join(op)}`)}(${arg.text})`, bool, arg.isConstant);
}
