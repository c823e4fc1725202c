// A step made of parts of its batch: forward and backward of each part by itself, gradients added up in the order of the parts, one
// update. With L the mean over the batch and L_p that over a part, grad L = sum_p share_p grad L_p: exact up to rounding where a
// loss is such a mean. Batch norm is per part, each with its own statistics; the running ones move by the mean over the parts.
import { mul, nn, type Parameter, type Tensor, tensor } from '../../engine/index.ts';
import type { Exchange } from './exchange.ts';

/** Samples `from` to `to` of a batch, and what share of it they are. */
export interface Part {
  readonly index: number;
  readonly from: number;
  readonly to: number;
  readonly share: number;
}

/** Losses of a part or of all, scalars; those that are undefined are left out. */
export type PartLosses = Readonly<Record<string, Tensor | undefined>>;

/** What is made of parts. */
export interface Accumulation {
  /** Samples of the batch. */
  readonly size: number;
  /** Fewest samples of a part, where the batch has so many. Default 1. */
  readonly least?: number;
  /** Their parameters get the gradients; their buffers, such as running statistics, move by the mean over the parts. */
  readonly modules: readonly nn.Module[];
  /** Names of the losses. */
  readonly losses: readonly string[];
}

/** Fewest images of a part where batch norm sees one value of each channel and image: statistics of one value are none. */
export const LEAST_FOR_BATCH_NORM = 2;

/** Why a batch cannot be made of so many parts where batch norm sees one value of each image; undefined where it can. */
export const tooFewForBatchNorm = (batch: number, parts: number): string | undefined =>
  batch < LEAST_FOR_BATCH_NORM * parts
    ? `batch norm needs two images in each part, and a batch has ${batch}`
    : undefined;

/** The parts of a batch of `size`: as many as `count`, or as there is room for with `least` samples in each. */
export function partsOf(count: number, size: number, least = 1): Part[] {
  const parts = Math.max(1, Math.min(count, Math.floor(size / least)));
  return Array.from({ length: parts }, (_, index) => {
    const [from, to] = [Math.floor((index * size) / parts), Math.floor(((index + 1) * size) / parts)];
    return { index, from, to, share: (to - from) / size };
  });
}

/** The values of an array that belong to the samples of a part: each sample has equally many. No copy. */
export function valuesOf<T extends Float32Array | Int32Array | Uint8Array>(values: T, size: number, part: Part): T {
  const each = values.length / size;
  return values.subarray(part.from * each, part.to * each) as T;
}

/** A loss that is a mean over samples, as the share of its part. */
export const shareOf = (loss: Tensor, share: number): Tensor => (share === 1 ? loss : mul(loss, share));

/** Whose state an accumulation reads and leaves, each once. */
interface State {
  readonly parameters: readonly Parameter[];
  readonly buffers: readonly Parameter[];
  readonly counters: readonly nn.Counter[];
}

function stateOf(modules: readonly nn.Module[]): State {
  const all = new Set(modules.flatMap((module) => [...module.namedState()].map(([, value]) => value)));
  return {
    parameters: [...new Set(modules.flatMap((module) => module.parameters()))],
    buffers: [...all].filter((value): value is nn.Buffer => value instanceof nn.Buffer),
    counters: [...all].filter((value): value is nn.Counter => value instanceof nn.Counter),
  };
}

type Values = ArrayLike<number>;
const read = (tensors: readonly Tensor[]): Promise<Values[]> => Promise.all(tensors.map((each) => each.array()));
const sizeOf = (tensors: readonly Tensor[]): number => tensors.reduce((sum, { size }) => sum + size, 0);

/** How many parts the batches of a run are made of, and which of them are made here. Without an exchange each batch is one. */
export class Parts {
  readonly #exchange: Exchange | undefined;

  constructor(exchange?: Exchange) {
    this.#exchange = exchange;
  }

  /** 1: the batch as a whole. */
  get count(): number {
    return this.#exchange?.parts ?? 1;
  }

  /** Resolves when all replicas have come here. */
  async meet(): Promise<void> {
    await this.#exchange?.meet();
  }

  /**
   * Calls `pass` for each part of this replica. It makes the losses of the part as its share of those of the batch, and one
   * backward pass, from gradients of zero. Leaves the sums over all parts in the `grad` of the parameters, and returns those of
   * the losses. With one part this is `pass` of the whole batch and nothing else.
   */
  async accumulate<L extends { readonly [name in keyof L]?: Tensor | undefined }>(
    { size, least, modules, losses: names }: Accumulation,
    pass: (part: Part) => L | Promise<L>,
  ): Promise<L> {
    const parts = partsOf(this.count, size, least);
    const exchange = this.#exchange;
    if (!exchange || this.count === 1) return pass(parts[0]!);
    const { parameters, buffers, counters } = stateOf(modules);
    const before = { buffers: await read(buffers), counters: counters.map(({ value }) => value) };
    const length = counters.length + parameters.length + 2 * names.length + sizeOf(parameters) + sizeOf(buffers);
    const own = new Map<number, Float64Array>();
    for (const part of parts) {
      if (!exchange.owns(part.index)) continue;
      if (own.size > 0) restore(buffers, before.buffers);
      counters.forEach((counter, i) => (counter.value = before.counters[i]!));
      for (const parameter of parameters) parameter.zeroGrad();
      const losses = await pass(part);
      const list = await listOf(length, part, names, losses as PartLosses, { parameters, buffers }, before.buffers);
      // All parts are one batch: what the first has counted is what the step has.
      if (part.index === 0) list.set(counters.map(({ value }, i) => value - before.counters[i]!), length - counters.length); // prettier-ignore
      own.set(part.index, list);
    }
    const sums = await exchange.sum(length, own);
    counters.forEach((counter, i) => (counter.value = before.counters[i]! + sums[length - counters.length + i]!));
    return leave(sums, names, { parameters, buffers }, before.buffers) as L;
  }
}

function restore(buffers: readonly Parameter[], values: readonly Values[]): void {
  buffers.forEach((buffer, i) => buffer.device.write(buffer.storage, values[i]!));
}

/**
 * What a part adds to the sums: whether it has a gradient of each parameter and a loss of each name, its losses, its gradients, and
 * its share of the changes of the buffers: what does not change stays as it is to the bit.
 */
async function listOf(
  length: number,
  { share }: Part,
  names: readonly string[],
  losses: PartLosses,
  { parameters, buffers }: Omit<State, 'counters'>,
  before: readonly Values[],
): Promise<Float64Array> {
  const list = new Float64Array(length);
  let at = 0;
  for (const { grad } of parameters) list[at++] = Number(grad !== undefined);
  const found = names.map((name) => losses[name]);
  for (const loss of found) list[at++] = Number(loss !== undefined);
  for (const loss of found) list[at++] = loss ? await loss.item() : 0;
  const gradients = parameters.flatMap(({ grad }) => grad ?? []);
  const values = await read(gradients);
  let next = 0;
  for (const { grad, size } of parameters) {
    if (grad) list.set(values[next++]!, at);
    at += size;
  }
  for (const [i, after] of (await read(buffers)).entries()) {
    for (let j = 0; j < after.length; j++) list[at++] = share * (after[j]! - before[i]![j]!);
  }
  return list;
}

/** Puts the sums where gradients, buffers and losses belong. */
function leave(
  sums: Float64Array,
  names: readonly string[],
  { parameters, buffers }: Omit<State, 'counters'>,
  before: readonly Values[],
): PartLosses {
  const head = parameters.length + 2 * names.length;
  const losses = names.flatMap((name, i) => {
    const isThere = sums[parameters.length + i]! > 0;
    return isThere ? [[name, tensor([sums[parameters.length + names.length + i]!], [])] as const] : [];
  });
  let at = head;
  for (const [i, parameter] of parameters.entries()) {
    const { shape, size, device } = parameter;
    parameter.zeroGrad();
    if (sums[i]! > 0) parameter.grad = tensor(sums.subarray(at, at + size), shape, { device });
    at += size;
  }
  for (const [i, buffer] of buffers.entries()) {
    const values = before[i]!;
    restore([buffer], [Float64Array.from(values, (value, j) => value + sums[at + j]!)]);
    at += buffer.size;
  }
  return Object.fromEntries(losses);
}
