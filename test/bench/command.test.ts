// `wgrad bench`: arguments that make no sense, and that PyTorch and wgrad compute the same in every case both have.
import t from 'tap';
import { bench, parseBenchArgs } from '../../bench/main.ts';
import { disagreement } from '../../bench/contestant.ts';
import { quickCases } from '../../bench/cases.ts';
import { startOurs } from '../../bench/ours.ts';

t.test('arguments', async (t) => {
  t.same(parseBenchArgs(['quick', '--json', '--out', 'a.json']), { json: true, out: 'a.json', help: false });
  t.throws(() => parseBenchArgs([]), new Error("expected 'quick', got nothing"));
  t.throws(() => parseBenchArgs(['slow']), new Error("expected 'quick', got 'slow'"));
  t.throws(() => parseBenchArgs(['quick', '--fast']), new Error("Unknown option '--fast'"));
  t.throws(() => parseBenchArgs(['quick', '--out', '']), new Error('--out needs the name of a file'));
});

t.test('bad arguments end with status 2 and one line', async (t) => {
  const said = t.capture(process.stderr, 'write', () => true);
  t.equal(await bench(['slow']), 2);
  t.same(
    said().map(({ args }) => args[0]),
    ["wgrad bench: expected 'quick', got 'slow'\n"],
  );
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
