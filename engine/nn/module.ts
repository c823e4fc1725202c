// Module: a tree of parameters, buffers and submodules whose names are those of a torch state_dict, in the same order.
import type { HostArray } from '../devices/device.ts';
import { DataError, ShapeError, showShape } from '../errors.ts';
import { sameShape, type Shape } from '../shape.ts';
import { Parameter, type Tensor } from '../tensor.ts';

/** Values of one entry of a state dict on the host, row-major. */
export interface StateEntry {
  shape: Shape;
  values: HostArray;
}

export type StateDict = Map<string, StateEntry>;

/** State that is saved but not trained, such as running statistics. Belongs to no scope. */
export class Buffer extends Parameter {
  constructor(...args: ConstructorParameters<typeof Parameter>) {
    super(...args);
    this.requiresGrad = false;
  }
}

export interface LoadReport {
  /** Keys of the module that the state lacks. */
  missing: string[];
  /** Keys of the state that the module lacks. */
  unexpected: string[];
}

/** Keys that torch saves and this engine does not keep: a count of batches that nothing reads. */
const ignored = (key: string): boolean => key.endsWith('num_batches_tracked');

export abstract class Module {
  training = true;

  /** Own parameters, buffers and submodules, in the order in which the constructor made them. */
  *#members(): Iterable<[string, Parameter | Module]> {
    for (const [name, value] of Object.entries(this)) {
      if (value instanceof Parameter || value instanceof Module) yield [name, value];
    }
  }

  /** This module and all below it, with their dotted names. */
  *namedModules(prefix = ''): Iterable<[string, Module]> {
    yield [prefix, this];
    for (const [name, value] of this.#members()) {
      if (value instanceof Module) yield* value.namedModules(prefix ? `${prefix}.${name}` : name);
    }
  }

  /** Parameters and buffers by dotted name, in the order of torch's state_dict. */
  *namedState(): Iterable<[string, Parameter]> {
    for (const [prefix, module] of this.namedModules()) {
      for (const [name, value] of module.#members()) {
        if (value instanceof Parameter) yield [prefix ? `${prefix}.${name}` : name, value];
      }
    }
  }

  *namedParameters(): Iterable<[string, Parameter]> {
    for (const [name, value] of this.namedState()) if (!(value instanceof Buffer)) yield [name, value];
  }

  parameters(): Parameter[] {
    return [...this.namedParameters()].map(([, parameter]) => parameter);
  }

  /** Number of trainable values. */
  parameterCount(): number {
    return this.parameters().reduce((count, parameter) => count + parameter.size, 0);
  }

  /** Sets training mode here and below. Returns itself. */
  train(on = true): this {
    for (const [, module] of this.namedModules()) module.training = on;
    return this;
  }

  /** Inference mode: running statistics, no dropout. */
  eval(): this {
    return this.train(false);
  }

  zeroGrad(): void {
    for (const parameter of this.parameters()) parameter.zeroGrad();
  }

  /** Copies all parameters and buffers to the host. */
  async stateDict(): Promise<StateDict> {
    const state: StateDict = new Map();
    for (const [name, value] of this.namedState()) state.set(name, { shape: value.shape, values: await value.array() });
    return state;
  }

  /**
   * Replaces parameters and buffers by those of `state`. Throws DataError and changes nothing when a key is missing or
   * unexpected (unless `strict` is false) and ShapeError when a shape differs. Returns what did not match.
   */
  loadStateDict(state: ReadonlyMap<string, StateEntry>, { strict = true } = {}): LoadReport {
    const own = new Map(this.namedState());
    const report: LoadReport = {
      missing: [...own.keys()].filter((key) => !state.has(key)),
      unexpected: [...state.keys()].filter((key) => !own.has(key) && !ignored(key)),
    };
    if (strict && (report.missing.length || report.unexpected.length)) {
      const list = (keys: string[]) => keys.slice(0, 5).join(', ') + (keys.length > 5 ? `, ... (${keys.length})` : '');
      throw new DataError('the checkpoint does not fit the module', {
        operation: 'loadStateDict',
        given: `missing: ${list(report.missing) || 'none'}; unexpected: ${list(report.unexpected) || 'none'}`,
        hint: 'Pass { strict: false } to load what matches',
      });
    }
    for (const [key, value] of own) {
      const entry = state.get(key);
      if (entry && !sameShape(entry.shape, value.shape)) {
        throw new ShapeError(`'${key}' has another shape`, {
          operation: 'loadStateDict',
          expected: showShape(value.shape),
          given: showShape(entry.shape),
        });
      }
    }
    for (const [key, value] of own) {
      const entry = state.get(key);
      if (!entry) continue;
      value.device.write(value.storage, entry.values);
      value.version++;
    }
    return report;
  }

  /** Releases all parameters and buffers. */
  dispose(): void {
    for (const [, value] of this.namedState()) value.dispose();
  }
}

/** A module whose members have the names 0, 1, ... */
export class ModuleList<M extends Module> extends Module implements Iterable<M> {
  readonly #items: M[];

  constructor(modules: Iterable<M>) {
    super();
    this.#items = [...modules];
    this.#items.forEach((module, i) => Object.assign(this, { [i]: module }));
  }

  get length(): number {
    return this.#items.length;
  }

  at(index: number): M {
    const item = this.#items.at(index);
    if (!item) throw new ShapeError('no such module', { operation: 'ModuleList.at', given: String(index) });
    return item;
  }

  [Symbol.iterator](): Iterator<M> {
    return this.#items[Symbol.iterator]();
  }
}

/** Anything with one tensor in and one out. */
export interface Layer {
  forward(x: Tensor): Tensor;
}

/** Layers applied one after the other. */
export class Sequential extends ModuleList<Module & Layer> implements Layer {
  constructor(...layers: (Module & Layer)[]) {
    super(layers);
  }

  forward(x: Tensor): Tensor {
    for (const layer of this) x = layer.forward(x);
    return x;
  }
}
