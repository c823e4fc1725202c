// The position of a run as JSON that gives back every number: plain JSON has neither NaN nor infinities.

const KEY = 'not finite';

/** A value whose JSON `decodePosition` makes into an equal one. */
export const encodePosition = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (_, each: unknown) =>
      typeof each === 'number' && !Number.isFinite(each) ? { [KEY]: String(each) } : each,
    ),
  );

/** The value that was encoded. */
export function decodePosition(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (KEY in value) return Number(value[KEY]);
  if (Array.isArray(value)) return value.map(decodePosition);
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, decodePosition(each)]));
}
