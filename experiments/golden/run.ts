// Runs a folder of golden fixtures: manifest.json and one safetensors file per family. Every output and gradient must
// satisfy |actual - expected| <= atol + rtol |expected|; an operation that the engine lacks is a failure, not a skip.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import {
  ConfigError,
  createDevice,
  DataError,
  type Device,
  type DeviceChoice,
  grad,
  readSafetensors,
  type SafetensorsEntry,
  scope,
  setDefaultDevice,
  type Tensor,
  tensor,
} from '../../engine/index.ts';
import { adapters, outputsOf } from './adapters.ts';
import { runOptimizer, runSchedule } from './sequences.ts';

const names = z.record(z.string(), z.string());
const caseSchema = z.object({
  id: z.string(),
  family: z.string(),
  op: z.string(),
  attrs: z.record(z.string(), z.unknown()),
  inputs: names,
  outputs: names,
  cotangents: names,
  grads: names,
  tolerance: z.object({ rtol: z.number(), atol: z.number() }),
});
const manifestSchema = z.object({
  format: z.literal('golden-fixtures/1'),
  families: z.record(z.string(), z.object({ file: z.string() })),
  cases: z.array(caseSchema),
});

type GoldenCase = z.infer<typeof caseSchema>;
type Family = ReadonlyMap<string, SafetensorsEntry>;

export interface GoldenOptions {
  device?: DeviceChoice;
  /** Only this family. */
  family?: string | undefined;
  /** Told of each case as it ends. */
  report?: (id: string, failure: string | undefined) => void;
}

export interface GoldenResult {
  passed: number;
  failed: number;
  failures: { id: string; reason: string }[];
  device: string;
}

async function readManifest(directory: string) {
  const path = join(directory, 'manifest.json');
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    const hint = 'Name a folder made by the fixture generator';
    throw new DataError('cannot read the fixtures', { operation: 'golden', given: path, hint, cause });
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new DataError(`not JSON: ${(cause as Error).message}`, { operation: 'golden', given: path, cause });
  }
  const parsed = manifestSchema.safeParse(json);
  if (!parsed.success) {
    throw new DataError(`not a fixture manifest: ${z.prettifyError(parsed.error)}`, {
      operation: 'golden',
      given: path,
    });
  }
  return parsed.data;
}

/** Runs all cases (or one family) of a fixture folder on a new device. */
export async function runGolden(directory: string, options: GoldenOptions = {}): Promise<GoldenResult> {
  const manifest = await readManifest(directory);
  const { family } = options;
  if (family !== undefined && !(family in manifest.families)) {
    const expected = Object.keys(manifest.families).join(', ');
    throw new ConfigError('no such family', { operation: 'golden', argument: 'family', expected, given: family });
  }
  const device = await createDevice(options.device ?? 'auto');
  setDefaultDevice(device);
  const files = new Map<string, Family>();
  const result: GoldenResult = { passed: 0, failed: 0, failures: [], device: device.description };
  try {
    for (const golden of manifest.cases) {
      if (family !== undefined && golden.family !== family) continue;
      let tensors = files.get(golden.family);
      if (!tensors) {
        const path = join(directory, manifest.families[golden.family]!.file);
        tensors = readSafetensors(await readFile(path), path).tensors;
        files.set(golden.family, tensors);
      }
      const reason = await runCase(golden, tensors, device).catch((error: unknown) => String(error));
      if (reason === undefined) result.passed++;
      else {
        result.failed++;
        result.failures.push({ id: golden.id, reason });
      }
      options.report?.(golden.id, reason);
    }
  } finally {
    setDefaultDevice(undefined);
    device.dispose();
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
    if (!type) throw new DataError(`fixtures of type ${dtype} are not known`, { operation: golden.id });
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
