// The README's training example runs as it stands and learns.
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { transform } from 'esbuild';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { repositoryRoot } from './shared-data.ts';

t.test('the training example', async (t) => {
  const top = pathToFileURL(`${repositoryRoot()}/`);
  const readme = await readFile(new URL('README.md', top), 'utf8');
  const example = /```ts\n([\s\S]*?)```/.exec(readme)?.[1];
  t.ok(example, 'the README has an example');
  const engine = new URL('dist/engine/index.js', top).href;
  const { code } = await transform(example!.replace("'wgrad'", JSON.stringify(engine)), {
    loader: 'ts',
    target: 'node20',
  });
  const folder = await mkdtemp(join(tmpdir(), 'wgrad-readme-'));
  await writeFile(join(folder, 'example.mjs'), code);
  const { stdout } = await promisify(execFile)(process.execPath, [join(folder, 'example.mjs')], { timeout: 60_000 });
  await rm(folder, { recursive: true });
  const lines = stdout.trim().split('\n');
  t.equal(lines.length, 4);
  t.ok(Number(lines[3]!.split(' ')[1]) < 0.05, `the last loss is small: ${lines[3]}`);
});
