// Every training step that PyTorch has too computes the same there: parameters and losses.
import t from 'tap';
import { disagreement } from '../../bench/contestants/contestant.ts';
import { networks } from '../../bench/networks/index.ts';
import { startOurs } from '../../bench/contestants/ours.ts';
import { peerNamed } from '../../bench/contestants/roster.ts';
import { tiny } from './tiny.ts';

const pytorch = await peerNamed('pytorch', 1)
  .start()
  .catch((error: Error) => error);
const skip = pytorch instanceof Error ? `PyTorch is absent: ${pytorch.message}` : false;

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
