// `wgrad bench`: arguments that make no sense, and that PyTorch and wgrad compute the same in every case both have.
import t, { type Test } from 'tap';
import { bench } from '../../bench/main.ts';
import { disagreement } from '../../bench/contestants/contestant.ts';
import { quickCases } from '../../bench/suites/quick-cases.ts';
import { startOurs } from '../../bench/contestants/ours.ts';

/** What is said on stderr, and the exit status. */
async function refusal(t: Test, args: readonly string[]): Promise<unknown[]> {
  const said = t.capture(process.stderr, 'write', () => true);
  const status = await bench(args);
  return [status, ...said().map(({ args }) => args[0])];
}

t.test('bad arguments end with status 2 and one line', async (t) => {
  t.same(await refusal(t, ['slow']), [2, "wgrad bench: unknown command 'slow'\n"]);
  t.same(await refusal(t, ['quick', '--fast']), [2, "wgrad bench: unknown option '--fast'\n"]);
  const empty = "wgrad bench: option '--out <file>' argument '' is invalid. It must not be empty.\n";
  t.same(await refusal(t, ['quick', '--out', '']), [2, empty]);
  const batch =
    "wgrad bench: option '--batch <n>' argument '1.5' is invalid. Expected a whole number from 1 to 4096.\n";
  t.same(await refusal(t, ['step', '--batch', '1.5']), [2, batch]);
});

const small = { batch: 2, inChannels: 3, height: 8, width: 12, outChannels: 5, kernel: 3 };

const entrant = quickCases()
  .flatMap(({ peers }) => peers)
  .find(({ name }) => name === 'pytorch, 1 thread')!;
const pytorch = await entrant.start().catch((error: Error) => error);
const skip = pytorch instanceof Error ? `PyTorch is absent: ${pytorch.message}` : false;

t.test('PyTorch agrees with wgrad', { skip }, async (t) => {
  if (pytorch instanceof Error) return;
  const ours = await startOurs('wasm', 1);
  const step = quickCases().find(({ benchmark }) => benchmark === 'unet.step')!.shape;
  for (const [benchmark, shape] of [
    ['conv2d.forward', small],
    ['conv2d.gradients', small],
    ['unet.step', step],
  ] as const) {
    const [mine, theirs] = [await ours.prepare(benchmark, shape), await pytorch.prepare(benchmark, shape)];
    t.equal(disagreement(mine, theirs), undefined, benchmark);
  }
  ours.close();
  pytorch.close();
});
