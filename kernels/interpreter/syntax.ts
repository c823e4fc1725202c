// The syntax tree of a WGSL module, for the part of the language that compute shaders of buffers need: no textures, no stages other
// than compute. Types are expressions that name something, as in the WGSL grammar.

/** Where something stands in the text of the module; both count from 1. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

interface At {
  readonly at: Place;
}

export interface NumberLiteral extends At {
  readonly kind: 'number';
  readonly value: number;
  readonly suffix: '' | 'u' | 'i' | 'f';
  readonly isFloat: boolean;
}

/** A name, or a name with a template list: `x`, `vec4<f32>`, `array<u32, 2 * N>`. */
export interface Name extends At {
  readonly kind: 'name';
  readonly name: string;
  readonly template?: readonly Expression[];
}

export interface Call extends At {
  readonly kind: 'call';
  readonly callee: Name;
  readonly args: readonly Expression[];
}

export type Expression =
  | NumberLiteral
  | Name
  | Call
  | ({ readonly kind: 'bool'; readonly value: boolean } & At)
  | ({ readonly kind: 'index'; readonly base: Expression; readonly index: Expression } & At)
  | ({ readonly kind: 'member'; readonly base: Expression; readonly name: string } & At)
  | ({ readonly kind: 'unary'; readonly op: string; readonly of: Expression } & At)
  | ({ readonly kind: 'binary'; readonly op: string; readonly a: Expression; readonly b: Expression } & At);

export interface Attribute extends At {
  readonly name: string;
  readonly args: readonly Expression[];
}

/** `var`, `let`, `const` and `override`. */
export interface Variable extends At {
  readonly kind: 'var' | 'let' | 'const' | 'override';
  readonly name: string;
  readonly space?: string;
  readonly access?: string;
  readonly type?: Name;
  readonly init?: Expression;
  readonly attributes: readonly Attribute[];
}

export interface Assignment extends At {
  readonly kind: 'assign';
  /** '' for `=`, else the operator of a compound assignment; `++` is `+` and 1. */
  readonly op: string;
  /** Undefined for `_ = value`. */
  readonly target: Expression | undefined;
  readonly value: Expression;
}

export interface Case {
  /** Undefined for `default`. */
  readonly selectors: readonly (Expression | undefined)[];
  readonly body: Block;
}

export interface Block extends At {
  readonly kind: 'block';
  readonly body: readonly Statement[];
}

export interface ForLoop extends At {
  readonly kind: 'for';
  readonly init?: Statement;
  readonly condition?: Expression;
  readonly update?: Statement;
  readonly body: Block;
}

export interface PlainLoop extends At {
  readonly kind: 'loop';
  readonly body: Block;
  readonly continuing?: Block;
  readonly breakIf?: Expression;
}

export interface Switch extends At {
  readonly kind: 'switch';
  readonly on: Expression;
  readonly cases: readonly Case[];
}

export type Statement =
  | Block
  | Variable
  | Assignment
  | ForLoop
  | PlainLoop
  | Switch
  | ({ readonly kind: 'call-statement'; readonly call: Call } & At)
  | ({ readonly kind: 'if'; readonly condition: Expression; readonly then: Block; readonly else?: Statement } & At)
  | ({ readonly kind: 'while'; readonly condition: Expression; readonly body: Block } & At)
  | ({ readonly kind: 'return'; readonly value?: Expression } & At)
  | ({ readonly kind: 'break' } & At)
  | ({ readonly kind: 'continue' } & At);

export interface Field extends At {
  readonly name: string;
  readonly type: Name;
  readonly attributes: readonly Attribute[];
}

export interface FunctionDeclaration extends At {
  readonly kind: 'function';
  readonly name: string;
  readonly params: readonly Field[];
  readonly result?: Name;
  readonly attributes: readonly Attribute[];
  readonly body: Block;
}

export type Declaration =
  | Variable
  | FunctionDeclaration
  | ({ readonly kind: 'struct'; readonly name: string; readonly fields: readonly Field[] } & At)
  | ({ readonly kind: 'alias'; readonly name: string; readonly type: Name } & At);

/** What is wrong with a shader: names the place and the line of text. */
export class ShaderError extends Error {
  override readonly name = 'ShaderError';
  readonly at: Place;

  constructor(message: string, at: Place) {
    super(`line ${at.line}, column ${at.column}: ${message}`);
    this.at = at;
  }
}
