// Types of WGSL and where their parts lie in memory, counted in words of 32 bits. Numbers without a type of their own
// (`abstract-int`, `abstract-float`) have values that are known before the shader runs.

export type ScalarName = 'f32' | 'i32' | 'u32' | 'bool' | 'abstract-int' | 'abstract-float';

export interface Scalar {
  readonly kind: 'scalar';
  readonly name: ScalarName;
}

export interface Vector {
  readonly kind: 'vector';
  readonly size: number;
  readonly of: Scalar;
}

/** `columns` vectors of `rows` numbers. */
export interface Matrix {
  readonly kind: 'matrix';
  readonly columns: number;
  readonly rows: number;
  readonly of: Scalar;
}

export interface ArrayType {
  readonly kind: 'array';
  readonly of: Type;
  /** Undefined where the buffer decides. */
  readonly count: number | undefined;
}

export interface Member {
  readonly name: string;
  readonly type: Type;
  /** Words from the beginning of the struct. */
  readonly offset: number;
  /** The value that an entry point is given, of `@builtin(...)`. */
  readonly builtin?: string;
}

export interface Struct {
  readonly kind: 'struct';
  readonly name: string;
  readonly members: readonly Member[];
}

export interface Pointer {
  readonly kind: 'pointer';
  readonly space: string;
  readonly of: Type;
}

export interface Atomic {
  readonly kind: 'atomic';
  readonly of: Scalar;
}

export type Type = Scalar | Vector | Matrix | ArrayType | Struct | Pointer | Atomic;

export const scalar = (name: ScalarName): Scalar => ({ kind: 'scalar', name });
export const f32 = scalar('f32');
export const i32 = scalar('i32');
export const u32 = scalar('u32');
export const bool = scalar('bool');
export const abstractInt = scalar('abstract-int');
export const abstractFloat = scalar('abstract-float');
export const vector = (size: number, of: Scalar): Vector => ({ kind: 'vector', size, of });

export const isAbstract = (type: Type): boolean => {
  const of = elementOf(type);
  return of?.name === 'abstract-int' || of?.name === 'abstract-float';
};

/** The scalar that a type is made of; undefined for structs and pointers. */
export function elementOf(type: Type): Scalar | undefined {
  switch (type.kind) {
    case 'scalar':
      return type;
    case 'vector':
    case 'matrix':
    case 'atomic':
      return type.of;
    case 'array':
      return elementOf(type.of);
    default:
      return undefined;
  }
}

/** The type of that shape with another scalar. */
export function withElement(type: Type, of: Scalar): Type {
  switch (type.kind) {
    case 'scalar':
      return of;
    case 'vector':
    case 'matrix':
    case 'atomic':
      return { ...type, of };
    case 'array':
      return { ...type, of: withElement(type.of, of) };
    default:
      return type;
  }
}

export const isComposite = (type: Type): boolean => !['scalar', 'pointer', 'atomic'].includes(type.kind);

/** As WGSL writes it. */
export function showType(type: Type): string {
  switch (type.kind) {
    case 'scalar':
      return type.name;
    case 'vector':
      return `vec${type.size}<${showType(type.of)}>`;
    case 'matrix':
      return `mat${type.columns}x${type.rows}<${showType(type.of)}>`;
    case 'array':
      return `array<${showType(type.of)}${type.count === undefined ? '' : `, ${type.count}`}>`;
    case 'struct':
      return type.name;
    case 'pointer':
      return `ptr<${type.space}, ${showType(type.of)}>`;
    case 'atomic':
      return `atomic<${showType(type.of)}>`;
  }
}

export const sameType = (a: Type, b: Type): boolean => a === b || showType(a) === showType(b);

const roundUp = (size: number, to: number): number => Math.ceil(size / to) * to;

/** Words that a type's beginning is a multiple of. */
export function alignOf(type: Type): number {
  switch (type.kind) {
    case 'vector':
      return type.size === 2 ? 2 : 4;
    case 'matrix':
      return type.rows === 2 ? 2 : 4;
    case 'array':
      return alignOf(type.of);
    case 'struct':
      return Math.max(1, ...type.members.map((member) => alignOf(member.type)));
    default:
      return 1;
  }
}

/** Words of a type; of an array without a length, those of one element. */
export function sizeOfType(type: Type): number {
  switch (type.kind) {
    case 'vector':
      return type.size;
    case 'matrix':
      return type.columns * alignOf(type);
    case 'array':
      return (type.count ?? 1) * strideOf(type.of);
    case 'struct': {
      const last = type.members.at(-1);
      return roundUp(last ? last.offset + sizeOfType(last.type) : 1, alignOf(type));
    }
    default:
      return 1;
  }
}

/** Words from one element of an array to the next. */
export const strideOf = (of: Type): number => roundUp(sizeOfType(of), alignOf(of));

/** Members in order, each at the next place that it may have. */
export function structType(name: string, fields: readonly { name: string; type: Type; builtin?: string }[]): Struct {
  let offset = 0;
  const members = fields.map((field): Member => {
    const start = roundUp(offset, alignOf(field.type));
    offset = start + sizeOfType(field.type);
    return { ...field, offset: start };
  });
  return { kind: 'struct', name, members };
}
