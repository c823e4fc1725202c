// Reads `struct Params` out of WGSL text, to compare it with the kernel's description: both are the same bytes.
import { MAX_RANK, type FieldType } from '../../kernels/kernel.ts';

const wgslTypes: Record<string, FieldType> = {
  u32: 'u32',
  i32: 'i32',
  f32: 'f32',
  [`array<vec4<u32>,${MAX_RANK / 4}>`]: 'u32x8',
  [`array<vec4<i32>,${MAX_RANK / 4}>`]: 'i32x8',
};

/** Names and types of the fields in order, or undefined if the module declares no `struct Params`. */
export function wgslParams(module: string): [string, string][] | undefined {
  const body = /struct Params\s*\{([^}]*)\}/.exec(module.replace(/\/\/.*/g, ''))?.[1];
  if (body === undefined) return undefined;
  return [...body.matchAll(/(\w+)\s*:\s*((?:[^,<]|<(?:[^<>]|<[^<>]*>)*>)+)/g)].map(([, name, type]) => {
    const plain = type.replace(/\s/g, '');
    return [name, wgslTypes[plain] ?? plain];
  });
}
