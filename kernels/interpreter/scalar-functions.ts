// Operators and built-in functions that work on one number at a time, as JavaScript text. Vectors apply them to each component.
import type { ScalarName } from './types.ts';

/** The text for arguments that are names or literals and may be repeated. */
export type Template = (...args: string[]) => string;

export interface ScalarFunction {
  readonly text: Template;
  /** Of the result; undefined: that of the arguments. */
  readonly result?: ScalarName;
}

type Table = Readonly<Record<string, ScalarFunction | undefined>>;

const float = (text: Template): ScalarFunction => ({ text });
const math = (name: string): ScalarFunction => ({ text: (...args) => `f(Math.${name}(${args.join(',')}))` });
const runtime = (name: string, result?: ScalarName): ScalarFunction => ({
  text: (...args) => `N.${name}(${args.join(',')})`,
  result,
});
const same = (op: string): ScalarFunction => ({ text: (a, b) => `(${a}${op}${b})` });
const signed = (op: string): ScalarFunction => ({ text: (a, b) => `(${a}${op}${b}|0)` });
const unsigned = (op: string): ScalarFunction => ({ text: (a, b) => `((${a}${op}${b})>>>0)` });
const compare = (op: string): ScalarFunction => ({ text: (a, b) => `(${a}${op}${b})`, result: 'bool' });

const comparisons: Table = {
  '==': compare('==='),
  '!=': compare('!=='),
  '<': compare('<'),
  '>': compare('>'),
  '<=': compare('<='),
  '>=': compare('>='),
};

const f32Operators: Table = {
  ...comparisons,
  '+': { text: (a, b) => `f(${a}+${b})` },
  '-': { text: (a, b) => `f(${a}-${b})` },
  '*': { text: (a, b) => `f(${a}*${b})` },
  '/': { text: (a, b) => `f(${a}/${b})` },
  '%': { text: (a, b) => `f(${a}%${b})` },
};

const binaryOperators: Readonly<Record<ScalarName, Table>> = {
  f32: f32Operators,
  i32: {
    ...comparisons,
    '+': signed('+'),
    '-': signed('-'),
    '*': { text: (a, b) => `m(${a},${b})` },
    '/': runtime('divideI'),
    '%': runtime('remainderI'),
    '&': same('&'),
    '|': same('|'),
    '^': same('^'),
    '<<': same('<<'),
    '>>': same('>>'),
  },
  u32: {
    ...comparisons,
    '+': unsigned('+'),
    '-': unsigned('-'),
    '*': { text: (a, b) => `(m(${a},${b})>>>0)` },
    '/': runtime('divideU'),
    '%': runtime('remainderU'),
    '&': unsigned('&'),
    '|': unsigned('|'),
    '^': unsigned('^'),
    '<<': unsigned('<<'),
    '>>': same('>>>'),
  },
  bool: {
    '==': compare('==='),
    '!=': compare('!=='),
    '&': { text: (a, b) => `((${a}&${b})!==0)` },
    '|': { text: (a, b) => `((${a}|${b})!==0)` },
    '&&': same('&&'),
    '||': same('||'),
  },
  'abstract-float': {
    ...comparisons,
    '+': same('+'),
    '-': same('-'),
    '*': same('*'),
    '/': same('/'),
    '%': same('%'),
  },
  'abstract-int': {
    ...comparisons,
    '+': same('+'),
    '-': same('-'),
    '*': same('*'),
    '/': runtime('divideA'),
    '%': same('%'),
    '&': runtime('andA'),
    '|': runtime('orA'),
    '^': runtime('xorA'),
    '<<': { text: (a, b) => `(${a}*2**${b})` },
    '>>': { text: (a, b) => `Math.floor(${a}/2**${b})` },
  },
};

const unaryOperators: Readonly<Record<ScalarName, Table>> = {
  f32: { '-': { text: (a) => `(-${a})` } },
  i32: { '-': { text: (a) => `(-${a}|0)` }, '~': { text: (a) => `(~${a})` } },
  u32: { '~': { text: (a) => `(~${a}>>>0)` } },
  bool: { '!': { text: (a) => `(!${a})` } },
  'abstract-float': { '-': { text: (a) => `(-${a})` } },
  'abstract-int': { '-': { text: (a) => `(-${a})` }, '~': { text: (a) => `(-1-${a})` } },
};

const floatFunctions: Table = {
  abs: { text: (a) => `Math.abs(${a})` },
  floor: { text: (a) => `Math.floor(${a})` },
  ceil: { text: (a) => `Math.ceil(${a})` },
  trunc: { text: (a) => `Math.trunc(${a})` },
  round: runtime('roundEven'),
  fract: float((a) => `f(${a}-Math.floor(${a}))`),
  sign: { text: (a) => `Math.sign(${a})` },
  sqrt: math('sqrt'),
  inverseSqrt: float((a) => `f(1/Math.sqrt(${a}))`),
  exp: math('exp'),
  exp2: float((a) => `f(2**${a})`),
  log: math('log'),
  log2: math('log2'),
  pow: math('pow'),
  sin: math('sin'),
  cos: math('cos'),
  tan: math('tan'),
  asin: math('asin'),
  acos: math('acos'),
  atan: math('atan'),
  atan2: math('atan2'),
  sinh: math('sinh'),
  cosh: math('cosh'),
  tanh: math('tanh'),
  asinh: math('asinh'),
  acosh: math('acosh'),
  atanh: math('atanh'),
  min: runtime('min'),
  max: runtime('max'),
  clamp: { text: (x, low, high) => `N.min(N.max(${x},${low}),${high})` },
  saturate: { text: (x) => `N.min(N.max(${x},0),1)` },
  mix: runtime('blend'),
  step: { text: (edge, x) => `(${edge}<=${x}?1:0)` },
  fma: runtime('fma'),
  degrees: float((a) => `f(${a}*57.29577951308232)`),
  radians: float((a) => `f(${a}*0.017453292519943295)`),
  quantizeToF16: { text: (a) => `N.halfValue(N.halfBits(${a}))` },
};

const bitFunctions = (back: string): Table => ({
  countLeadingZeros: runtime('leadingZeros'),
  countTrailingZeros: runtime('trailingZeros'),
  countOneBits: runtime('oneBits'),
  reverseBits: { text: (a) => `(N.reverseBits(${a})${back})` },
});

const functions: Readonly<Record<ScalarName, Table>> = {
  f32: floatFunctions,
  i32: {
    ...bitFunctions('|0'),
    abs: { text: (a) => `(Math.abs(${a})|0)` },
    sign: { text: (a) => `Math.sign(${a})` },
    min: runtime('min'),
    max: runtime('max'),
    clamp: floatFunctions.clamp,
    firstLeadingBit: runtime('firstLeadingBitI'),
  },
  u32: {
    ...bitFunctions('>>>0'),
    abs: { text: (a) => a! },
    min: runtime('min'),
    max: runtime('max'),
    clamp: floatFunctions.clamp,
    firstLeadingBit: runtime('firstLeadingBitU'),
  },
  bool: {},
  'abstract-float': {
    abs: floatFunctions.abs,
    floor: floatFunctions.floor,
    ceil: floatFunctions.ceil,
    sqrt: { text: (a) => `Math.sqrt(${a})` },
    exp: { text: (a) => `Math.exp(${a})` },
    log: { text: (a) => `Math.log(${a})` },
    min: floatFunctions.min,
    max: floatFunctions.max,
  },
  'abstract-int': {
    abs: floatFunctions.abs,
    min: floatFunctions.min,
    max: floatFunctions.max,
    clamp: floatFunctions.clamp,
  },
};

export const binaryOperator = (op: string, type: ScalarName): ScalarFunction | undefined => binaryOperators[type][op];
export const unaryOperator = (op: string, type: ScalarName): ScalarFunction | undefined => unaryOperators[type][op];
export const builtinFunction = (name: string, type: ScalarName): ScalarFunction | undefined => functions[type][name];
/** Whether some type has it. */
export const isScalarBuiltin = (name: string): boolean =>
  Object.values(functions).some((table) => table[name] !== undefined);

const FLOATS: readonly ScalarName[] = ['f32', 'abstract-float'];

/** A value of one scalar type as another, by value. */
export function convertText(text: string, from: ScalarName, to: ScalarName): string {
  if (from === to) return text;
  if (from === 'bool') return `(${text}?1:0)`;
  if (to === 'bool') return `(${text}!==0)`;
  if (to === 'f32') return `f(${text})`;
  if (to === 'i32') return FLOATS.includes(from) ? `N.toI(${text})` : `(${text}|0)`;
  if (to === 'u32') return FLOATS.includes(from) ? `N.toU(${text})` : `(${text}>>>0)`;
  return text;
}

/** The bits of one scalar type read as another. */
export function bitcastText(text: string, from: ScalarName, to: ScalarName): string {
  if (from === to) return text;
  if (to === 'f32') return `N.floatOf(${text})`;
  if (from === 'f32') return to === 'i32' ? `N.intOf(${text})` : `N.uintOf(${text})`;
  return to === 'i32' ? `(${text}|0)` : `(${text}>>>0)`;
}
