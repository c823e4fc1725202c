// Parts of a report on their own: its sentence, bounds of what is tracked, colours of depth, and that drawing is loaded late.
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { scheme } from 'vega';
import { buildView } from '../../experiments/index.ts';
import { boundedCurves, boundedPanels, pngSize } from '../../experiments/report/bounded.ts';
import { magma, photograph } from '../../experiments/report/depth-pictures.ts';
import { base64 } from '../../experiments/report/png.ts';
import { finding } from '../../experiments/report/finding.ts';
import { curvePlots } from '../../experiments/report/plots.ts';
import { htmlText } from '../../experiments/report/report.ts';
import { tableView } from '../../experiments/report/table-view.ts';
import { repositoryRoot } from '../shared-data.ts';
import { known } from './made-table.ts';

const values = { low: [0.5, 0.5, 0.5], high: [0.81, 0.8, 0.82], control: [1, 2, 3], count: [7, 7, 7] };

t.test('the sentence of what was found', (t) => {
  const judged = tableView(known(values));
  t.equal(
    finding([judged]),
    'Of 2 claims, 2 hold; of 3 published numbers, 1 is reproduced, 1 is not reproduced and 1 was not attempted.',
    'what stands beside the table does not count',
  );
  const standIn = tableView(known(values, { data: { name: 'made', real: false } }));
  t.match(
    finding([standIn]),
    /; of 3 published numbers, 2 cannot be compared \(ours were made on a stand-in .+\) and 1 was/,
  );
  t.match(
    finding([tableView(known({ low: [0.5], high: [0.8] }))]),
    /^Of 2 claims, 2 have too few seeds to be judged; /,
  );
  const reversed = tableView(known({ low: [0.9, 0.9, 0.9], high: [0.81, 0.8, 0.82] }));
  t.match(
    finding([reversed]),
    /^Of 2 claims, 2 fail; of 3 published numbers, 1 is surpassed, 1 is not reproduced and /,
  );
  t.equal(finding([]), 'There is no claim and no published number to be judged.');
  t.end();
});

t.test('a page without numbers, and names that are no HTML', async (t) => {
  const page = await htmlText(buildView([known({ low: [] }, { seeds: [0], curves: new Map() })], []));
  t.match(page, /made \| for &lt;tests&gt;/);
  t.match(page, /3 were not attempted/);
  t.notMatch(page, /undefined|NaN|\[object/);
});

t.test('curves on a logarithmic scale, with values that have no logarithm', async (t) => {
  const view = tableView(known(values));
  const line = (label: string, ...bySeed: number[][]) => ({
    label,
    quantity: 'error',
    bySeed: bySeed.map((points, seed) => ({ seed, values: points })),
  });
  const lines = [line('falls', [1, 0.1, 1e-3], [2, 1e-4, 1e-5]), line('ends at 0', [1, 0.5, 0], [1, NaN, 0])];
  for (const scale of ['log', undefined] as const) {
    const curves = { axis: 'epoch', lines, ...(scale ? { scale } : {}) };
    const plots = await curvePlots({ ...view, curves });
    t.equal(plots.length, 1);
    t.notMatch(plots[0]!.svg, /NaN|Infinity|undefined/);
    t.equal(/0\.0001/.test(plots[0]!.svg), scale === 'log', 'ticks at powers of ten');
  }
});

t.test('pictures are scaled until they fit, and then left alone', async (t) => {
  const [width, height] = [620, 188];
  const noise = Uint8Array.from({ length: 3 * width * height }, (_, i) => Math.sin(i * 12.9898) * 43758.5453);
  const image = { caption: 'a', png: base64(await photograph(noise, [width, height])) };
  const small = { caption: 'b', png: base64(await photograph(noise.subarray(0, 3 * 64), [8, 8])) };
  const panels = [0, 1].map((i) => ({ label: `sample ${i}`, images: [image, image, small] }));
  const most = 200_000;
  const size = (list: typeof panels): number => list.flatMap(({ images }) => images).reduce((sum, { png }) => sum + png.length, 0); // prettier-ignore
  t.ok(size(panels) > most);
  const bounded = (await boundedPanels(panels, most)) as typeof panels;
  t.ok(size(bounded) <= most);
  t.same(bounded.map(({ images }) => images.length), [3, 3], 'none is missing'); // prettier-ignore
  const [w, h] = pngSize(bounded[0]!.images[0]!.png);
  t.ok(w < width && Math.abs(w / h - width / height) < 0.2, `${w} x ${h}`);
  t.equal(bounded[0]!.images[2]!.png, small.png, 'a small one is as it was');
  t.equal(await boundedPanels(bounded, most), bounded, 'again');
  const few = (await boundedPanels(panels, 8_000)) as typeof panels;
  t.ok(size(few) <= 8_000, 'the last ones are left out where nothing else helps');
});

t.test('curves lose digits, then seeds', (t) => {
  const bySeed = [0, 1, 2].map((seed) => ({
    seed,
    values: Array.from({ length: 100 }, (_, i) => Math.sqrt(i + seed)),
  }));
  const lines = [{ label: 'loss', bySeed }];
  t.equal(boundedCurves(lines)[0]!.bySeed[0]!.values[2], 1.41421);
  const short = boundedCurves(lines, 2_000);
  t.equal(short[0]!.bySeed[0]!.values[2], 1.414);
  t.equal(short[0]!.bySeed.length, 3);
  const shorter = boundedCurves(lines, 1_200);
  t.ok(JSON.stringify(shorter).length <= 1_200);
  t.same(shorter[0]!.bySeed.map(({ seed }) => seed), [0, 1]); // prettier-ignore
  t.end();
});

t.test('the colours of depth are magma', (t) => {
  const theirs = scheme('magma') as (share: number) => string;
  for (let i = 0; i <= 50; i++) {
    const text = theirs(i / 50);
    const rgb = text.startsWith('#')
      ? [1, 3, 5].map((at) => parseInt(text.slice(at, at + 2), 16))
      : text.match(/\d+/g)!.map(Number);
    const far = Math.max(...magma(i / 50).map((value, channel) => Math.abs(value - rgb[channel]!)));
    t.ok(far <= 2, `${i / 50}`);
  }
  t.end();
});

t.test('drawing is loaded when a report is written, not before', async (t) => {
  const hook = `export async function resolve(name, context, next) {
    if (/^vega|^sharp/.test(name)) throw new Error('loaded ' + name);
    return next(name, context);
  }`;
  const script = (text: string): string => `data:text/javascript,${encodeURIComponent(text)}`;
  const register = script(`import { register } from 'node:module'; register(${JSON.stringify(script(hook))});`);
  const root = repositoryRoot();
  const run = (...args: string[]) =>
    promisify(execFile)(process.execPath, ['--import', register, ...args], { cwd: root });
  const command = path.join(root, 'dist/experiments/cli/main.js');
  await run(path.join(root, 'dist/engine/index.js'));
  await run(path.join(root, 'dist/experiments/index.js'));
  t.match((await run(command, 'list')).stdout, /dmtl\/table3/);
  const results = 'experiments/papers/dmtl/results/laptop';
  t.match((await run(command, 'report', results, '--markdown')).stdout, /### dmtl/);
  await t.rejects(run(command, 'report', results, '--html'), /loaded vega/, 'the hook sees it');
});
