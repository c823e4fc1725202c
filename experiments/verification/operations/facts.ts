// The facts of every operation: declared ones from the registry, the rest seen while its cases run on the reference device.
// One row per operation; the command line and engine/operations.md print them.
import {
  createDevice,
  type Device,
  grad,
  registry,
  scope,
  type Tensor,
  Tensor as TensorClass,
} from '../../../engine/index.ts';
import { publicSignatures } from '../../../engine/operation.ts';
import { showSignature } from '../../../engine/signature.ts';
import { referencePlans } from '../../../kernels/reference.ts';
import { wasmPlans } from '../../../kernels/wasm.ts';
import { webGpuPlans } from '../../../kernels/webgpu.ts';
import type { GradientCase } from './case.ts';
import { cases } from './cases/index.ts';
import { makeInputs } from './inputs.ts';
import { type Sightings, watch } from './watch.ts';

export interface KernelFacts {
  name: string;
  /** Names of its plans by device. */
  plans: Partial<Record<ComputingDevice, readonly string[]>>;
}

export interface OperationFacts {
  name: string;
  family: string;
  kind: 'primitive' | 'composite';
  /** Arguments of the public function of that name, if there is one. */
  signature?: string;
  /** Devices that have plans for all its kernels. */
  devices: ComputingDevice[];
  /** `yes`, or why there is none. */
  gradient: string;
  secondGradient: boolean;
  kernels: KernelFacts[];
  /** Operations that a composite calls, and those that the gradient uses. */
  madeOf: string[];
  gradientUses: string[];
  /** Cases of gradcheck that name it. */
  cases: number;
  /** Golden cases that ran it and passed, where they have been counted. */
  golden?: number;
}

const tables = { reference: referencePlans, wasm: wasmPlans, webgpu: webGpuPlans } as const;
/** Devices with plans of their own. */
export type ComputingDevice = keyof typeof tables;
const deviceNames = Object.keys(tables) as ComputingDevice[];

function kernelFacts(name: string): KernelFacts {
  const plans: KernelFacts['plans'] = {};
  for (const device of deviceNames) {
    const table = tables[device];
    // A reference plan is one loop without variants.
    if (table.names().includes(name)) plans[device] = device === 'reference' ? ['loops'] : table.variants({ name });
  }
  return { name, plans };
}

const outputsOf = (result: Tensor | readonly Tensor[]): Tensor[] =>
  (result instanceof TensorClass ? [result] : [...result]).filter((output) => output.tracked);

/** Runs a case forward, backward, and, for its kernels, backward once more with a graph. */
export async function runCase(
  { inputs, f }: GradientCase,
  seed: number,
  device: Device,
): Promise<[Sightings, Sightings]> {
  using _ = scope();
  const first: Sightings = new Map();
  const again: Sightings = new Map();
  const points = makeInputs(inputs, seed, device);
  const wanted = points.filter((point) => point.requiresGrad);
  const backward = (createGraph: boolean) => () => {
    const outputs = outputsOf(f(...points));
    const gradOutputs = outputs.map((output) => output.detach());
    if (!outputs.length) return;
    const gradients = grad(outputs, wanted, { gradOutputs, createGraph }).filter((gradient) => gradient.tracked);
    if (createGraph && gradients.length) grad(gradients, wanted, { gradOutputs: gradients.map((g) => g.detach()) });
  };
  await watch(first, backward(false), device);
  await watch(again, backward(true), device);
  return [first, again];
}

function addAll<T>(into: Set<T>, from: Iterable<T> | undefined): void {
  for (const item of from ?? []) into.add(item);
}

/** What all cases show. Of second gradients only the kernels are kept: the first are the formula. */
async function watchCases(): Promise<Sightings> {
  const device = await createDevice('reference');
  const all: Sightings = new Map();
  try {
    for (const [seed, each] of cases.entries()) {
      const [first, again] = await runCase(each, seed, device);
      for (const [name, { kernels }] of again) {
        const sighting = all.get(name) ?? { kernels: new Set(), parts: new Set(), gradient: new Set() };
        all.set(name, sighting);
        const seen = first.get(name);
        addAll(sighting.kernels, kernels);
        addAll(sighting.kernels, seen?.kernels);
        addAll(sighting.parts, seen?.parts);
        addAll(sighting.gradient, seen?.gradient);
      }
      for (const [name, sighting] of first) if (!all.has(name)) all.set(name, sighting);
    }
  } finally {
    device.dispose();
  }
  return all;
}

/** Kernels of an operation and of all that it is made of. */
function kernelsOf(name: string, seen: Sightings, visited = new Set<string>()): Set<string> {
  const found = new Set<string>();
  if (visited.has(name)) return found;
  visited.add(name);
  const sighting = seen.get(name);
  addAll(found, sighting?.kernels);
  for (const part of sighting?.parts ?? []) addAll(found, kernelsOf(part, seen, visited));
  return found;
}

/** The facts of all operations, by family and name. `golden` gives the number of golden cases per operation. */
export async function operationFacts(golden?: ReadonlyMap<string, number>): Promise<OperationFacts[]> {
  const seen = await watchCases();
  const signatures = publicSignatures();
  const facts = registry().map((entry): OperationFacts => {
    const { name, family, composite, differentiable, noGradient = '' } = entry;
    const own = cases.filter(({ operations }) => operations.includes(name));
    const signature = signatures.get(name);
    const needed = [...kernelsOf(name, seen)].sort();
    return {
      name,
      family,
      kind: composite ? 'composite' : 'primitive',
      ...(signature && { signature: name + showSignature(signature) }),
      devices: deviceNames.filter((device) => needed.every((kernel) => tables[device].names().includes(kernel))),
      gradient: differentiable ? 'yes' : noGradient,
      secondGradient: differentiable && own.length > 0 && own.every(({ second = true }) => second),
      kernels: needed.map(kernelFacts),
      madeOf: [...(seen.get(name)?.parts ?? [])],
      gradientUses: [...(seen.get(name)?.gradient ?? [])],
      cases: own.length,
      ...(golden && { golden: golden.get(name) ?? 0 }),
    };
  });
  const order = (a: OperationFacts): string => `${a.family}/${a.name}`;
  return facts.sort((a, b) => (order(a) < order(b) ? -1 : 1));
}
