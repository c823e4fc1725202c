// ONNX Runtime, which is among the benchmarks' peers (npm ci --prefix bench/peers): what it makes of a model.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { HostArray, Tensor } from '../../engine/index.ts';
import { repositoryRoot } from '../shared-data.ts';

interface RuntimeTensor {
  readonly dims: readonly number[];
  readonly data: ArrayLike<number | bigint>;
}

interface Loaded {
  readonly inputNames: readonly string[];
  run(inputs: Record<string, RuntimeTensor>): Promise<Record<string, RuntimeTensor>>;
}

interface Runtime {
  readonly InferenceSession: { create(model: Uint8Array | string, options: object): Promise<Loaded> };
  readonly Tensor: new (type: string, data: unknown, dims: readonly number[]) => RuntimeTensor;
}

const peers = path.join(repositoryRoot(), 'bench/peers/package.json');

function load(): Runtime | string {
  if (!existsSync(path.join(path.dirname(peers), 'node_modules/onnxruntime-node'))) {
    return 'ONNX Runtime is not installed: npm ci --prefix bench/peers';
  }
  try {
    return createRequire(peers)('onnxruntime-node') as Runtime;
  } catch (error) {
    return `ONNX Runtime does not load: ${(error as Error).message}`;
  }
}

const loaded = load();

/** Why there is no peer, or false. */
export const withoutRuntime = typeof loaded === 'string' ? loaded : false;

/** A tensor's values with their shape. */
export interface Values {
  readonly shape: readonly number[];
  readonly values: HostArray;
}

/** The model in the runtime, on one thread; a path where weights lie beside the model. */
export async function openInRuntime(model: Uint8Array | string) {
  const { InferenceSession, Tensor: RuntimeTensor } = loaded as Runtime;
  const options = { intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 3 };
  const loadedModel = await InferenceSession.create(model, options);
  return async (inputs: readonly Tensor[]): Promise<Record<string, Values>> => {
    const given: Record<string, RuntimeTensor> = {};
    for (const [i, name] of loadedModel.inputNames.entries()) {
      const { shape, dtype } = inputs[i]!;
      given[name] = new RuntimeTensor(dtype, await inputs[i]!.array(), shape);
    }
    const results = await loadedModel.run(given);
    return Object.fromEntries(
      Object.entries(results).map(([name, { dims, data }]) => [
        name,
        { shape: [...dims], values: Float64Array.from(Array.from(data, Number)) },
      ]),
    );
  };
}

/** The largest difference of two lists, relative where the second is above 1; Infinity where shapes or NaN differ. */
export function distance(a: Values, b: Values): number {
  if (a.shape.join() !== b.shape.join() || a.values.length !== b.values.length) return Infinity;
  let worst = 0;
  for (let i = 0; i < b.values.length; i++) {
    const [x, y] = [a.values[i]!, b.values[i]!];
    if (Object.is(x, y) || x === y || (Number.isNaN(x) && Number.isNaN(y))) continue;
    const d = Math.abs(x - y) / Math.max(1, Math.abs(y));
    worst = Number.isNaN(d) ? Infinity : Math.max(worst, d);
  }
  return worst;
}

export const valuesOf = async (x: Tensor): Promise<Values> => ({ shape: x.shape, values: await x.array() });
