// Planning memory: when every buffer of a step is made and released is known, so that buffers whose lives do not meet can lie in the
// same place. Largest first, each into the tightest gap among those that live when it does (best fit by offset). Where a
// block of memory is bound as a whole, as on GPUs, buffers share blocks and all begin at byte 0.
//
// No plan can need less than the largest sum of bytes that live at once; it is printed beside the plan.

/** A buffer from call `from` until before call `to`. */
export interface Lifetime {
  readonly bytes: number;
  readonly from: number;
  readonly to: number;
}

export interface MemoryPlan {
  /** Bytes of each block of memory. */
  readonly blocks: readonly number[];
  /** Where each buffer lies. */
  readonly places: readonly { readonly block: number; readonly offset: number }[];
  /** Bytes of all blocks. */
  readonly peak: number;
  /** The most bytes that live at once. */
  readonly lowerBound: number;
}

const meet = (a: Lifetime, b: Lifetime): boolean => a.from < b.to && b.from < a.to;

/** The most bytes that live at once. */
export function mostAlive(lifetimes: readonly Lifetime[]): number {
  const changes = lifetimes.flatMap(({ bytes, from, to }) => [
    { at: from, bytes },
    { at: to, bytes: -bytes },
  ]);
  // What ends makes room for what begins at the same call.
  changes.sort((a, b) => a.at - b.at || a.bytes - b.bytes);
  let [alive, most] = [0, 0];
  for (const { bytes } of changes) most = Math.max(most, (alive += bytes));
  return most;
}

/** Bytes that a pool of buffers of exact sizes holds in the end. */
export function poolBytes(lifetimes: readonly Lifetime[]): number {
  const sizes = new Map<number, Lifetime[]>();
  for (const each of lifetimes) sizes.set(each.bytes, [...(sizes.get(each.bytes) ?? []), each]);
  return [...sizes.values()].reduce((sum, group) => sum + mostAlive(group), 0);
}

/** Places buffers in one block, or each at the beginning of one of several. */
export function planMemory(lifetimes: readonly Lifetime[], hasOffsets: boolean): MemoryPlan {
  const order = lifetimes.map((_, i) => i).sort((a, b) => lifetimes[b]!.bytes - lifetimes[a]!.bytes || a - b);
  const { blocks, places } = hasOffsets ? inOneBlock(lifetimes, order) : inBlocks(lifetimes, order);
  const peak = blocks.reduce((sum, bytes) => sum + bytes, 0);
  return { blocks, places, peak, lowerBound: mostAlive(lifetimes) };
}

/** For each buffer those that lie where it does and are released before it is made. */
export function predecessorsOf(lifetimes: readonly Lifetime[], { places }: MemoryPlan): number[][] {
  return lifetimes.map(({ bytes, from }, i) => {
    const { block, offset } = places[i]!;
    const before: number[] = [];
    for (let j = 0; j < lifetimes.length; j++) {
      const [other, at] = [lifetimes[j]!, places[j]!];
      if (other.to > from || at.block !== block) continue;
      if (at.offset < offset + bytes && offset < at.offset + other.bytes) before.push(j);
    }
    return before;
  });
}

type Placed = Pick<MemoryPlan, 'blocks' | 'places'>;

function inOneBlock(lifetimes: readonly Lifetime[], order: readonly number[]): Placed {
  const offsets = new Array<number>(lifetimes.length).fill(0);
  // By rising offset, which is the order in which gaps are looked for.
  const placed: number[] = [];
  let size = 0;
  for (const i of order) {
    const own = lifetimes[i]!;
    let [best, gap, end] = [-1, Infinity, 0];
    for (const j of placed) {
      const other = lifetimes[j]!;
      if (!meet(own, other)) continue;
      const room = offsets[j]! - end;
      if (room >= own.bytes && room < gap) [best, gap] = [end, room];
      end = Math.max(end, offsets[j]! + other.bytes);
    }
    offsets[i] = best >= 0 ? best : end;
    size = Math.max(size, offsets[i]! + own.bytes);
    const at = placed.findIndex((j) => offsets[j]! > offsets[i]!);
    placed.splice(at < 0 ? placed.length : at, 0, i);
  }
  return { blocks: size > 0 ? [size] : [], places: offsets.map((offset) => ({ block: 0, offset })) };
}

function inBlocks(lifetimes: readonly Lifetime[], order: readonly number[]): Placed {
  const blocks: number[] = [];
  const members: Lifetime[][] = [];
  const places = new Array<{ block: number; offset: number }>(lifetimes.length);
  for (const i of order) {
    const own = lifetimes[i]!;
    // The last that fits is the smallest: blocks are made by falling size.
    let block = members.findLastIndex((others) => !others.some((other) => meet(own, other)));
    if (block < 0) {
      block = blocks.push(own.bytes) - 1;
      members.push([]);
    }
    members[block]!.push(own);
    places[i] = { block, offset: 0 };
  }
  return { blocks, places };
}
