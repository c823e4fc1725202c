// Addresses in the linear memory, which every kernel with several operands works out.

/** Bytes of so many 32-bit words. */
@inline
export function words(count: i32): usize {
  return (<usize>count) << 2;
}

/** Address of an operand or of scratch by its place in the launch's table. */
@inline
export function buffer(buffers: usize, index: i32): usize {
  return <usize>load<u32>(buffers + words(index));
}

/** Where what the planner worked out stands: behind the packed parameters, and each block of it behind the one before. */
@inline
export function behind<Block>(block: Block): usize {
  return changetype<usize>(block) + offsetof<Block>();
}
