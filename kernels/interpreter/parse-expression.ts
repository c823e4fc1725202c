// Expressions of WGSL, by precedence. A template list is read behind the names that take one, which is all that tells `<` from a
// comparison in the modules of compute shaders.
import { type Token, tokensOf } from './lexer.ts';
import { type Call, type Expression, type Name, type NumberLiteral, ShaderError } from './syntax.ts';

/** Loosest first. */
const LEVELS: readonly (readonly string[])[] = [
  ['||'],
  ['&&'],
  ['|'],
  ['^'],
  ['&'],
  ['==', '!='],
  ['<', '>', '<=', '>='],
  ['<<', '>>'],
  ['+', '-'],
  ['*', '/', '%'],
];
/** An element of a template list ends at `>`: nothing looser than a sum stands there without parentheses. */
const SUMS = 8;
const TEMPLATES = /^(vec[234]|mat[234]x[234]|array|ptr|atomic|bitcast)$/;

export class ExpressionParser {
  readonly #tokens: readonly Token[];
  #next = 0;

  constructor(text: string) {
    this.#tokens = tokensOf(text);
  }

  get token(): Token {
    return this.#tokens[this.#next]!;
  }

  is(text: string): boolean {
    return this.token.text === text && this.token.kind !== 'end';
  }

  take(): Token {
    const token = this.token;
    if (token.kind !== 'end') this.#next++;
    return token;
  }

  /** Takes the token if it is there. */
  skip(text: string): boolean {
    if (!this.is(text)) return false;
    this.#next++;
    return true;
  }

  expect(text: string): Token {
    if (this.is(text)) return this.take();
    return this.fail(`'${text}'`);
  }

  name(): string {
    if (this.token.kind === 'name') return this.take().text;
    return this.fail('a name');
  }

  fail(expected: string): never {
    throw new ShaderError(`expected ${expected}, found '${this.token.text || 'the end'}'`, this.token.at);
  }

  /** The operator that begins here; `>`, `>=` and `>>` are joined of neighbours. */
  operator(): { text: string; tokens: number } {
    const { text, end } = this.token;
    if (text !== '>') return { text, tokens: 1 };
    const second = this.#tokens[this.#next + 1];
    if (second?.begin !== end || (second.text !== '>' && second.text !== '=' && second.text !== '==')) {
      return { text, tokens: 1 };
    }
    if (second.text === '==') return { text: '>', tokens: 1 };
    const third = this.#tokens[this.#next + 2];
    if (second.text === '>' && third?.begin === second.end && third.text === '=') return { text: '>>=', tokens: 3 };
    return { text: text + second.text, tokens: 2 };
  }

  advance(tokens: number): void {
    this.#next += tokens;
  }

  expression(): Expression {
    return this.#binary(0);
  }

  #binary(level: number): Expression {
    const operators = LEVELS[level];
    if (!operators) return this.#unary();
    let a = this.#binary(level + 1);
    for (;;) {
      const { at } = this.token;
      const { text, tokens } = this.operator();
      if (this.token.kind !== 'symbol' || !operators.includes(text)) return a;
      this.advance(tokens);
      a = { kind: 'binary', op: text, a, b: this.#binary(level + 1), at };
    }
  }

  #unary(): Expression {
    const { text, at, kind } = this.token;
    if (kind === 'symbol' && ['-', '!', '~', '*', '&'].includes(text)) {
      this.take();
      return { kind: 'unary', op: text, of: this.#unary(), at };
    }
    return this.postfix(this.#primary());
  }

  postfix(base: Expression): Expression {
    let result = base;
    for (;;) {
      const { at } = this.token;
      if (this.skip('[')) {
        result = { kind: 'index', base: result, index: this.expression(), at };
        this.expect(']');
      } else if (this.skip('.')) {
        result = { kind: 'member', base: result, name: this.name(), at };
      } else return result;
    }
  }

  #primary(): Expression {
    const { kind, text, at } = this.token;
    if (kind === 'number') return numberOf(this.take());
    if (this.skip('(')) {
      const inner = this.expression();
      this.expect(')');
      return inner;
    }
    if (kind !== 'name') return this.fail('an expression');
    if (text === 'true' || text === 'false') {
      this.take();
      return { kind: 'bool', value: text === 'true', at };
    }
    const named = this.typeName();
    return this.is('(') ? this.call(named) : named;
  }

  call(callee: Name): Call {
    return { kind: 'call', callee, args: this.args(), at: callee.at };
  }

  /** A list in parentheses; a comma may stand behind the last. */
  args(): Expression[] {
    const args: Expression[] = [];
    this.expect('(');
    while (!this.skip(')')) {
      args.push(this.expression());
      if (!this.is(')')) this.expect(',');
    }
    return args;
  }

  /** A name with its template list, which may be a type. */
  typeName(): Name {
    const { at } = this.token;
    const name = this.name();
    if (!TEMPLATES.test(name) || !this.is('<')) return { kind: 'name', name, at };
    this.take();
    const template: Expression[] = [];
    while (!this.skip('>')) {
      template.push(this.#binary(SUMS));
      if (!this.is('>')) this.expect(',');
    }
    return { kind: 'name', name, template, at };
  }
}

function numberOf({ text, at }: Token): NumberLiteral {
  const isHex = /^0x/i.test(text);
  const suffix = /[iu]$/.exec(text)?.[0] ?? (isHex ? /p.*([fh])$/i.exec(text)?.[1] : /[fh]$/.exec(text)?.[0]) ?? '';
  if (suffix === 'h') throw new ShaderError('f16 is not in the part of WGSL that the interpreter knows', at);
  const digits = suffix ? text.slice(0, -1) : text;
  const isFloat = suffix === 'f' || (isHex ? /[.p]/i : /[.e]/i).test(digits);
  const value = isHex && isFloat ? hexFloat(digits) : Number(digits);
  return { kind: 'number', value, suffix: suffix as NumberLiteral['suffix'], isFloat, at };
}

function hexFloat(text: string): number {
  const [mantissa, exponent = '0'] = text.slice(2).toLowerCase().split('p');
  const [whole, fraction = ''] = mantissa!.split('.');
  return parseInt(whole + fraction, 16) * 2 ** (Number(exponent) - 4 * fraction.length);
}
