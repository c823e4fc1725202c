// Module: a tree of parameters, buffers and submodules whose names are those of a torch state_dict, in the same order.
import type { HostArray } from '../devices/device.ts';
import { takes } from '../call-check.ts';
import { iterable } from '../checks.ts';
import { elementsOf } from '../elements.ts';
import { ConfigError, ShapeError, StateDictError, showGiven, showShape } from '../errors.ts';
import { flag, mapping, optional, optionsWith, text } from '../parameters.ts';
import { sameShape, type Shape } from '../shape.ts';
import { Parameter, type Tensor } from '../tensor.ts';

/** Values of one entry of a state dict on the host, row-major: floats in a Float32Array or Float64Array, else integers. */
export interface StateEntry {
  shape: Shape;
  values: HostArray;
  /** The element type in files, where it is not that of the values. */
  fileType?: 'I64';
}

/** Values by dotted name, in the order of torch's state_dict. */
export type StateDict = Map<string, StateEntry>;

/** State that is saved but not trained, such as running statistics. Belongs to no scope. */
export class Buffer extends Parameter {
  constructor(...args: ConstructorParameters<typeof Parameter>) {
    super(...args);
    this.requiresGrad = false;
  }
}

/** A count that is saved but not trained, such as torch's num_batches_tracked: on the host, and a scalar int64 in files. */
export class Counter {
  readonly shape: Shape = [];
  readonly size = 1;
  value = 0;

  array(): Promise<Int32Array> {
    return Promise.resolve(Int32Array.of(this.value));
  }

  /** Nothing to release. */
  dispose(): void {}
}

/** What did not match when a state was loaded. */
export interface LoadReport {
  /** Keys of the module that the state lacks. */
  missing: string[];
  /** Keys of the state that the module lacks. */
  unexpected: string[];
}

/** How strictly a state is loaded. */
export interface LoadOptions {
  /** false: load what matches, and report the rest. */
  strict?: boolean;
  /** The name of the file, for messages. */
  source?: string;
}

type ModuleClass = abstract new (...args: never[]) => Module;

const classes = new Set<ModuleClass>();
let watcher: ((made: ModuleClass) => void) | undefined;

/** Tells `watch` each class of modules: those that have been made so far now, others at their first construction. */
export function watchModuleClasses(watch: ((made: ModuleClass) => void) | undefined): void {
  watcher = watch;
  if (watch) classes.forEach(watch);
}

const takesTrain = takes('train', { on: optional(flag) });
const takesLoad = takes('loadStateDict', {
  state: mapping,
  options: optionsWith<LoadOptions>({ strict: flag, source: text }),
});

/** A network or a part of one: parameters, buffers and submodules by name. */
export abstract class Module {
  training = true;

  constructor() {
    if (classes.has(new.target)) return;
    classes.add(new.target);
    watcher?.(new.target);
  }

  /** Own parameters, buffers and submodules, in the order in which the constructor made them. */
  *#members(): Iterable<[string, Parameter | Counter | Module]> {
    for (const [name, value] of Object.entries(this)) {
      if (value instanceof Parameter || value instanceof Counter || value instanceof Module) yield [name, value];
    }
  }

  /** This module and all below it, under every dotted name that each has: a module in two places has two. */
  *namedModules(prefix = ''): Iterable<[string, Module]> {
    yield [prefix, this];
    for (const [name, value] of this.#members()) {
      if (value instanceof Module) yield* value.namedModules(prefix ? `${prefix}.${name}` : name);
    }
  }

  /**
   * Parameters, buffers and counters by dotted name, in the order of torch's state_dict, and as there under every name: a
   * tied weight has several.
   */
  *namedState(): Iterable<[string, Parameter | Counter]> {
    for (const [prefix, module] of this.namedModules()) {
      for (const [name, value] of module.#members()) {
        if (!(value instanceof Module)) yield [prefix ? `${prefix}.${name}` : name, value];
      }
    }
  }

  /** Trainable parameters, each once, under the first of its names. */
  *namedParameters(): Iterable<[string, Parameter]> {
    const seen = new Set<Parameter>();
    for (const [name, value] of this.namedState()) {
      if (!(value instanceof Parameter) || value instanceof Buffer || seen.has(value)) continue;
      seen.add(value);
      yield [name, value];
    }
  }

  /** Trainable parameters, each once. */
  parameters(): Parameter[] {
    return [...this.namedParameters()].map(([, parameter]) => parameter);
  }

  /** Number of trainable values; those of a tied weight count once. */
  parameterCount(): number {
    return this.parameters().reduce((count, parameter) => count + parameter.size, 0);
  }

  /**
   * Sets training mode here, and below by `train` of each member: as in PyTorch, a module may override it to keep a part in
   * inference mode. Returns itself.
   */
  train(...args: [on?: boolean]): this {
    const [on = true] = takesTrain(args);
    this.training = on;
    for (const [, value] of this.#members()) if (value instanceof Module) value.train(on);
    return this;
  }

  /** Inference mode: running statistics, no dropout. */
  eval(): this {
    return this.train(false);
  }

  zeroGrad(): void {
    for (const parameter of this.parameters()) parameter.zeroGrad();
  }

  /** Copies all parameters, buffers and counters to the host. */
  async stateDict(): Promise<StateDict> {
    const state: StateDict = new Map();
    for (const [name, value] of this.namedState()) {
      const entry: StateEntry = { shape: value.shape, values: await value.array() };
      state.set(name, value instanceof Counter ? { ...entry, fileType: 'I64' } : entry);
    }
    return state;
  }

  /**
   * Replaces parameters, buffers and counters by those of `state`; a counter that it lacks stays, as in torch. A tied weight
   * is expected under each of its names, and is left with the values of the last. Throws
   * StateDictError and changes nothing when a key is missing or unexpected (unless `strict` is false), or when a shape or the
   * kind of numbers differs. Returns what did not match.
   */
  loadStateDict(...args: [state: ReadonlyMap<string, StateEntry>, options?: LoadOptions]): LoadReport {
    const [state, { strict = true, source } = {}] = takesLoad(args);
    const own = new Map(this.namedState());
    const report: LoadReport = {
      missing: [...own].flatMap(([key, value]) => (value instanceof Counter || state.has(key) ? [] : [key])),
      unexpected: [...state.keys()].filter((key) => !own.has(key)),
    };
    const unfit = [...own].flatMap(([key, value]) => {
      const fault = state.has(key) && faultOf(state.get(key)!, value);
      return fault ? [`${key} (${fault})`] : [];
    });
    if (unfit.length || (strict && (report.missing.length || report.unexpected.length))) {
      throw new StateDictError(source, report, unfit);
    }
    const loads = [...own].flatMap(([key, value]) => {
      const entry = state.get(key);
      if (!entry) return [];
      const context = { operation: 'loadStateDict', argument: key };
      const elements = elementsOf(entry.values, value instanceof Counter ? 'int32' : 'float32', context);
      return [{ value, elements }];
    });
    for (const { value, elements } of loads) {
      if (value instanceof Counter) {
        value.value = elements[0]!;
      } else {
        value.device.write(value.storage, elements);
      }
    }
    return report;
  }

  /** Releases all parameters and buffers. */
  dispose(): void {
    for (const [, value] of this.namedState()) value.dispose();
  }
}

/** Why an entry cannot become this value. */
function faultOf({ shape, values }: StateEntry, value: Parameter | Counter): string | undefined {
  if (values.length !== value.size) return `expected ${value.size} values, got ${values.length}`;
  if (!sameShape(shape, value.shape)) return `expected ${showShape(value.shape)}, got ${showShape(shape)}`;
  const isWhole = values instanceof Int32Array;
  if (isWhole === value instanceof Counter) return undefined;
  return isWhole ? 'expected floats, got integers' : 'expected integers, got floats';
}

/** A module whose members have the names 0, 1, ... */
export class ModuleList<M extends Module> extends Module implements Iterable<M> {
  readonly #items: M[];

  constructor(modules: Iterable<M>) {
    super();
    const operation = new.target.name;
    this.#items = [...iterable(operation, 'modules', modules, 'Pass an array of modules')];
    this.#items.forEach((module: unknown, i) => {
      if (module instanceof Module) return;
      const details = { operation, argument: `modules[${i}]`, expected: 'a module', given: showGiven(module) };
      const hint = Array.isArray(module) ? 'Pass its modules one by one: new Sequential(...layers)' : undefined;
      throw new ConfigError('not a module', { ...details, hint });
    });
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
  /** This layer and the one behind it in one pass over memory; undefined where there is no such pass. */
  forwardWith?(x: Tensor, next: Layer): Tensor | undefined;
}

/** Layers applied one after the other; a batch norm and a ReLU behind it in one pass over memory. */
export class Sequential extends ModuleList<Module & Layer> implements Layer {
  constructor(...layers: (Module & Layer)[]) {
    super(layers);
  }

  forward(x: Tensor): Tensor {
    const layers = [...this];
    for (let i = 0; i < layers.length; i++) {
      const next = layers[i + 1];
      const both = next && layers[i]!.forwardWith?.(x, next);
      if (both) i++;
      x = both ?? layers[i]!.forward(x);
    }
    return x;
  }
}
