// Finding what is not finite: in the states of a run, and among the results of one step.
import { detectAnomaly, nn, NonFiniteError, type StateDict } from '../../engine/index.ts';

/**
 * The first value that is not finite among the states, in words. An infinite buffer of a module is nobody's fault: masks of
 * attention are made of them.
 */
export function firstNonFinite(
  states: Readonly<Record<string, StateDict>>,
  modules: Readonly<Record<string, unknown>>,
): string | undefined {
  for (const [name, state] of Object.entries(states)) {
    const module = modules[name];
    const buffers = new Set(
      module instanceof nn.Module
        ? [...module.namedState()].flatMap(([key, value]) => (value instanceof nn.Buffer ? [key] : []))
        : [],
    );
    for (const [key, { values }] of state) {
      const isFault = buffers.has(key) ? Number.isNaN : (value: number): boolean => !Number.isFinite(value);
      for (let i = 0; i < values.length; i++) {
        if (isFault(values[i]!)) return `'${key}' of ${name} is ${values[i]}`;
      }
    }
  }
  return undefined;
}

/** The error that names the first operation of `step` with a result that is not finite. */
export async function nonFiniteOperation(
  step: () => Promise<void>,
  modules: Readonly<Record<string, nn.Module>>,
): Promise<NonFiniteError> {
  try {
    await detectAnomaly(step, { modules });
  } catch (error) {
    if (error instanceof NonFiniteError) return error;
    throw error;
  }
  return new NonFiniteError('all of its results are finite', {
    hint: 'A kernel of your own may write beyond its output, or a loss was computed without operations',
  });
}
