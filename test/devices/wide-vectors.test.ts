// Vectors of 256 bits on the wasm device: asked of V8 where it has them (Node 24 and later, x64), with the same bits. In a file of
// its own, since they are asked for a whole process.
import t from 'tap';
import { createDevice } from '../../engine/index.ts';
import { trainUNet } from './checks.ts';

const isThere = process.arch === 'x64' && Number.parseInt(process.versions.v8) >= 13;

t.test('the same bits with and without', async (t) => {
  const trained = [];
  for (const wide of [false, true]) {
    const device = await createDevice('wasm', { threads: 1, wide });
    t.equal(device.facts.wide, wide && isThere ? true : undefined, `asked for: ${wide}`);
    trained.push(Buffer.from(await trainUNet(device)));
    device.dispose();
  }
  t.ok(trained[0]!.equals(trained[1]!));
});
