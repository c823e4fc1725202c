// `wgrad/browser/weights` in a page: a file of PyTorch from bytes and from a Blob, and errors of the engine's own classes.
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import type * as Wgrad from '../../engine/index.ts';
import type * as Weights from '../../engine/io/weights/index.ts';
import { malicious, zip, zipEntriesOf } from '../experiments/weights/made-files.ts';
import { withoutBrowser, withPage, writeFixtures } from './chromium.ts';

/** Loads the two files in the page. */
async function load([engine, weights]: [string, string]) {
  const { createDevice, DataError, nn, setDefaultDevice } = (await import(engine)) as typeof Wgrad;
  const { loadWeights } = (await import(weights)) as typeof Weights;
  setDefaultDevice(await createDevice('reference'));
  const bytesOf = async (name: string): Promise<ArrayBuffer> => (await fetch(`fixtures/${name}`)).arrayBuffer();
  const layer = new nn.Linear(2, 2);
  const fromBytes = await loadWeights(layer, await bytesOf('net.json'), { name: 'net.pth' });
  const values = [...(await layer.weight.array())];
  const fromBlob = await loadWeights(new nn.Linear(2, 2), new Blob([await bytesOf('net.json')]));
  const error = await loadWeights(layer, await bytesOf('evil.json'), { name: 'evil.pth' }).catch(
    (reason: unknown) => reason,
  );
  return { values, fromBytes, fromBlob, isDataError: error instanceof DataError, message: String(error) };
}

t.setTimeout(240_000);
t.test('weights in a page', { skip: withoutBrowser }, async (t) => {
  const folder = t.testdir();
  await writeFixtures(folder);
  const state = new Map([
    ['weight', { shape: [2, 2], values: Float32Array.of(1, 2, 3, 4) }],
    ['bias', { shape: [2], values: Float32Array.of(5, 6) }],
  ]);
  // Under a name that the server has a type for.
  await writeFile(path.join(folder, 'net.json'), zip(zipEntriesOf(state)));
  await writeFile(path.join(folder, 'evil.json'), malicious);
  const found = await withPage(folder, {}, (page) =>
    page.evaluate(load, ['./wgrad.js', './weights.js'] as [string, string]),
  );
  t.same(found.values, [1, 2, 3, 4]);
  t.match(found.fromBytes, {
    format: 'PyTorch, zip',
    sha256: /^[0-9a-f]{64}$/,
    loaded: ['weight', 'bias'],
    missing: [],
  });
  t.same(found.fromBlob.sha256, found.fromBytes.sha256);
  t.ok(found.isDataError, found.message);
  t.match(found.message, /evil\.pth, byte 2: the opcode GLOBAL \(0x63\) of the pickle names os\.system/);
});
