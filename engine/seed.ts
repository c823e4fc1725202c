// The seed of everything that is drawn without a stream of its own: initial parameters, random tensors and dropout. Each purpose
// counts its streams by itself, so that drawing for one does not change another.
import { takes } from './call-check.ts';
import { countWithin } from './checks.ts';
import { number } from './parameters.ts';
import { type Random, random } from './random.ts';

let seed = 0;
const drawn = new Map<string, number>();

const takesSeed = takes('manualSeed', { value: number });

/** Starts all streams anew: parameter, random tensor and dropout layer number i after this call always get the same values. */
export function manualSeed(...args: [value: number]): void {
  const [value] = takesSeed(args);
  seed = countWithin('manualSeed', 'value', value, { from: 0 });
  drawn.clear();
}

/** The next stream of a purpose. */
export function nextStream(purpose: string): Random {
  const step = drawn.get(purpose) ?? 0;
  drawn.set(purpose, step + 1);
  return random(seed, purpose, step);
}
