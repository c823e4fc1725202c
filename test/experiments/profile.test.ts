import t from 'tap';
import { profiledReproduction } from './profile.ts';

t.test('wasm', async (t) => {
  const { clock } = await profiledReproduction(t, 'wasm', t.testdir());
  t.equal(clock, 'host');
});
