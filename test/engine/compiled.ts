// A step run eagerly and compiled, on the same device and from the same beginning, for tests that expect the same bits.
import type { Test } from 'tap';
import * as w from '../../engine/index.ts';
import type { Compiled, Tensor } from '../../engine/index.ts';

type Result = Tensor | Promise<Tensor>;

/** One training run: what a step does, and what each call gives it. */
export interface Run {
  step(...args: never[]): Result;
  /** Arguments of call number `call`, made in a scope of its own. What else changes between calls changes here. */
  before(call: number): unknown[];
  /** What the run has come to beside the results of its steps. */
  state(): Iterable<Tensor>;
  dispose(): void;
}

type Step = (...args: unknown[]) => Result;

async function results({ before, state, dispose }: Run, step: Step, calls: number): Promise<number[][]> {
  const values: number[][] = [];
  for (let call = 0; call < calls; call++) {
    using _made = w.scope();
    values.push([...(await (await step(...before(call))).array())]);
  }
  for (const each of state()) values.push([...(await each.array())]);
  dispose();
  return values;
}

/** What was compiled, and in which words each change was told. */
export interface Told {
  readonly statistics: Compiled<[], unknown>['statistics'];
  readonly changes: readonly string[];
}

/** Makes the run twice, once to be compiled, and expects the same bits and that nothing is left. */
export async function sameBits(t: Test, name: string, calls: number, make: () => Run): Promise<Told> {
  w.manualSeed(1);
  const eager = make();
  const expected = await results(eager, eager.step as Step, calls);
  const device = w.defaultDevice();
  const [tensors, buffers] = [w.liveTensorCount(), device.statistics().liveBuffers];
  w.manualSeed(1);
  const run = make();
  const changes: string[] = [];
  const compiled = w.compile(run.step as Step, { onChange: (change) => changes.push(change) });
  const found = await results(run, compiled, calls);
  const { statistics } = compiled;
  compiled.dispose();
  t.same(found, expected, `${name}: the same bits (${JSON.stringify(statistics)})`);
  t.same([w.liveTensorCount(), device.statistics().liveBuffers], [tensors, buffers], `${name}: nothing is left`);
  return { statistics, changes };
}
