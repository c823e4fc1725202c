// Every training step that PyTorch has too computes the same there: parameters and losses.
import t from 'tap';
import type { CaseShape } from '../../bench/peers/protocol.mjs';
import { disagreement } from '../../bench/contestants/contestant.ts';
import { networks } from '../../bench/networks/index.ts';
import { startOurs } from '../../bench/contestants/ours.ts';
import { peerNamed } from '../../bench/contestants/roster.ts';

const pytorch = await peerNamed('pytorch', 1)
  .start()
  .catch((error: Error) => error);
const skip = pytorch instanceof Error ? `PyTorch is absent: ${pytorch.message}` : false;

/** Sizes that take a moment; what is not named stays as it is. */
const tiny: Readonly<Record<string, CaseShape>> = {
  'unet.step': { batch: 2, size: 32, baseWidth: 4 },
  'multidepth.step': { batch: 2, baseWidth: 3 },
  'crossStitch.step': { batch: 4 },
  'denseBlock.step': { batch: 2, height: 6, width: 5, layers: 3, growth: 8 },
};

for (const { name, benchmark, sizes, isStep } of networks) {
  if (!isStep) continue;
  t.test(name, { skip }, async (t) => {
    if (pytorch instanceof Error) return;
    const shape = { ...sizes.small[0]!, ...tiny[benchmark]! };
    const ours = await startOurs('wasm', 1);
    const results = await ours.prepare(benchmark, shape);
    t.ok(results.length > 2, `${results.length} results`);
    t.equal(disagreement(results, await pytorch.prepare(benchmark, shape)), undefined);
    ours.close();
  });
}

t.teardown(() => (pytorch instanceof Error ? undefined : pytorch.close()));
