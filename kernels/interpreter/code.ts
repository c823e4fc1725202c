// What an expression is compiled to: JavaScript text with the WGSL type of its value, and, where it names a place, how to read and
// write that place. Values of vectors, matrices, arrays and structs are JavaScript arrays of their parts.
import type { Type } from './types.ts';

/** A place in memory that invocations share, or that they only read. */
export interface MemoryReference {
  readonly kind: 'memory';
  /** The text of the memory object, and of the word that the place begins at. */
  readonly memory: string;
  readonly address: string;
  /** Of one component, the vector that it is part of: writing it may touch the others. */
  readonly whole?: { readonly address: string; readonly words: number; readonly component: string };
}

/** A variable of one invocation, `text`; of a part of one or of a boxed one, an entry of an array. */
export interface LocalReference {
  readonly kind: 'local';
  readonly container?: string;
  readonly key?: string;
}

export type Reference = MemoryReference | LocalReference;

export interface Code {
  /** Reads the value; of a reference to memory nothing, see `Module.load`. */
  readonly text: string;
  readonly type: Type;
  /** No variable holds the same array, so that it may be kept without a copy. */
  readonly isFresh: boolean;
  /** Known before the shader runs. */
  readonly isConstant: boolean;
  readonly reference?: Reference;
}

export const value = (text: string, type: Type, isConstant = false): Code => ({
  text,
  type,
  isFresh: true,
  isConstant,
});

/** What a name stands for. */
export type Binding =
  { readonly kind: 'code'; readonly code: Code } | { readonly kind: 'function'; readonly name: string };

export type Constant = number | boolean | readonly Constant[];

/** JavaScript text of a value that is known. */
export function literal(known: Constant): string {
  if (typeof known === 'object') return `[${known.map(literal).join(',')}]`;
  if (typeof known === 'boolean') return String(known);
  return Object.is(known, -0) || known < 0 ? `(${Object.is(known, -0) ? '-0' : known})` : String(known);
}
