// Figure 3: statistics of depth maps, by hand, of generated scenes and of real frames.
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { encodeDepthPng } from '../../../experiments/data/formats/png.ts';
import { listDrives } from '../../../experiments/data/sets/kitti-depth.ts';
import { cohortsOf } from '../../../experiments/papers/multidepth/paper.ts';
import { depthStatistics, figure3 } from '../../../experiments/papers/multidepth/statistics.ts';
import { cellsOf } from '../../../experiments/runner/runs.ts';
import { sharedData } from '../../shared-data.ts';

const folder = t.testdir();

/** A depth map of 2 x 5 pixels from metres, as a frame's. */
async function frame(name: string, metres: readonly number[]): Promise<{ depth: string }> {
  const depth = path.join(folder, name);
  const data = Uint16Array.from(metres, (each) => 256 * each);
  await writeFile(depth, await encodeDepthPng({ width: 2, height: 5, data }));
  return { depth };
}

t.test('two maps by hand', async (t) => {
  const frames = [
    await frame('a.png', [3, 0, 0, 0, 0, 0, 0, 0, 10, 10]),
    await frame('b.png', [0, 0, 0, 0, 0, 0, 0, 0, 0, 50.5]),
  ];
  const { metrics, curves } = await depthStatistics(frames);
  const expected = { frames: 2, measured: 0.2, leastMeasured: 0.1, upper: 0.25, nearest: 3, farthest: 50.5 };
  for (const [name, value] of Object.entries(expected)) t.ok(Math.abs(metrics[name]! - value) < 1e-12, name);
  t.equal(metrics['percentile 1'], 3);
  t.equal(metrics['percentile 50'], 10);
  t.equal(metrics['percentile 99'], 10, 'of four pixels the third');
  const { metres, classes, logDepth } = curves!;
  t.same([metres![3], metres![10], metres![50], metres!.length], [0.25, 0.5, 0.25, 125]);
  // The specification: 3 m is in class 4 of 32, 10 m in 14, 50 m in 25.
  t.same([classes![4], classes![14], classes![25]], [0.25, 0.5, 0.25]);
  t.ok(Math.abs(logDepth!.reduce((a, b) => a + b) - 1) < 1e-12);
  await t.rejects(depthStatistics([{ depth: path.join(folder, 'none.png') }]));
});

t.test('generated scenes are as sparse as the paper says', async (t) => {
  const { train } = await cohortsOf('smoke', undefined, { trainCount: 40, validationCount: 2 });
  let told = 0;
  const { metrics } = await depthStatistics(train.pairs, (done) => {
    told = done;
    return Promise.resolve();
  });
  t.equal(told, 40);
  t.ok(metrics.measured! > 0.09 && metrics.measured! < 0.14, `measured: ${metrics.measured}`);
  t.ok(metrics.leastMeasured! < 0.06, `least: ${metrics.leastMeasured}`);
  t.equal(metrics.upper, 0, 'nothing in the sky');
  t.ok(metrics.nearest! >= 2 && metrics.farthest! <= 120);
  for (const { cell } of cellsOf(figure3)) t.type(metrics[cell.metric!], 'number', String(cell.metric));
});

const real = sharedData('data/kitti');
t.test('real frames', { skip: real ? false : 'no ../shared/data' }, async (t) => {
  const { pairs } = await listDrives(real!, 'train');
  const { metrics } = await depthStatistics(pairs);
  // The note beside the samples: 18 to 21 % of the pixels are measured.
  t.ok(metrics.leastMeasured! > 0.175 && metrics.measured! < 0.215, `measured: ${metrics.measured}`);
  t.ok(metrics.upper! < 0.01, `upper fifth: ${metrics.upper}`);
  t.ok(metrics.nearest! > 2 && metrics.farthest! < 116, 'just above 2 m, just below 116 m');
});
