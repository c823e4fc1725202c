// Generated road scenes: the same bits for the same index, and the statistics of the specification's generator.
import t from 'tap';
import { silogOf } from '../../../experiments/metrics/silog.ts';
import { LogDepth } from '../../../experiments/papers/multidepth/log-depth.ts';
import { roadScene, type RoadScene } from '../../../experiments/data/synthetic/road-scenes.ts';

const COUNT = 60;
const scenes = Array.from({ length: COUNT }, (_, index) => roadScene('train', index));
const metres = ({ depth }: RoadScene): Float64Array => Float64Array.from(depth.data, (value) => value / 256);

t.test('a scene is a function of its cohort and index', (t) => {
  const again = roadScene('train', 3);
  t.ok(Buffer.from(again.color.data).equals(scenes[3]!.color.data));
  t.ok(Buffer.from(again.depth.data.buffer).equals(Buffer.from(scenes[3]!.depth.data.buffer)));
  t.notOk(Buffer.from(roadScene('validation', 3).color.data).equals(scenes[3]!.color.data));
  t.same([again.color.width, again.color.height, again.color.data.length], [320, 96, 320 * 96 * 3]);
  t.end();
});

t.test('statistics', (t) => {
  const fractions = scenes.map(({ depth }) => depth.data.filter((value) => value > 0).length / depth.data.length);
  const mean = fractions.reduce((a, b) => a + b) / COUNT;
  t.ok(mean > 0.095 && mean < 0.13, `valid fraction ${mean}`);
  t.ok(Math.max(...fractions) < 0.18);
  const depths = scenes.flatMap((scene) => [...metres(scene)].filter((d) => d > 0)).sort((a, b) => a - b);
  const percentile = (p: number): number => depths[Math.floor((p / 100) * (depths.length - 1))]!;
  const expected = [[1, 3.2], [25, 6.2], [50, 8.5], [75, 14.3], [95, 35], [99, 64]] as const; // prettier-ignore
  for (const [p, value] of expected) {
    t.ok(Math.abs(Math.log(percentile(p) / value)) < 0.25, `percentile ${p}: ${percentile(p)} is about ${value}`);
  }
  t.ok(depths[0]! >= 2 && depths.at(-1)! <= 120);
  t.notOk(
    scenes.some(({ depth }) => depth.data.subarray(0, 20 * 320).some((value) => value > 0)),
    'nothing in the sky',
  );
  t.end();
});

t.test('reference predictors and the floor of a classifier', (t) => {
  const space = new LogDepth({ bounds: [2, 125] });
  const average = (predict: (truth: Float64Array) => Float64Array): number =>
    scenes.reduce((sum, scene) => {
      const truth = metres(scene);
      return sum + silogOf({ predicted: predict(truth), truth });
    }, 0) / COUNT;
  const constant = average((truth) => truth.map(() => 10));
  t.ok(constant > 50 && constant < 70, `constant: ${constant}, about 61`);
  const floored = average((truth) => truth.map(Math.floor));
  t.ok(floored > 4 && floored < 7, `whole metres: ${floored}, about 5.2`);
  const expected = [[2, 60], [4, 28.1], [8, 15.1], [16, 7.7], [32, 3.8], [64, 1.9]] as const; // prettier-ignore
  for (const [classes, value] of expected) {
    const floor = average((truth) => space.quantized(truth, classes).map((d) => d || 1));
    t.ok(Math.abs(Math.log(floor / value)) < 0.15, `${classes} classes: ${floor}, about ${value}`);
  }
  t.end();
});
