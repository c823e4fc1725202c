// Results: the end-to-end run of one tiny convolution, what is printed of peers that are absent, comparing, and the page.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import t, { type Test } from 'tap';
import { roofOf } from '../../bench/measure/ceilings.ts';
import { baselineFor, changes, changesText } from '../../bench/report/compare.ts';
import { isMeasured, readDocument, type ReadDocument } from '../../bench/report/document.ts';
import { bench } from '../../bench/main.ts';
import { resultsPage } from '../../bench/report/page.ts';
import { caseText, groupText, sweepText } from '../../bench/report/tables.ts';
import { parsePeers, peersFor } from '../../bench/contestants/roster.ts';

const tiny = { batch: 1, inChannels: 2, height: 5, width: 6, outChannels: 3, kernel: 3, stride: 2 };

/** Runs the kernel suite on one tiny shape. */
async function run(t: Test, ...more: string[]): Promise<{ status: number; result: ReadDocument; printed: string }> {
  const folder = t.testdir();
  const [shapes, out] = [path.join(folder, 'shapes.json'), path.join(folder, 'out.json')];
  writeFileSync(shapes, JSON.stringify([tiny]));
  const said = t.capture(process.stdout, 'write', () => true);
  const warned = t.capture(process.stderr, 'write', () => true);
  const status = await bench([
    'kernel',
    '--device',
    'wasm',
    '--threads',
    '1',
    '--shapes',
    shapes,
    '--out',
    out,
    ...more,
  ]);
  said.restore(); // the test's own report is written there too
  warned.restore();
  const printed = said()
    .map(({ args }) => String(args[0]))
    .join('');
  return { status, result: await readDocument(out), printed };
}

t.test('one tiny convolution from end to end', async (t) => {
  const { status, result, printed } = await run(t, '--seconds', '0', '--peers', 'none');
  t.equal(status, 0);
  t.equal(result.suite, 'kernel');
  t.match(result.device, /^wasm .*1 thread/);
  t.equal(result.groups.length, 1);
  const [{ kernels, othersOverFirst }] = result.groups as [ReadDocument['groups'][number]];
  t.same(
    kernels.map(({ kernel }) => kernel),
    ['conv2d', 'conv2dInputGradient', 'conv2dWeightGradient'],
  );
  for (const { kernel, plan, min, median, max, flops, gflops, roof } of kernels) {
    t.ok(plan.length > 0 && min > 0 && min <= median && median <= max, `${kernel}, ${plan}`);
    t.equal(flops, 2 * 3 * 3 * 3 * 2 * 9);
    t.ok(Math.abs((gflops * median * 1e9) / flops - 1) < 1e-4, 'numbers are cut to six digits');
    t.ok(roof.share > 0 && roof.share <= roof.bestShare);
    t.match(printed, plan);
  }
  t.ok(othersOverFirst!.median > 0);
  t.ok(result.ceilings!.gflops > 0.1 && result.ceilings!.gbps > 0.1);
  t.match(printed, '3x3, 1x2x5x6 to 3, stride 2');
  t.match(printed, /both gradients take/);
});

t.test('peers are there with a ratio or absent with a reason', async (t) => {
  const { result, printed } = await run(t, '--seconds', '0', '--peers', 'gpu.js,ort-node');
  t.equal(result.cases.length, 2);
  for (const { peers, ours } of result.cases) {
    t.ok(isMeasured(ours));
    t.same(
      peers.map(({ name }) => name),
      ['ort-node', 'gpu.js'],
    );
    for (const peer of peers) {
      if ('absent' in peer) t.match(printed, `absent: ${peer.name}: ${String(peer.absent)}`);
      else t.ok(peer.ratio.median > 0, peer.name);
    }
  }
  const text = caseText(
    {
      name: 'a',
      title: 'a case',
      device: 'wasm',
      flops: 1,
      ours: { name: 'wgrad', version: '', details: 'x', median: 1, min: 1, max: 1, repetitions: 1, gflops: 1 },
      peers: [{ name: 'someone', absent: 'not installed' }],
    },
    120,
  );
  t.match(text, 'absent: someone: not installed');
});

t.test('lists of peers', async (t) => {
  t.same(parsePeers('none'), []);
  t.ok(parsePeers('all').includes('pytorch'));
  t.same(parsePeers('pytorch, gpu.js'), ['pytorch', 'gpu.js']);
  t.throws(() => parsePeers('pytorch,pandas'), { name: 'ConfigError', message: /'pandas'/ });
  t.same(
    peersFor('webgpu', ['gpu.js', 'tfjs-webgpu', 'tfjs-wasm'], 1).map(({ name }) => name),
    ['tfjs-webgpu'],
  );
});

t.test('ceilings', async (t) => {
  const ceilings = { gflops: 100, gbps: 10 };
  t.same(roofOf({ flops: 1e9, bytes: 1e6 }, { median: 0.02, min: 0.01 }, ceilings), {
    binding: 'compute',
    share: 0.5,
    bestShare: 1,
  });
  t.match(roofOf({ flops: 1e6, bytes: 1e9 }, { median: 0.4, min: 0.2 }, ceilings), { binding: 'memory', share: 0.25 });
});

/** A result with one case, one group and one step; times are multiplied by `factor`. */
function made(factor: number, device = 'wasm'): ReadDocument {
  const times = { median: 2 * factor, min: factor, max: 3 * factor };
  const measured = { ...times, name: 'wgrad', version: '1', details: device, repetitions: 3, gflops: 1 };
  const ratio = { median: 2, min: 1, max: 3 };
  const point = { batch: 8, channels: 64, kernel: 3, stride: 1, dilation: 1 };
  const kernel = {
    ...times,
    kernel: 'conv2d',
    plan: 'direct',
    flops: 1e9,
    bytes: 1e7,
    gflops: 1e9 / times.median / 1e9,
    gbps: 1,
    roof: { binding: 'compute' as const, share: 0.5, bestShare: 1 },
  };
  return {
    suite: 'all',
    command: 'wgrad bench all',
    finished: '2026-01-01T00:00:00.000Z',
    seconds: 1,
    machine: { processor: 'one <of> them', cores: 2, loadAverageBefore: [1, 2, 3] },
    device,
    versions: { wgrad: '1' },
    method: 'by hand',
    ceilings: { gflops: 100, gbps: 10 },
    cases: [
      {
        name: 'a step',
        title: 'a step',
        device: 'wasm',
        flops: 1e9,
        ours: measured,
        peers: [
          { ...measured, name: 'wgrad, 1 thread', ratio },
          { name: 'someone', absent: 'not installed' },
        ],
      },
    ],
    groups: [
      { name: 'g', title: '3x3', networks: ['dmtl'], point, kernels: [kernel], ceilings: { gflops: 100, gbps: 10 } },
    ],
    steps: [],
  };
}

t.test('changes', async (t) => {
  t.same(
    changes(made(1), made(1)).map(({ verdict }) => verdict),
    ['same', 'same'],
  );
  t.same(
    changes(made(1), made(1.5)).map(({ verdict, median }) => [verdict, median]),
    [
      ['more', 1.5],
      ['more', 1.5],
    ],
  );
  t.same(
    changes(made(1), made(0.5)).map(({ verdict }) => verdict),
    ['less', 'less'],
  );
  const noisy = made(1);
  (noisy.cases[0]!.ours as { median: number }).median *= 3;
  t.equal(
    changes(made(1), noisy).find(({ title }) => title === 'a step')!.verdict,
    'same',
    'the best time did not move',
  );
  const text = changesText(made(1), made(1.5), 200);
  t.match(text, '+50.0 %');
  t.match(text, '2 more, 0 less, 0 same');
  const empty = { ...made(1), cases: [], groups: [] };
  t.match(changesText(made(1), empty, 200), 'nothing in common');
});

t.test('the tracked result to compare with', async (t) => {
  const folder = t.testdir({
    'a.json': JSON.stringify(made(1)),
    'b.json': JSON.stringify({ ...made(1), cases: [] }),
    'c.json': JSON.stringify(made(1, 'webgpu')),
    'd.json': '{}',
  });
  t.equal((await baselineFor(made(2), folder)).file, path.join(folder, 'a.json'));
  await t.rejects(baselineFor({ ...made(2), cases: [], groups: [] }, folder), { name: 'ConfigError' });
  await t.rejects(baselineFor(made(1), path.join(folder, 'none')), { name: 'ConfigError' });
});

t.test('the page has the plots and the tables', async (t) => {
  const text = await resultsPage(new Map([['one.json', made(1)]]));
  for (const caption of ['Roofline', 'Scaling with threads', 'Sweep over the batch', 'Beside the peers']) {
    t.match(text, new RegExp(`<figcaption>${caption}</figcaption>\\s*<svg`), caption);
  }
  t.match(text, 'absent: someone: not installed');
  t.match(text, 'one &lt;of&gt; them');
  const folder = t.testdir({ 'one.json': JSON.stringify(made(1)), 'not.json': '[]' });
  const said = t.capture(process.stdout, 'write', () => true);
  const file = path.join(folder, 'page.html');
  const status = await bench(['page', path.join(folder, 'one.json'), '--out', file]);
  said.restore();
  t.equal(status, 0);
  t.equal(said()[0]!.args[0], `${file}\n`);
  t.match(readFileSync(file, 'utf8'), /<svg/);
  t.capture(process.stderr, 'write', () => true);
  t.equal(await bench(['page', path.join(folder, 'not.json'), '--out', file]), 2);
});

t.test('what is printed of groups', async (t) => {
  const { groups } = made(1);
  t.match(groupText(groups[0]!, 200), /3x3 \(dmtl\)/);
  t.match(groupText({ ...groups[0]!, kernels: [], absent: 'too large' }, 200), 'not measured: too large');
  const slow = { ...groups[0]!, title: '7x7', kernels: [{ ...groups[0]!.kernels[0]!, min: 4 }] };
  t.match(sweepText([...groups, slow]), /25 % of the best one's rate \(7x7; 3x3\); below half: 7x7$/m);
  const { flops } = groups[0]!.kernels[0]!;
  const twice = {
    ...groups[0]!,
    ceilings: { ...groups[0]!.ceilings!, gflops: flops / groups[0]!.kernels[0]!.min / 2e9 },
  };
  const third = { ...twice, title: '7x7', kernels: [{ ...twice.kernels[0]!, min: 3 * twice.kernels[0]!.min }] };
  t.match(sweepText([twice, third]), /33 % .* below half: 7x7; below half of the ceiling: none$/m, 'past the ceiling');
});
