// `wgrad bench`: hands over to the benchmarks. They stand above the experiments, so they are loaded by the name that
// package.json gives to the built program, and only when asked for.
import { ConfigError } from '../../engine/index.ts';

const program = '#bench';

interface Benchmarks {
  bench(args: readonly string[]): Promise<number>;
}

/** Runs the benchmarks with these arguments. Throws ConfigError where they have not been built. */
export async function benchCommand(args: readonly string[]): Promise<number> {
  let benchmarks: Benchmarks;
  try {
    benchmarks = (await import(program)) as Benchmarks;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new ConfigError('the benchmarks have not been built', {
      hint: 'Run `npm run build` in a checkout of wgrad',
      cause: error,
    });
  }
  return benchmarks.bench(args);
}
