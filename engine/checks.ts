// Checks of arguments other than tensors: sizes (ShapeError), and choices and numbers of options (ConfigError).
import { ConfigError, DTypeError, ShapeError, showGiven as show } from './errors.ts';
import { type Pair } from './shape.ts';

const isWhole = (given: unknown, least: number): boolean => Number.isSafeInteger(given) && (given as number) >= least;

/** A whole number of at least `least`. Throws ShapeError for any other. */
export function wholeNumber(operation: string, argument: string, given: number, least: number): number {
  if (isWhole(given, least)) return given;
  const expected = `a whole number, ${least} or more`;
  throw new ShapeError('not a size', { operation, argument, expected, given: show(given) });
}

/** The same for [height, width], or one number for both. */
export function wholePair(operation: string, argument: string, given: number | Pair, least: number): Pair {
  const both = typeof given === 'number' ? [given, given] : given;
  if (Array.isArray(both) && both.length === 2 && both.every((n) => isWhole(n, least))) {
    return both as unknown as Pair;
  }
  throw new ShapeError('not a size', {
    operation,
    argument,
    expected: `a whole number, ${least} or more, or two of them`,
    given: show(given),
  });
}

/** What can be walked: an array, a Set. Throws DTypeError for others, a single tensor or a module among them. */
export function iterable<T>(operation: string, argument: string, given: Iterable<T>, hint: string): Iterable<T> {
  if (typeof given === 'object' && typeof (given as Partial<Iterable<T>> | null)?.[Symbol.iterator] === 'function') {
    return given;
  }
  throw new DTypeError(`not ${argument}`, {
    operation,
    argument,
    expected: `an array of ${argument}`,
    given: show(given),
    hint,
  });
}

/** The parameters of an optimiser or of clipping. */
export const parametersIn = <T>(operation: string, given: Iterable<T>): Iterable<T> =>
  iterable(operation, 'parameters', given, 'Pass module.parameters(), or [parameter] for a single one');

/** Throws ConfigError unless `given` is one of `choices`. */
export function oneOf(operation: string, argument: string, given: unknown, choices: readonly string[]): void {
  if (choices.includes(given as string)) return;
  throw new ConfigError('no such choice', { operation, argument, expected: choices.join(' or '), given: show(given) });
}

/** Limits of a number; without `to` there is none above. */
export interface Interval {
  /** The number may equal this. */
  from?: number;
  /** The number must exceed this. */
  above?: number;
  /** The number may equal this. */
  to?: number;
  /** The number must stay under this. */
  below?: number;
}

/** A number within limits (any finite one without). Throws ConfigError for others, NaN and infinity among them. */
export function numberWithin(operation: string, argument: string, given: number, limits: Interval = {}): number {
  const { from = -Infinity, above = -Infinity, to = Infinity, below = Infinity } = limits;
  if (Number.isFinite(given) && given >= from && given > above && given <= to && given < below) return given;
  const words = Object.entries(limits).map(([word, limit]) => `${word} ${limit}`);
  const expected = ['a number', ...words].join(' ');
  throw new ConfigError('not a valid number', { operation, argument, expected, given: show(given) });
}

/** A whole number within limits, as `numberWithin`. */
export function countWithin(operation: string, argument: string, given: number, limits: Interval): number {
  if (Number.isSafeInteger(given)) return numberWithin(operation, argument, given, limits);
  const words = Object.entries(limits).map(([word, limit]) => `${word} ${limit}`);
  const expected = ['a whole number', ...words].join(' ');
  throw new ConfigError('not a valid count', { operation, argument, expected, given: show(given) });
}
