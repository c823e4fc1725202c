// The name that is meant by one that does not exist: the same words in another spelling, their initials, some of them, another
// word of the field, or a slip of the fingers.
import { closest, distance } from 'fastest-levenshtein';

/** What PyTorch, NumPy, Keras or JAX call it, without capitals and marks, and what it is called here. */
const otherWords: Readonly<Record<string, string>> = {
  axes: 'axis',
  axis: 'axes',
  beta1: 'betas',
  beta2: 'betas',
  dim: 'axis',
  elementwiseaffine: 'affine',
  epsilon: 'eps',
  l2: 'weightDecay',
  sizeaverage: 'reduction',
  unbiased: 'correction',
};

/** `weightDecay` and `weight_decay` are weight, decay. */
const wordsOf = (name: string): string[] =>
  name
    .replace(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '');

const plain = (name: string): string => name.toLowerCase().replace(/[^a-z0-9]/g, '');

const initialsOf = (name: string): string =>
  wordsOf(name)
    .map((word) => word[0])
    .join('');

/** How many words two names share, if one of them has no others. */
function sharedWords(one: string, other: string): number {
  const [short, long] = [wordsOf(one), wordsOf(other)].sort((a, b) => a.length - b.length) as [string[], string[]];
  return short.every((word) => long.includes(word)) ? short.length : 0;
}

/** Whether one is the first letters of the other: `meta` of `metadata`. */
const isBeginning = (one: string, other: string): boolean =>
  Math.min(one.length, other.length) >= 3 && (other.startsWith(one) || one.startsWith(other));

/** The one of `names` that is probably meant by `given`, or undefined where none is near. */
export function nearestName(given: string, names: readonly string[]): string | undefined {
  const word = otherWords[plain(given)];
  const sameWord =
    names.find((name) => plain(name) === plain(given)) ??
    names.find((name) => name === word) ??
    names.find((name) => initialsOf(given) === name || initialsOf(name) === given);
  if (sameWord !== undefined || names.length === 0) return sameWord;
  const near = closest(given, names);
  if (distance(given, near) <= Math.max(given.length, near.length) / 2) return near;
  const [first] = [...names].sort((a, b) => sharedWords(given, b) - sharedWords(given, a));
  return sharedWords(given, first!) > 0 ? first : names.find((name) => isBeginning(given, name));
}
