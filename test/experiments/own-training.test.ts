// The example of docs/training.md as a user has it: killed at an instant and started again, it prints the same digits.
import { type ChildProcess, spawn } from 'node:child_process';
import { readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { repositoryRoot } from '../shared-data.ts';

const top = pathToFileURL(`${repositoryRoot()}/`);
const page = await readFile(new URL('docs/training.md', top), 'utf8');
const folder = t.testdir();
const program = path.join(folder, 'example.mjs');
const at = (file: string): string => JSON.stringify(new URL(file, top).href);

const start = (checkpoint: string): { child: ChildProcess; output: Promise<string> } => {
  const child = spawn(process.execPath, [program, path.join(folder, checkpoint)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  child.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
  return { child, output: new Promise((resolve) => child.on('close', () => resolve(said))) };
};

/** Resolves when the file has been written anew. */
async function rewritten(file: string, before: number): Promise<void> {
  const time = (): Promise<number> => stat(file).then(({ mtimeMs }) => mtimeMs, () => 0); // prettier-ignore
  while ((await time()) <= before) await new Promise((resolve) => setTimeout(resolve, 2));
}

t.test('the example', async (t) => {
  const example = /```ts\n([\s\S]*?)```/.exec(page)![1]!;
  t.ok(example.split('\n').length < 50, 'is short');
  await writeFile(
    program,
    example
      .replace("'wgrad/experiments'", at('dist/experiments/index.js'))
      .replace("'wgrad'", at('dist/engine/index.js'))
      .replace("createDevice('auto')", "createDevice('wasm', { threads: 1 })"),
  );
  const whole = await start('whole').output;
  t.match(whole, /^error \S+ after \d+ steps; losses( \d\S*){10}\n$/);
  const [error, ...losses] = whole.match(/\d\.\d+(e-\d+)?/g)!.map(Number);
  t.ok(error! < 0.01 && losses.at(-1)! < losses[0]! / 10, 'and learns');
  const file = path.join(folder, 'killed');
  let killed = 0;
  for (let i = 0; i < 3; i++) {
    const before = await stat(file).then(({ mtimeMs }) => mtimeMs, () => 0); // prettier-ignore
    const { child, output } = start('killed');
    await Promise.race([rewritten(file, before), output]);
    if (child.kill('SIGKILL')) killed++;
    await output;
  }
  t.ok(killed > 0, `killed ${killed} times`);
  t.equal(await start('killed').output, whole, 'the same digits');
  t.equal(await start('killed').output, whole, 'and once more from the last checkpoint');
});
