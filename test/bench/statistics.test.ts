// Medians, spreads and ratios of rounds.
import t from 'tap';
import { median, ratio, timing } from '../../bench/measure/statistics.ts';

t.test('the median is the middle value, or the mean of the two middle ones', async (t) => {
  t.equal(median([3]), 3);
  t.equal(median([9, 1, 5]), 5);
  t.equal(median([4, 1, 3, 2]), 2.5);
  t.ok(Number.isNaN(median([])));
});

t.test('a timing takes the repetitions of all rounds together', async (t) => {
  t.same(timing([[2, 4], [1]], 6e9), { median: 2, min: 1, max: 4, repetitions: 3, gflops: 3 });
});

t.test('a ratio compares within rounds, so that a slow round does not count', async (t) => {
  const ours = [[1], [1], [10]];
  const other = [[2], [3], [20]];
  t.same(ratio(ours, other), { median: 2, min: 2, max: 3 });
});

t.test('a peer that sat out the last rounds is compared on the first', async (t) => {
  t.same(ratio([[1], [2], [4]], [[6]]), { median: 6, min: 6, max: 6 });
});
