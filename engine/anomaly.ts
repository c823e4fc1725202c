// Finding the operation that made the first NaN or infinity. Every result is held while `body` runs and read afterwards in
// the order of creation, so the search works on devices that compute asynchronously. Slow and hungry: for diagnosis.
import { takes } from './call-check.ts';
import { during } from './during.ts';
import { NonFiniteError, showShape } from './errors.ts';
import type { Module } from './nn/module.ts';
import { observeOperations } from './operation.ts';
import { callback, optionsWith, record } from './parameters.ts';
import { layerNames, OUTSIDE, watchModules } from './profile/layers.ts';
import { type Layer, observeWork, workObserver, type WorkObserver } from './profile/work.ts';
import type { Parameter, Tensor } from './tensor.ts';

interface Result {
  /** The operation, or `update` for that of a parameter. */
  name: string;
  output: Tensor;
  site: string | undefined;
  layer: Layer;
  isBackward: boolean;
}

export interface AnomalyOptions {
  /** Names for modules, where those of their classes say too little. Parts have the names of the state dict. */
  readonly modules?: Readonly<Record<string, Module>>;
}

/** Follows which layer is at work; a profiler that is at work already does so itself. */
class LayerWatch implements WorkObserver {
  readonly outermost = new Set<Module>();
  layer: Layer;
  isBackward = false;
  readonly #updated: (parameter: Parameter) => void;

  constructor(updated: (parameter: Parameter) => void) {
    this.#updated = updated;
  }

  /** Begins to watch. Returns the end of it. */
  start(): () => void {
    if (workObserver()) return () => undefined;
    observeWork(this);
    const restore = watchModules((module, body) => {
      if (this.layer === undefined) this.outermost.add(module);
      return this.#in(module, this.isBackward, body);
    });
    return () => {
      observeWork(undefined);
      restore();
    };
  }

  backward<T>(_operation: string, layer: Layer, body: () => T): T {
    return this.#in(layer, true, body);
  }

  update(parameters: readonly Parameter[], body: () => void): void {
    body();
    for (const parameter of parameters) this.#updated(parameter);
  }

  region<T>(_name: string, body: () => T): T {
    return body();
  }

  #in<T>(layer: Layer, isBackward: boolean, body: () => T): T {
    const before = [this.layer, this.isBackward] as const;
    [this.layer, this.isBackward] = [layer, isBackward];
    return during(body, () => ([this.layer, this.isBackward] = before));
  }
}

const takesBody = takes('detectAnomaly', {
  body: callback,
  options: optionsWith<AnomalyOptions>({ modules: record }),
});

/**
 * Runs `body` and throws NonFiniteError naming the first operation whose float32 result holds a NaN or an infinity, and the
 * layer that it was for. The update of a parameter by an optimizer counts as an operation. Otherwise returns what `body`
 * returned.
 */
export async function detectAnomaly<T>(...args: [body: () => T | Promise<T>, options?: AnomalyOptions]): Promise<T> {
  const [body, { modules } = {}] = takesBody(args);
  const results: Result[] = [];
  const watch = new LayerWatch((parameter) => {
    const output = parameter.alias();
    results.push({ name: 'update', output, site: undefined, layer: parameter, isBackward: false });
  });
  const before = observeOperations({
    result(name, output, site) {
      if (output.dtype !== 'float32') return;
      const layer = workObserver()?.layer;
      results.push({ name, output: output.alias(), site, layer, isBackward: watch.isBackward });
    },
  });
  const stop = watch.start();
  try {
    const value = await body();
    for (const result of results) {
      const values = await result.output.array();
      const at = values.findIndex((x) => !Number.isFinite(x));
      if (at >= 0) throw anomaly(result, at, values[at]!, layerNames(watch.outermost, modules)(result.layer));
    }
    return value;
  } finally {
    stop();
    observeOperations(before);
    for (const { output } of results) output.dispose();
  }
}

function anomaly({ name, output, site, isBackward }: Result, at: number, value: number, layer: string): NonFiniteError {
  const where = layer === OUTSIDE ? 'outside of modules' : `in layer '${layer}'`;
  return new NonFiniteError(
    `'${name}' is the first operation with a result that is not finite, ${where}${isBackward ? ', backward' : ''}`,
    {
      operation: 'detectAnomaly',
      given: `${value} at element ${at} of its output ${showShape(output.shape)}${site ? `, called at ${site}` : ''}`,
      hint: 'Look at its inputs: a learning rate that is too high, log or division of 0, or data that is not finite',
    },
  );
}
