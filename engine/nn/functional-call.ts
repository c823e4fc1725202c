// Calling a module with other tensors in the place of its parameters and buffers, as torch.func.functional_call.
import { takes } from '../call-check.ts';
import { ConfigError } from '../errors.ts';
import { callback, record, withMethod } from '../parameters.ts';
import { Parameter, type Tensor } from '../tensor.ts';
import { type Module } from './module.ts';

/** A place where a module holds a tensor. */
interface Place {
  readonly owner: Record<string, unknown>;
  readonly name: string;
}

/** Where the module holds each parameter and buffer, by dotted name. */
function placesOf(module: Module): Map<string, Place> {
  const owners = new Map(module.namedModules());
  const places = new Map<string, Place>();
  for (const [key, value] of module.namedState()) {
    if (!(value instanceof Parameter)) continue;
    const dot = key.lastIndexOf('.');
    const owner = owners.get(key.slice(0, Math.max(0, dot))) as unknown as Record<string, unknown>;
    places.set(key, { owner, name: key.slice(dot + 1) });
  }
  return places;
}

const takesCall = takes('functionalCall', {
  module: withMethod('namedModules', 'a module'),
  state: record,
  body: callback,
});

/**
 * Runs `body` while the entries of `state` (dotted names) stand in for the module's own, then puts those back. The entry for
 * one name of a tied weight stands in under all its names that have none of their own. Throws ConfigError for a name that
 * the module does not have. Buffers that the body updates are updated in the given tensors.
 */
export function functionalCall<T>(
  ...args: [module: Module, state: Readonly<Record<string, Tensor>>, body: () => T]
): T {
  const [module, state, body] = takesCall(args);
  const places = placesOf(module);
  const standIns = new Map<unknown, Tensor>();
  for (const [key, value] of Object.entries(state)) {
    const place = places.get(key);
    if (!place) throw new ConfigError('the module has no such parameter', { operation: 'functionalCall', given: key });
    standIns.set(place.owner[place.name], value);
  }
  const replaced: [Place, unknown][] = [];
  try {
    for (const [key, place] of places) {
      const own = place.owner[place.name];
      const value = state[key] ?? standIns.get(own);
      if (!value) continue;
      replaced.push([place, own]);
      place.owner[place.name] = value;
    }
    return body();
  } finally {
    for (const [{ owner, name }, own] of replaced.reverse()) owner[name] = own;
  }
}
