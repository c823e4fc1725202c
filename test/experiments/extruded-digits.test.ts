// Upsampling against hand values, noise against its moments, and generated digits against themselves.
import t from 'tap';
import {
  addNoise,
  binarize,
  type Cohort,
  equalDifficulty,
  ExtrudedDigits,
  extrusionDepth,
  generatedDigits,
  resizeBilinear,
  standardize,
} from '../../experiments/index.ts';

const moments = (values: Float32Array): { mean: number; variance: number } => {
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length;
  return { mean, variance: values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length };
};

t.test('bilinear resampling has half-pixel centres and repeated edges', (t) => {
  const row = [0, 0.25, 0.75, 1];
  t.same([...resizeBilinear(Float32Array.of(0, 1, 0, 1), 2, 4)], [...row, ...row, ...row, ...row]);
  t.same([...resizeBilinear(Float32Array.of(0, 0, 8, 8), 2, 4)], [0, 0, 0, 0, 2, 2, 2, 2, 6, 6, 6, 6, 8, 8, 8, 8]);
  t.same([...resizeBilinear(Float32Array.of(1, 2, 3, 4), 2, 2)], [1, 2, 3, 4]);
  t.same([...resizeBilinear(Float32Array.of(5), 1, 3)], new Array(9).fill(5));
  // 3 to 2: centres at 0.25 and 1.75.
  t.same([...resizeBilinear(Float32Array.of(0, 4, 8, 0, 4, 8, 0, 4, 8), 3, 2)], [1, 7, 1, 7]);
  t.end();
});

t.test('the threshold is strict, depth grows with the digit', (t) => {
  t.same([...binarize(Float32Array.of(0, 0.5, 0.50001, 1))], [0, 0, 1, 1]);
  t.equal(extrusionDepth(0, 'offset'), 0.1);
  t.equal(extrusionDepth(9, 'offset'), 1);
  t.equal(extrusionDepth(0, 'literal'), 0);
  t.equal(extrusionDepth(9, 'literal'), 1);
  t.end();
});

t.test('noise has the moments of its model', (t) => {
  const size = 128;
  const mask = new Float32Array(size * size);
  mask.fill(1, 0, mask.length / 4);
  const name = { seed: 3, cohort: 'train' as Cohort, index: 5 };
  for (const k of [3.625, 29]) {
    const noisy = addNoise(mask, { kind: 'mixUniform', where: 'after', k, size }, name);
    const ink = moments(noisy.subarray(0, mask.length / 4));
    const paper = moments(noisy.subarray(mask.length / 4));
    t.ok(Math.abs(paper.mean - k / 2 / (1 + k)) < 0.01, `mean of the background, k = ${k}`);
    t.ok(Math.abs(ink.mean - paper.mean - 1 / (1 + k)) < 0.02, 'contrast');
    t.ok(Math.abs(paper.variance / ((k / (1 + k)) ** 2 / 12) - 1) < 0.05, 'variance');
  }
  const power = addNoise(mask, { kind: 'power', where: 'after', k: 2, size }, name);
  const { mean, variance } = moments(power.subarray(mask.length / 4));
  t.ok(Math.abs(mean) < 0.03);
  t.ok(Math.abs(variance / (2 * 0.25) - 1) < 0.05, 'variance is k times the mean square');
  const before = addNoise(mask, { kind: 'mixUniform', where: 'before', k: 5, size }, name);
  const step = before.subarray(mask.length / 2).map((x, i, all) => x - (all[i + 1] ?? x));
  t.ok(moments(step).variance < (0.2 * (5 / 6) ** 2) / 12, 'noise drawn before upsampling is smooth');
  t.same(addNoise(mask, { kind: 'mixUniform', where: 'after', k: 0, size }, name), mask);
  t.end();
});

t.test('smaller images get less noise for the same difficulty', (t) => {
  const mix = { kind: 'mixUniform', where: 'after', k: 29 } as const;
  t.equal(equalDifficulty(mix, 32), 3.625);
  t.equal(equalDifficulty({ ...mix, k: 5 }, 64), 1.25);
  t.equal(equalDifficulty(mix, 256), 29);
  t.equal(equalDifficulty({ ...mix, where: 'before' }, 32), 29);
  t.equal(equalDifficulty({ ...mix, kind: 'power' }, 128), 29 / 4, 'power goes with the square');
  t.end();
});

t.test('images are standardised', (t) => {
  const { mean, variance } = moments(standardize(Float32Array.from({ length: 100 }, (_, i) => (i * i) % 17)));
  t.ok(Math.abs(mean) < 1e-6 && Math.abs(variance - 1) < 1e-5);
  t.same([...standardize(Float32Array.of(2, 2, 2))], [0, 0, 0], 'a constant image has no scale');
  t.end();
});

t.test('generated digits depend on seed, cohort and index alone', (t) => {
  const source = generatedDigits(1);
  const first = source.pixels('train', 12);
  t.same(source.pixels('train', 12), first);
  t.same(generatedDigits(1).pixels('train', 12), first);
  t.notSame(source.pixels('test', 12), first);
  t.notSame(generatedDigits(2).pixels('train', 12), first);
  const counts = new Array<number>(10).fill(0);
  for (let i = 0; i < 500; i++) {
    counts[source.label('train', i)]!++;
    const ink = source.pixels('train', i).reduce((sum, x) => sum + x, 0);
    if (!(ink > 15 && ink < 400)) t.fail(`image ${i} has ${ink} pixels of ink`);
  }
  t.ok(Math.min(...counts) > 25 && Math.max(...counts) < 80, `labels are uniform: ${counts.join(' ')}`);
  t.end();
});

t.test('readings of the samples: grey, not standardised, partly noisy, fresh noise', (t) => {
  const base = { size: 32, noise: { kind: 'mixUniform', where: 'after', k: 29 }, depthMode: 'offset' } as const;
  const images = (cohort: Cohort, more: object): ExtrudedDigits =>
    new ExtrudedDigits(generatedDigits(), cohort, 40, { ...base, ...more }, 4);
  const quiet = { noise: { ...base.noise, k: 0 }, standardized: false };
  t.same([...new Set(images('train', quiet).input(3))].sort(), [0, 1], 'the mask itself');
  t.ok(new Set(images('train', { ...quiet, grey: true }).input(3)).size > 10);
  t.same(images('train', { ...quiet, grey: true }).depth(3), images('train', quiet).depth(3), 'the same depth map');

  const plain = images('train', { standardized: false });
  const half = images('train', { standardized: false, noisyShare: 0.5 });
  const isClean = (i: number): boolean => new Set(half.input(i)).size === 2;
  const clean = Array.from({ length: 40 }, (_, i) => i).filter(isClean);
  t.ok(clean.length > 8 && clean.length < 32, `${clean.length} of 40 are clean`);
  const noisy = Array.from({ length: 40 }, (_, i) => i).find((i) => !isClean(i))!;
  t.same(half.input(noisy), plain.input(noisy), 'the others have the noise that they would have');
  t.notOk(
    new Set(images('test', { standardized: false, noisyShare: 0.5 }).input(clean[0]!)).size === 2,
    'in training alone',
  );

  const fresh = images('train', { freshNoise: true });
  t.same(fresh.batch([5], 0).input, images('train', {}).batch([5], 0).input);
  t.notSame(fresh.batch([5], 1).input, fresh.batch([5], 0).input);
  t.same(fresh.batch([5], 1).input, images('train', { freshNoise: true }).batch([5], 1).input, 'of a resumed run too');
  t.same(images('test', { freshNoise: true }).input(5, 1), images('test', {}).input(5));
  t.same(images('train', {}).input(5, 1), images('train', {}).input(5));
  t.end();
});

t.test('a cohort gives the same noisy images in every epoch', (t) => {
  const options = { size: 32, noise: { kind: 'mixUniform', where: 'after', k: 29 }, depthMode: 'offset' } as const;
  const cohort = (seed: number): ExtrudedDigits => new ExtrudedDigits(generatedDigits(), 'train', 20, options, seed);
  const images = cohort(4);
  const { input, depth, label } = images.batch([7, 2]);
  t.same(input.subarray(0, 1024), cohort(4).input(7));
  t.notSame(cohort(5).input(7), images.input(7), 'noise depends on the seed');
  t.same([...label], [images.labels[7], images.labels[2]]);
  const inside = [...depth.subarray(1024)].filter((value) => value > 0);
  t.ok(inside.length > 10);
  t.ok(inside.every((value) => value === Math.fround((images.labels[2]! + 1) / 10)));
  t.equal(
    images.classCounts(10).reduce((a, b) => a + b),
    20,
  );
  t.end();
});
