// Reads parameter blocks out of the text of kernels, to compare them with the declarations: both are the same bytes.
import { MAX_LIST, MAX_RANK, type FieldType } from '../../kernels/kernel.ts';

const wgslTypes: Record<string, FieldType> = {
  u32: 'u32',
  i32: 'i32',
  f32: 'f32',
  [`array<vec4<u32>,${MAX_RANK / 4}>`]: 'u32x8',
  [`array<vec4<i32>,${MAX_RANK / 4}>`]: 'i32x8',
  [`array<vec4<u32>,${MAX_LIST / 4}>`]: 'u32x32',
};

/** Names and types of the fields of `struct Params` in order, or undefined if the text declares none. */
export function wgslParams(text: string): [string, string][] | undefined {
  const body = /struct Params\s*\{([^}]*)\}/.exec(text.replace(/\/\/.*/g, ''))?.[1];
  if (body === undefined) return undefined;
  return [...body.matchAll(/(\w+)\s*:\s*((?:[^,<]|<(?:[^<>]|<[^<>]*>)*>)+)/g)].map(([, name, type]) => {
    const plain = type.replace(/\s/g, '');
    return [name, wgslTypes[plain] ?? plain];
  });
}

/** A field of an AssemblyScript class: its type, or `address` where its name gives that of an array, and the word it starts at. */
export interface ClassField {
  readonly name: string;
  readonly type: string;
  readonly word: number;
}

/** The classes of a params.as.ts by name: their fields and all of their words. */
export function assemblyClasses(text: string): Map<string, { fields: ClassField[]; words: number }> {
  const classes = new Map<string, { fields: ClassField[]; words: number }>();
  for (const [, name, body] of text.matchAll(/export class (\w+) \{\n([^]*?)\n\}/g)) {
    const scalars = [...body.matchAll(/^ {2}(\w+): (\w+);$/gm)].map(([, name, type], word) => ({ name, type, word }));
    const arrays = [...body.matchAll(/get (\w+)\(\): usize \{\s*return changetype<usize>\(this\) \+ (\d+);/g)].map(
      ([, name, bytes]) => ({ name, type: 'address', word: Number(bytes) / 4 }),
    );
    classes.set(name, { fields: [...scalars, ...arrays], words: scalars.length });
  }
  return classes;
}
