// The table of names beside PyTorch's: the tracked document is what the command prints, and every name that it gives is public.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import * as w from '../../engine/index.ts';
import { otherNames, ownNames, sameNames, torchTable } from '../../experiments/verification/operations/torch.ts';
import { repositoryRoot } from '../shared-data.ts';
import { run } from './command.ts';

t.test('the tracked document', async (t) => {
  const tracked = await readFile(path.join(repositoryRoot(), 'docs/torch.md'), 'utf8');
  t.equal(tracked, torchTable(), 'docs/torch.md is what `wgrad ops --torch` prints');
  const printed = await run(['ops', '--torch'], t.testdir());
  t.equal(printed.stdout, tracked);
  t.not((await run(['ops', 'conv2d', '--torch'], t.testdir())).status, 0);
});

t.test('every name is public', (t) => {
  const at = (name: string): unknown =>
    name.split('.').reduce<unknown>((object, part) => (object as Record<string, unknown>)[part], w);
  for (const { torch, here } of [...sameNames(), ...otherNames()]) {
    t.equal(typeof at(here), 'function', `${here} for ${torch}`);
  }
  t.ok(ownNames().includes('silog'), 'operations of its own');
  t.notOk(ownNames().includes('conv2d'));
  t.end();
});
