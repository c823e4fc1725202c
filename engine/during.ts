// A change of state for as long as something runs, across awaits too.

/** Runs `body` with `undo` after it, when a promise that it returns has settled. */
export function during<T>(body: () => T, undo: () => void): T {
  let result: T;
  try {
    result = body();
  } catch (error) {
    undo();
    throw error;
  }
  if (result instanceof Promise) return result.finally(undo) as T;
  undo();
  return result;
}
