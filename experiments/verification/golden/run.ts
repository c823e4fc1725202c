// Runs golden fixtures, in Node and in browsers. Every output and gradient must satisfy
// |actual - expected| <= atol + rtol |expected|; an operation that the engine lacks is a failure, not a skip.
import {
  createDevice,
  DataError,
  type Device,
  type DeviceChoice,
  grad,
  type SafetensorsEntry,
  scope,
  setDefaultDevice,
  type Tensor,
  tensor,
  type Tuning,
} from '../../../engine/index.ts';
import { adapters, outputsOf } from './adapters.ts';
import type { Family, Fixtures, GoldenCase } from './fixtures.ts';
import { runOptimizer, runSchedule } from './sequences.ts';

export interface GoldenOptions {
  device?: DeviceChoice;
  /** Only this family. */
  family?: string | undefined;
  /** Told of the device and the number of cases before the first. */
  begin?: (device: Device, cases: number) => void;
  /** Measured tables of plans. */
  tuning?: Tuning | undefined;
  /** Told of each case as it ends. The next case waits for what it returns, if that is a promise. */
  report?: (id: string, failure: string | undefined) => unknown;
}

export interface GoldenResult {
  passed: number;
  failed: number;
  failures: { id: string; reason: string }[];
  /** One line about the device, and its facts. */
  device: string;
  facts: Device['facts'];
}

/** Runs all cases (or one family) on a new device. */
export async function runFixtures(fixtures: Fixtures, options: GoldenOptions = {}): Promise<GoldenResult> {
  const device = await createDevice(options.device ?? 'auto', { tuning: options.tuning });
  try {
    return await runFixturesOn(device, fixtures, options);
  } finally {
    device.dispose();
  }
}

/** The same on a device that the caller keeps. A case that leaves tensors behind has failed. */
export async function runFixturesOn(
  device: Device,
  fixtures: Fixtures,
  { family, begin, report }: Omit<GoldenOptions, 'device' | 'tuning'> = {},
): Promise<GoldenResult> {
  const cases = fixtures.cases(family);
  const { description, facts } = device;
  const result: GoldenResult = { passed: 0, failed: 0, failures: [], device: description, facts };
  setDefaultDevice(device);
  try {
    begin?.(device, cases.length);
    for (const golden of cases) {
      const tensors = await fixtures.tensors(golden.family);
      const held = device.statistics().liveBuffers;
      const failure = await runCase(golden, tensors, device).catch((error: unknown) => String(error));
      const left = device.statistics().liveBuffers - held;
      const reason = failure ?? (left === 0 ? undefined : `${left} buffers are left on the device`);
      if (reason === undefined) result.passed++;
      else {
        result.failed++;
        result.failures.push({ id: golden.id, reason });
      }
      await report?.(golden.id, reason);
    }
  } finally {
    setDefaultDevice(undefined);
  }
  return result;
}

/** The reason why a case fails, or undefined. */
async function runCase(golden: GoldenCase, tensors: Family, device: Device): Promise<string | undefined> {
  using step = scope();
  const stored = (key: string): SafetensorsEntry => {
    const found = tensors.get(key);
    if (!found) throw new DataError(`the fixture file lacks '${key}'`, { operation: golden.id });
    return found;
  };
  const load = (key: string): Tensor => {
    const { dtype, shape, data } = stored(key);
    const type = ({ F32: 'float32', I32: 'int32', BOOL: 'bool' } as const)[dtype as 'F32'];
    if (!type) throw new DataError(`unknown type of fixture ${dtype}`, { operation: golden.id });
    return tensor(data as ArrayLike<number>, shape, { device, dtype: type });
  };
  const inputs: Record<string, Tensor> = {};
  for (const [name, key] of Object.entries(golden.inputs)) inputs[name] = load(key);
  const wanted = Object.keys(golden.grads);
  for (const name of wanted) inputs[name]!.requireGrad();

  const compare = async (what: string, actual: Tensor | ArrayLike<number> | undefined, key: string) => {
    if (actual === undefined) return `${what} is missing`;
    const expected = stored(key);
    if ('shape' in actual && actual.shape.join() !== expected.shape.join()) {
      return `${what} has shape [${actual.shape.join(', ')}], expected [${expected.shape.join(', ')}]`;
    }
    const values = 'shape' in actual ? await actual.array() : actual;
    return difference(what, values, expected.data as ArrayLike<number>, golden.tolerance);
  };

  let outputs: Record<string, Tensor | ArrayLike<number>>;
  if (golden.op === 'optimiser') outputs = await runOptimizer(inputs, golden.attrs);
  else if (golden.op === 'lr_schedule') outputs = runSchedule(golden.attrs);
  else {
    const adapter = adapters[golden.op];
    if (!adapter) return `the engine has no operation '${golden.op}'`;
    outputs = outputsOf(adapter(inputs, golden.attrs));
  }
  for (const [name, key] of Object.entries(golden.outputs)) {
    const failure = await compare(name, outputs[name], key);
    if (failure) return failure;
  }
  if (!wanted.length) return undefined;
  const roots = Object.entries(golden.cotangents).filter(([name]) => (outputs[name] as Tensor).tracked);
  const targets = wanted.map((name) => inputs[name]!);
  const gradients = grad(
    roots.map(([name]) => outputs[name] as Tensor),
    targets,
    {
      gradOutputs: roots.map(([, key]) => load(key)),
    },
  );
  for (const [i, name] of wanted.entries()) {
    const failure = await compare(`gradient of ${name}`, gradients[i], golden.grads[name]!);
    if (failure) return failure;
  }
  return undefined;
}

/** The worst element outside of the tolerance, in words. */
function difference(
  what: string,
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  { rtol, atol }: { rtol: number; atol: number },
): string | undefined {
  if (actual.length !== expected.length) return `${what} has ${actual.length} values, expected ${expected.length}`;
  let worst = 1;
  let message: string | undefined;
  for (let i = 0; i < expected.length; i++) {
    const error = Math.abs(actual[i]! - expected[i]!);
    const allowed = atol + rtol * Math.abs(expected[i]!);
    if (error <= allowed) continue;
    const excess = error / allowed;
    if (message !== undefined && !(excess > worst)) continue;
    worst = excess;
    message = `${what}[${i}] is ${actual[i]}, expected ${expected[i]} (${excess.toFixed(1)} times the tolerance)`;
  }
  return message;
}
