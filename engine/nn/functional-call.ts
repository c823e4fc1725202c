// Calling a module with other tensors in the place of its parameters and buffers, as torch.func.functional_call.
import { takes } from '../call-check.ts';
import { ConfigError } from '../errors.ts';
import { callback, record, withMethod } from '../parameters.ts';
import type { Tensor } from '../tensor.ts';
import { Counter, type Module } from './module.ts';

const takesCall = takes('functionalCall', {
  module: withMethod('namedModules', 'a module'),
  state: record,
  body: callback,
});

/**
 * Runs `body` while the entries of `state` (dotted names) stand in for the module's own, then puts those back. Throws
 * ConfigError for a name that the module does not have. Buffers that the body updates are updated in the given tensors.
 */
export function functionalCall<T>(
  ...args: [module: Module, state: Readonly<Record<string, Tensor>>, body: () => T]
): T {
  const [module, state, body] = takesCall(args);
  const owners = new Map(module.namedModules());
  const known = new Set([...module.namedState()].flatMap(([name, value]) => (value instanceof Counter ? [] : [name])));
  const replaced: [Record<string, unknown>, string, unknown][] = [];
  try {
    for (const [key, value] of Object.entries(state)) {
      const dot = key.lastIndexOf('.');
      const owner = owners.get(key.slice(0, Math.max(0, dot))) as unknown as Record<string, unknown> | undefined;
      if (!owner || !known.has(key)) {
        throw new ConfigError('the module has no such parameter', { operation: 'functionalCall', given: key });
      }
      const name = key.slice(dot + 1);
      replaced.push([owner, name, owner[name]]);
      owner[name] = value;
    }
    return body();
  } finally {
    for (const [owner, name, value] of replaced) owner[name] = value;
  }
}
