// Philox against the published vectors, the distributions against their moments, and the bits against change: numbers
// that a stored run has drawn must be drawn again by every later version.
import t from 'tap';
import { ConfigError } from '../../engine/errors.ts';
import { philox4x32, random } from '../../engine/random.ts';

const hex = (words: Iterable<number>) => [...words].map((word) => word.toString(16).padStart(8, '0')).join(' ');

t.test('philox4x32-10 gives the known answers of the Random123 distribution', (t) => {
  t.equal(hex(philox4x32([0, 0, 0, 0], [0, 0])), '6627e8d5 e169c58d bc57ac4c 9b00dbd8');
  const ones = 0xffffffff;
  t.equal(hex(philox4x32([ones, ones, ones, ones], [ones, ones])), '408f276d 41c83b0e a20bc7c6 6d5451fd');
  const pi = [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344] as const;
  t.equal(hex(philox4x32(pi, [0xa4093822, 0x299f31d0])), 'd16cfe09 94fdcceb 5001e420 24126ea1');
  t.end();
});

t.test('streams are fixed', (t) => {
  const stream = random(7, 'test.stream', 3);
  t.equal(
    hex([stream.word(), stream.word(), stream.word(), stream.word(), stream.word()]),
    '7c7e89d2 6205bf4a 6598eb7b 5b8b42e9 3bf29af2',
  );
  t.same(
    [...random(7, 'test.stream', 3).normalArray(4)],
    [-0.05957954376935959, 1.1992853879928589, 0.14839133620262146, 1.3514066934585571],
  );
  t.end();
});

t.test('seed, purpose and step each name another stream', (t) => {
  const names: [number, string, number][] = [
    [1, 'dropout', 0],
    [2, 'dropout', 0],
    [1 + 2 ** 32, 'dropout', 0],
    [1, 'dropout', 1],
    [1, 'dropouts', 0],
    [1, 'a purpose of more than sixteen bytes', 0],
    [1, 'a purpose of more than sixteen bites', 0],
    [1, '', 0],
    [1, '\0', 0],
  ];
  const first = names.map((name) => hex(random(...name).uniformArray(1)));
  t.equal(new Set(first).size, names.length);
  t.throws(() => random(-1, 'x'), ConfigError);
  t.throws(() => random(0.5, 'x'), ConfigError);
  t.throws(() => random(1, 'x', 2 ** 32), ConfigError);
  t.end();
});

t.test('a stream can be entered anywhere', (t) => {
  const whole = random(1, 'skip').uniformArray(23);
  for (const start of [0, 1, 4, 7, 22]) t.equal(random(1, 'skip').skip(start).uniform(), whole[start]);
  const stream = random(1, 'skip');
  stream.uniformArray(9);
  t.equal(stream.position, 9);
  t.equal(stream.skip(-4).uniform(), whole[5]);
  t.equal(random(1, 'skip').normal(), random(1, 'skip').normalArray(1)[0]);
  t.end();
});

/** Mean of f over the values. */
const mean = (values: Float32Array, f: (x: number) => number) =>
  values.reduce((sum, x) => sum + f(x), 0) / values.length;

t.test('uniform numbers', (t) => {
  const n = 200_000;
  const values = random(5, 'uniform').uniformArray(n);
  t.ok(
    values.every((x) => x >= 0 && x < 1 && Math.fround(x) === x),
    'in [0, 1)',
  );
  // Four standard deviations of each estimate.
  t.ok(Math.abs(mean(values, (x) => x) - 1 / 2) < 4 / Math.sqrt(12 * n), 'mean');
  t.ok(Math.abs(mean(values, (x) => x * x) - 1 / 3) < (4 * Math.sqrt(4 / 45)) / Math.sqrt(n), 'second moment');
  t.end();
});

t.test('normal numbers', (t) => {
  const n = 400_000;
  const values = random(6, 'normal').normalArray(n);
  const moments: [number, number, number][] = [
    [1, 0, 1],
    [2, 1, 2],
    [3, 0, 15],
    [4, 3, 96],
  ];
  for (const [power, expected, variance] of moments) {
    const estimate = mean(values, (x) => x ** power);
    t.ok(Math.abs(estimate - expected) < 4 * Math.sqrt(variance / n), `moment ${power}: ${estimate}`);
  }
  // Shares outside 1, 2 and 3 standard deviations.
  for (const [limit, share] of [
    [1, 0.3173105],
    [2, 0.0455003],
    [3, 0.0026998],
  ]) {
    const estimate = mean(values, (x) => Number(Math.abs(x) > limit));
    t.ok(Math.abs(estimate - share) < 4 * Math.sqrt(share / n), `outside ${limit}: ${estimate}`);
  }
  const neighbours = mean(
    values.map((x, i) => x * values[i ^ 1]),
    (x) => x,
  );
  t.ok(Math.abs(neighbours) < 8 / Math.sqrt(n), 'the two of a pair are uncorrelated');
  t.end();
});

t.test('normal numbers follow the formula of Box and Muller', (t) => {
  const words = random(8, 'formula');
  const values = random(8, 'formula').normalArray(2000);
  let worst = 0;
  for (let i = 0; i < values.length; i += 2) {
    const radius = Math.sqrt(-2 * Math.log((words.word() + 1) / 2 ** 32));
    // The angle is offset by an eighth of a turn.
    const angle = 2 * Math.PI * (words.word() / 2 ** 32) - Math.PI / 4;
    worst = Math.max(
      worst,
      Math.abs(values[i] - radius * Math.cos(angle)),
      Math.abs(values[i + 1] - radius * Math.sin(angle)),
    );
  }
  t.ok(worst < 3e-7, `within float32 rounding: ${worst}`);
  t.end();
});

t.test('integers are unbiased', (t) => {
  const stream = random(9, 'integer');
  const counts = new Array<number>(6).fill(0);
  const n = 60_000;
  for (let i = 0; i < n; i++) counts[stream.integer(6)]++;
  const chiSquared = counts.reduce((sum, count) => sum + (count - n / 6) ** 2 / (n / 6), 0);
  t.ok(chiSquared < 20.5, `chi squared with 5 degrees of freedom: ${chiSquared}`);
  // With 3 x 2^30 choices a plain remainder would fall into the first third half of the time.
  const large = 3 * 2 ** 30;
  let low = 0;
  for (let i = 0; i < 3000; i++) low += Number(stream.integer(large) < 2 ** 30);
  t.ok(Math.abs(low - 1000) < 110, `${low} of 3000 in the first third`);
  t.equal(stream.integer(1), 0);
  t.throws(() => stream.integer(0), ConfigError);
  t.end();
});

t.test('permutations', (t) => {
  const order = random(10, 'permutation').permutation(1000);
  t.same(
    [...order].sort((a, b) => a - b),
    [...order.keys()],
    'every number once',
  );
  t.not(order.join(), [...order.keys()].join(), 'in another order');
  t.same([...random(10, 'permutation').permutation(0)], []);
  const seen = new Set(Array.from({ length: 200 }, (_, step) => random(10, 'small', step).permutation(3).join('')));
  t.equal(seen.size, 6, 'all orders of three occur');
  t.end();
});
