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

/** Where what the planner worked out stands: behind the packed parameters. */
@inline
export function behind<Params>(params: Params): usize {
  return changetype<usize>(params) + offsetof<Params>();
}

/** Of the packed parameters of the convolutions, behind which what the planner worked out stands. */
export const CONVOLUTION_BYTES: usize = 80;
