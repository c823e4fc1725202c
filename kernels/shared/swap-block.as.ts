// Rows that become columns, four by four words at a time.

/** Columns `inStep` bytes apart become rows `outStep` bytes apart. */
@inline
export function swapBlock(to: usize, outStep: usize, from: usize, inStep: usize): void {
  const a = v128.load(from);
  const b = v128.load(from + inStep);
  const c = v128.load(from + 2 * inStep);
  const d = v128.load(from + 3 * inStep);
  const ab0 = v128.shuffle<i32>(a, b, 0, 4, 1, 5);
  const ab1 = v128.shuffle<i32>(a, b, 2, 6, 3, 7);
  const cd0 = v128.shuffle<i32>(c, d, 0, 4, 1, 5);
  const cd1 = v128.shuffle<i32>(c, d, 2, 6, 3, 7);
  v128.store(to, v128.shuffle<i64>(ab0, cd0, 0, 2));
  v128.store(to + outStep, v128.shuffle<i64>(ab0, cd0, 1, 3));
  v128.store(to + 2 * outStep, v128.shuffle<i64>(ab1, cd1, 0, 2));
  v128.store(to + 3 * outStep, v128.shuffle<i64>(ab1, cd1, 1, 3));
}
