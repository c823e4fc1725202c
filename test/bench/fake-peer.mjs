// A peer for tests, whose one case gives the fixed values times a factor: `node fake-peer.mjs KIND FACTOR`. Kinds other than
// `good` misbehave in one way.
import process from 'node:process';
import { fixedValues, serve } from '../../bench/peers/protocol.mjs';

const [kind, factor = '1'] = process.argv.slice(2);

const scaled = ({ count }) => {
  let values = fixedValues(0, 1);
  return {
    launch() {
      if (kind === 'dying') process.exit(3);
      values = fixedValues(count, 1).map((value) => Number(factor) * value);
    },
    finish: async () => undefined,
    results: async () => [values],
  };
};

if (kind === 'silent') process.stdin.resume();
else if (kind === 'missing') await serve(() => import('@wgrad/no-such-package'));
else {
  process.stdout.write('chatter of an engine\n');
  await serve(async () => ({ name: kind, version: '1.2.3', details: 'one thread', cases: { scaled } }));
}
