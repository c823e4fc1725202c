// Whether operations write on the tape.
import { takes } from './call-check.ts';
import { during } from './during.ts';
import { callback } from './parameters.ts';

let recording = true;

/** Whether operations write on the tape: false inside noGrad. */
export const gradEnabled = (): boolean => recording;

/** Sets whether operations leave nodes, for as long as `body` runs; a promise counts until it settles. */
export function withGradMode<T>(on: boolean, body: () => T): T {
  const before = recording;
  recording = on;
  return during(body, () => (recording = before));
}

const takesNoGrad = takes('noGrad', { body: callback });

/** Runs `body` without recording: for evaluation and for updates. */
export const noGrad = <T>(...args: [body: () => T]): T => withGradMode(false, takesNoGrad(args)[0]);
