// Layer shapes of a network: its training step runs on the meta device, and what it launches is written down. Nothing is
// computed, so the papers' own sizes take a few seconds.
import { createDevice, manualSeed, scope } from '../../engine/index.ts';
import { costOf, type Kernel, type ParamValues } from '../../kernels/index.ts';
import type { Conv2dParams } from '../../kernels/index.ts';
import type { CaseShape } from '../peers/protocol.mjs';
import { type Network, type NetworkSize, shapesOf } from './index.ts';
import { type ConvShape, shapeOf } from './shapes.ts';

export interface Launch {
  readonly kernel: Kernel<never>;
  readonly params: ParamValues;
  /** How often a step launches it. */
  readonly count: number;
}

const convolutions = ['conv2d', 'conv2dInputGradient', 'conv2dWeightGradient'];

/** The distinct launches of a second step: the first makes the optimizer's state. */
export async function launchesOf({ build }: Pick<Network, 'build'>, shape: CaseShape): Promise<Launch[]> {
  const device = await createDevice('meta');
  manualSeed(0);
  const step = build(device, shape);
  const update = async (): Promise<void> => {
    using _step = scope();
    await step.step();
  };
  try {
    await update();
    const seen = new Map<string, { kernel: Kernel<never>; params: ParamValues; count: number }>();
    device.observer = {
      before(kernel, params) {
        const key = `${kernel.name} ${JSON.stringify(params)}`;
        const known = seen.get(key);
        if (known) known.count++;
        else seen.set(key, { kernel, params, count: 1 });
      },
    };
    await update();
    return [...seen.values()];
  } finally {
    step.dispose();
    device.dispose();
  }
}

/** Distinct convolutions, whatever the direction: forward, or either gradient; a transposed one is the gradient of another. */
export function convolutionsOf(launches: readonly Launch[]): ConvShape[] {
  const shapes = new Map<string, ConvShape>();
  for (const { kernel, params } of launches) {
    if (!convolutions.includes(kernel.name)) continue;
    const shape = shapeOf(params as Conv2dParams);
    if (shape) shapes.set(JSON.stringify(shape), shape);
  }
  return [...shapes.values()];
}

/** For every kernel that is not a convolution, the launch that moves most bytes. */
export function largestOf(launches: readonly Launch[]): Launch[] {
  const largest = new Map<string, Launch>();
  const bytes = ({ kernel, params }: Launch): number => costOf(kernel, params as never).bytes;
  for (const launch of launches) {
    const { name } = launch.kernel;
    if (convolutions.includes(name)) continue;
    const known = largest.get(name);
    if (!known || bytes(launch) > bytes(known)) largest.set(name, launch);
  }
  return [...largest.values()];
}

/** Something of the harvest and the networks that have it. */
export interface Found<What> {
  readonly what: What;
  readonly networks: string[];
}

/** What networks have at a size, each distinct shape or launch once. */
export async function harvest(
  networks: readonly Network[],
  size: NetworkSize,
  batch?: number,
): Promise<{ convolutions: Found<ConvShape>[]; others: Found<Launch>[] }> {
  const shapes = new Map<string, Found<ConvShape>>();
  const others = new Map<string, Found<Launch>>();
  const note = <What>(found: Map<string, Found<What>>, key: string, what: What, network: string): void => {
    const known = found.get(key) ?? { what, networks: [] };
    if (!known.networks.includes(network)) known.networks.push(network);
    found.set(key, known);
  };
  for (const network of networks) {
    for (const shape of shapesOf(network, size, batch)) {
      const launches = await launchesOf(network, shape);
      for (const each of convolutionsOf(launches)) note(shapes, JSON.stringify(each), each, network.name);
      for (const each of largestOf(launches)) {
        note(others, `${each.kernel.name} ${JSON.stringify(each.params)}`, each, network.name);
      }
    }
  }
  return { convolutions: [...shapes.values()], others: [...others.values()] };
}
