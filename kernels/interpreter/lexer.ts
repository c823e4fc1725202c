// WGSL text to tokens. `>` is always a token of its own, so that template lists may end in `>>`; whoever reads an operator joins
// neighbours. Comments, block comments nested, are left out.
import { type Place, ShaderError } from './syntax.ts';

export interface Token {
  readonly kind: 'name' | 'number' | 'symbol' | 'end';
  readonly text: string;
  readonly at: Place;
  /** Offset in the text, and that behind the token. */
  readonly begin: number;
  readonly end: number;
}

const SPACE = /[\s\u200e\u200f]+/y;
const LINE_COMMENT = /\/\/[^\n]*/y;
const NAME = /[\p{XID_Start}_]\p{XID_Continue}*/uy;
const NUMBER =
  /0[xX](?:[0-9a-fA-F]*\.[0-9a-fA-F]+|[0-9a-fA-F]+\.?)(?:[pP][+-]?\d+[fh]?)?[iu]?|(?:\d*\.\d+|\d+\.?)(?:[eE][+-]?\d+)?[iufh]?/y;
const SYMBOL = /->|<<=|<<|<=|==|!=|&&|\|\||\+\+|--|[-+*/%&|^]=|[-+*/%&|^~!<>=.,:;@(){}[\]]/y;

const match = (pattern: RegExp, text: string, from: number): string | undefined => {
  pattern.lastIndex = from;
  return pattern.exec(text)?.[0];
};

/** Offset behind a block comment that begins at `from`. */
function behindComment(text: string, from: number): number {
  let depth = 0;
  for (let i = from; i < text.length; i++) {
    if (text.startsWith('/*', i)) {
      depth++;
      i++;
    } else if (text.startsWith('*/', i)) {
      i++;
      if (--depth === 0) return i + 1;
    }
  }
  return text.length;
}

/** The tokens of a module, ended by one of kind `end`. Throws ShaderError at a character that begins none. */
export function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  let line = 1;
  let lineStart = 0;
  let offset = 0;
  const skipTo = (end: number): void => {
    for (let i = text.indexOf('\n', offset); i >= 0 && i < end; i = text.indexOf('\n', i + 1)) {
      line++;
      lineStart = i + 1;
    }
    offset = end;
  };
  while (offset < text.length) {
    const space = match(SPACE, text, offset) ?? match(LINE_COMMENT, text, offset);
    if (space !== undefined) {
      skipTo(offset + space.length);
      continue;
    }
    if (text.startsWith('/*', offset)) {
      skipTo(behindComment(text, offset));
      continue;
    }
    const at = { line, column: offset - lineStart + 1 };
    const begin = offset;
    const push = (kind: Token['kind'], found: string): void => {
      tokens.push({ kind, text: found, at, begin, end: begin + found.length });
      offset = begin + found.length;
    };
    const name = match(NAME, text, offset);
    const number = name === undefined ? match(NUMBER, text, offset) : undefined;
    const symbol = number === undefined ? match(SYMBOL, text, offset) : undefined;
    if (name !== undefined) push('name', name);
    else if (number !== undefined) push('number', number);
    else if (symbol !== undefined) push('symbol', symbol);
    else throw new ShaderError(`no WGSL begins with '${text[offset]}'`, at);
  }
  tokens.push({ kind: 'end', text: '', at: { line, column: offset - lineStart + 1 }, begin: offset, end: offset });
  return tokens;
}
