import t from 'tap';
import { createDevice, profiled, type ProfileRow, region, summarize, zeros } from '../../engine/index.ts';
import { profileText } from '../../experiments/cli/profile.ts';
import { profiledReproduction } from './profile.ts';

t.test('wasm', async (t) => {
  const { clock } = await profiledReproduction(t, 'wasm', t.testdir());
  t.equal(clock, 'host');
});

t.test('a device without a clock', async (t) => {
  const device = await createDevice('meta');
  const work = (): void => {
    const x = region('data', () => zeros([4, 4], { device }));
    x.add(x).sum().dispose();
    x.dispose();
  };
  const { profile } = await profiled(work, { device });
  const text = profileText({ name: 'a sum', jobs: 2, threads: 1, ...summarize(profile) }, 'trace.json', 120);
  t.match(text, /^Profile of a sum: means over 1 step\(s\), meta .*, 2 runs at a time, which slow one another\n/);
  t.match(text, /waiting for data .* \(1 times\); the device has no clock, launches are counted and not timed/);
  t.match(text, /\nlayer +launches\n\(outside of modules\) +\d\n/);
  t.notMatch(text, /share|GFLOP\/s|forward|submit/);
});

t.test('only the largest rows are shown, with their rates', async (t) => {
  const device = await createDevice('meta');
  const { profile } = await profiled(() => zeros([2], { device }).dispose(), { device });
  const row = (i: number): ProfileRow => ({
    name: `kernel${i}`,
    launches: 2.5,
    milliseconds: 20 - i,
    passes: { backward: 20 - i },
    flops: 4e9,
    bytes: 1e6 * (20 - i),
  });
  const rows = Array.from({ length: 12 }, (_, i) => row(i));
  const summary = { ...summarize(profile), clock: 'device', clockStep: 0.1, kernels: rows, layers: rows } as const;
  const step = {
    ...summary.step,
    milliseconds: 250,
    kernelMilliseconds: 200,
    dataMilliseconds: 20,
    submits: 2,
    launches: 30,
  };
  const text = profileText({ name: 'rows', jobs: 1, threads: 1, ...summary, step }, 'trace.json', 120);
  t.match(text, /step 250\.0 ms: kernels 200\.0 ms \(80 %\), waiting for data 20\.0 ms .*, the rest 30\.0 ms/);
  t.match(text, /30 launches, 2 submit\(s\)/);
  t.match(text, /kernel0 +20\.0 +10 % +200\.0 +1\.0 +2\.5\n/);
  t.match(text, /steps of 100\.0 us/);
  t.match(text, /kernel7/);
  t.notMatch(text, /kernel8|runs at a time/);
});
