// A command that is stopped while it looks for a device ends at once with the signal's status, even where a driver hangs, and leaves
// no process behind.
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { type Running, start } from './command.ts';

const folder = t.testdir();

/** Preloaded into every process of a command: the one that looks for a device writes its number down and hangs, as in a driver. */
const hanging = path.join(folder, 'hang.mjs');
await writeFile(
  hanging,
  `import { writeFileSync } from 'node:fs';
if (process.send) {
  writeFileSync(process.env.PID_FILE, String(process.pid));
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60_000);
}`,
);

/** A command whose search for a device hangs, and the process that hangs. */
async function startHanging(name: string, words: readonly string[]): Promise<Running & { searching: number }> {
  const file = path.join(folder, `${name} pid`);
  const env = { ...process.env, NODE_OPTIONS: `--import=${pathToFileURL(hanging).href}`, PID_FILE: file };
  const running = start([...words, '--out', path.join(folder, name)], folder, env);
  let text = '';
  while (text === '' && running.child.exitCode === null) {
    await sleep(5);
    if (existsSync(file)) text = await readFile(file, 'utf8');
  }
  return { ...running, searching: Number(text) };
}

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

const command = ['reproduce', 'imbalanced-mtl/table2', '--preset', 'smoke', '--seeds', '1'];

for (const [name, words, signal, status] of [
  ['run', ['--device', 'auto'], 'SIGINT', 130],
  ['webgpu', ['--device', 'webgpu'], 'SIGTERM', 143],
  ['listed', ['--device', 'auto', '--dry-run'], 'SIGINT', 130],
  ['json', ['--device', 'auto', '--json'], 'SIGHUP', 129],
] as const) {
  t.test(`${name}: ${signal}`, async (t) => {
    const { child, ended, searching } = await startHanging(name, [...command, ...words]);
    t.ok(isAlive(searching), 'a process searches');
    child.kill(signal);
    const end = await ended;
    t.equal(end.status, status, end.stderr);
    t.notMatch(end.stdout + end.stderr, /Error|\n\s+at /, 'nothing went wrong');
    if (name === 'run') t.match(end.stderr, /^Stopped\. What is finished is in .*; to go on: wgrad reproduce /);
    // An ended process is gone when its parent has taken note of it.
    for (let i = 0; isAlive(searching) && i < 100; i++) await sleep(20);
    t.notOk(isAlive(searching), 'it has ended too');
    t.notOk(existsSync(path.join(folder, name, 'results.json')));
  });
}
