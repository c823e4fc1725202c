// Layers by name. While watched, every method of every class of modules tells when it begins and ends; afterwards the
// modules that were seen get the dotted names of their state dicts. Leaves out functions that are no methods of a module.
import { Module, watchModuleClasses } from '../nn/module.ts';
import { Tensor } from '../tensor.ts';
import type { Layer } from './work.ts';

/** The name of work that no module asked for: losses, the preparation of batches. */
export const OUTSIDE = '(outside of modules)';

type Method = (this: Module, ...args: unknown[]) => unknown;

/** Has `around` run every method call of a module until the function that it returns is called. */
export function watchModules(around: <T>(module: Module, body: () => T) => T): () => void {
  const seen = new Set<object>([Module.prototype]);
  const restore: (() => void)[] = [];
  watchModuleClasses((made) => {
    for (let type = made.prototype as object; !seen.has(type); type = Object.getPrototypeOf(type) as object) {
      seen.add(type);
      for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(type))) {
        if (name === 'constructor' || typeof descriptor.value !== 'function') continue;
        const method = descriptor.value as Method;
        const watched: Method = function (...args) {
          return around(this, () => method.apply(this, args));
        };
        Object.defineProperty(type, name, { ...descriptor, value: watched });
        restore.push(() => Object.defineProperty(type, name, descriptor));
      }
    }
  });
  return () => {
    watchModuleClasses(undefined);
    for (const each of restore) each();
  };
}

/**
 * Names of modules, and of the innermost modules that hold parameters, as in a state dict. A module that no other one of
 * `outermost` holds goes by its name in `given`, else by its class; that name stands before those below it only where there are
 * several.
 */
export function layerNames(
  outermost: ReadonlySet<Module>,
  given: Readonly<Record<string, Module>> = {},
): (layer: Layer) => string {
  const all = new Set([...Object.values(given), ...outermost]);
  const held = new Set([...all].flatMap((root) => [...root.namedModules()].slice(1).map(([, module]) => module)));
  const roots = [...all].filter((module) => !held.has(module));
  const namesGiven = new Map(Object.entries(given).map(([name, module]) => [module, name]));
  const taken = new Map<string, number>();
  const nameOf = (root: Module): string => {
    const name = namesGiven.get(root) ?? root.constructor.name;
    const count = (taken.get(name) ?? 0) + 1;
    taken.set(name, count);
    return count === 1 ? name : `${name} (${count})`;
  };
  const names = new Map<Module, string>();
  /** The modules around a parameter, the outermost first. */
  const around = new Map<Tensor, readonly Module[]>();
  for (const root of roots) {
    const own = nameOf(root);
    const prefix = roots.length > 1 ? `${own}.` : '';
    const modules = new Map(root.namedModules());
    for (const [path, module] of modules) {
      if (!names.has(module)) names.set(module, path === '' ? own : prefix + path);
      const above = path === '' ? [] : path.split('.').map((_, i, parts) => modules.get(parts.slice(0, i).join('.')));
      const chain = [...above, module].filter((each) => each !== undefined);
      for (const member of Object.values(module)) {
        if (member instanceof Tensor && !around.has(member)) around.set(member, chain);
      }
    }
  }
  const innermost = (tensors: readonly Tensor[]): Module | undefined => {
    const chains = tensors.map((tensor) => around.get(tensor) ?? []);
    return chains[0]?.findLast((module) => chains.every((chain) => chain.includes(module)));
  };
  return (layer) => {
    const module = layer instanceof Module || !layer ? layer : innermost(layer instanceof Tensor ? [layer] : layer);
    return (module && names.get(module)) ?? OUTSIDE;
  };
}
