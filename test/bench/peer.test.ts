// The conversation with peers, and what becomes of those that are missing, die, hang or compute something else.
import path from 'node:path';
import t from 'tap';
import type { Entrant } from '../../bench/contestants/roster.ts';
import { AbsentError, disagreement } from '../../bench/contestants/contestant.ts';
import { startFirst, startPeer } from '../../bench/contestants/peer.ts';
import { fixedValues, permute, repeat, summarize } from '../../bench/peers/protocol.mjs';
import { type BenchmarkCase, Field, runCase } from '../../bench/contestants/run.ts';
import { repositoryRoot } from '../shared-data.ts';

const script = path.join(repositoryRoot(), 'test/bench/fake-peer.mjs');
const fake = (kind: string, ...args: string[]): string[] => [process.execPath, script, kind, ...args];
const shape = { count: 100 };

t.test('a peer introduces itself, prepares and measures', async (t) => {
  const peer = await startPeer(fake('good'));
  t.match(peer, { name: 'good', version: '1.2.3', details: 'one thread' });
  t.same(await peer.prepare('scaled', shape), [summarize(fixedValues(100, 1))]);
  const times = await peer.measure(0.02);
  t.ok(times.length > 0 && times.every((each) => each >= 0));
  await t.rejects(peer.prepare('other', shape), new AbsentError('good does not have it'));
  peer.close();
});

t.test('a peer that is not there says why', async (t) => {
  await t.rejects(startPeer(fake('missing')), new AbsentError('not installed: npm ci --prefix bench/peers'));
  await t.rejects(startPeer(['wgrad-no-such-command']), new AbsentError('there is no command wgrad-no-such-command'));
  await t.rejects(startPeer(fake('silent'), 300), new AbsentError('no answer within 0.3 s'));
  const second = await startFirst([['wgrad-no-such-command'], fake('good')]);
  t.equal(second.name, 'good');
  second.close();
});

t.test('a case lists the times of good peers and the reasons of others', async (t) => {
  const entrant = (kind: string, ...args: string[]): Entrant => ({
    name: kind,
    start: () => startPeer(fake(kind, ...args)),
  });
  const benchmark: BenchmarkCase = {
    name: 'case',
    title: 'a case',
    device: 'wasm',
    benchmark: 'scaled',
    shape,
    flops: 100,
    ours: entrant('good'),
    peers: [entrant('good'), entrant('wrong', '1.1'), entrant('dying'), entrant('missing')],
  };
  const field = new Field();
  const effort = { rounds: 2, secondsPerRound: 0.01, secondsPerPeer: 1 };
  const result = await runCase(benchmark, field, effort, () => undefined);
  await field.close();
  t.match(result.ours, { name: 'good', version: '1.2.3' });
  const [good, wrong, dying, missing] = result.peers;
  t.ok(good && 'ratio' in good && good.ratio.median > 0);
  t.match(wrong, { name: 'wrong', absent: /^it computes something else: result 0 is / });
  t.match(dying, { name: 'dying', absent: 'ended with status 3' });
  t.match(missing, { name: 'missing', absent: 'not installed: npm ci --prefix bench/peers' });
});

t.test('results agree up to rounding', async (t) => {
  const summary = summarize([1, -2, 3]);
  t.equal(disagreement([summary], [summarize([1.0001, -2, 3])]), undefined);
  t.match(disagreement([summary], [summarize([1.1, -2, 3])]), /^result 0 is /);
  t.match(disagreement([summary], [summarize([NaN, -2, 3])]), /^result 0 is NaN/);
  t.equal(disagreement([summary], []), '0 results instead of 1');
});

t.test('permute reorders axes', async (t) => {
  t.same([...permute(Float32Array.of(1, 2, 3, 4, 5, 6), [2, 3], [1, 0])], [1, 4, 2, 5, 3, 6]);
  t.same([...permute(Float32Array.of(1, 2, 3, 4), [1, 2, 2], [2, 0, 1])], [1, 3, 2, 4]);
});

t.test('short work is waited for in batches', async (t) => {
  let launches = 0;
  let waits = 0;
  const work = { launch: () => void launches++, finish: async () => void waits++ };
  const times = await repeat(work, 0.02);
  t.equal(times.length, waits);
  t.ok(launches > waits);
});
