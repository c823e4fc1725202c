// Finding the operation that made the first NaN or infinity. Every result is held while `body` runs and read afterwards in
// the order of creation, so the search works on devices that compute asynchronously. Slow and hungry: for diagnosis.
import { takes } from './call-check.ts';
import { NonFiniteError, showShape } from './errors.ts';
import { observeOperations } from './operation.ts';
import { callback } from './parameters.ts';
import type { Tensor } from './tensor.ts';

interface Result {
  name: string;
  output: Tensor;
  site: string | undefined;
}

const takesBody = takes('detectAnomaly', { body: callback });

/**
 * Runs `body` and throws NonFiniteError naming the first operation whose float32 result holds a NaN or an infinity.
 * Returns what `body` returned if there is none.
 */
export async function detectAnomaly<T>(...args: [body: () => T | Promise<T>]): Promise<T> {
  const [body] = takesBody(args);
  const results: Result[] = [];
  const before = observeOperations({
    result(name, output, site) {
      if (output.dtype === 'float32') results.push({ name, output: output.alias(), site });
    },
  });
  try {
    const value = await body();
    for (const { name, output, site } of results) {
      const values = await output.array();
      const at = values.findIndex((x) => !Number.isFinite(x));
      if (at < 0) continue;
      throw new NonFiniteError(`'${name}' is the first operation with a result that is not finite`, {
        operation: 'detectAnomaly',
        given: `${values[at]} at element ${at} of its output ${showShape(output.shape)}${site ? `, called at ${site}` : ''}`,
        hint: 'Look at its inputs: a learning rate that is too high, log or division of 0, or data that is not finite',
      });
    }
    return value;
  } finally {
    observeOperations(before);
    for (const { output } of results) output.dispose();
  }
}
