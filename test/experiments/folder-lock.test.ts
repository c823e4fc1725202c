// Two commands in one folder of runs: the second one is refused while the first is at work, and a lock left by a killed one is none.
import { spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import t from 'tap';
import { ConfigError } from '../../engine/index.ts';
import { lockFolder } from '../../experiments/runner/folder-lock.ts';
import { filesBelow, run, smokeOf, start } from './command.ts';

const lockIn = (folder: string): string => path.join(folder, 'lock.json');

/** The number of a process that has ended. */
const goneProcess = (): number => spawnSync(process.execPath, ['-e', '']).pid;

t.test('a folder is locked once', async (t) => {
  const folder = t.testdir();
  const unlock = await lockFolder(folder);
  t.same(JSON.parse(await readFile(lockIn(folder), 'utf8')), { pid: process.pid, host: os.hostname() });
  const refused = await t.rejects(lockFolder(folder), ConfigError);
  t.match((refused as unknown as Error).message, `process ${process.pid} on ${os.hostname()}`);
  await unlock();
  t.same(await filesBelow(folder), []);
  await (
    await lockFolder(folder)
  )();
});

t.test('what is taken over, and what is not', async (t) => {
  const folder = t.testdir();
  const left: readonly (readonly [string, string, boolean])[] = [
    ['a process that is gone', JSON.stringify({ pid: goneProcess(), host: os.hostname() }), true],
    [
      'its own number, from before the machine went down',
      JSON.stringify({ pid: process.pid, host: os.hostname() }),
      true,
    ],
    ['nothing written', '', true],
    ['cut off', '{"pid":12', true],
    ['a living process', JSON.stringify({ pid: process.ppid, host: os.hostname() }), false],
    ['another machine', JSON.stringify({ pid: 1, host: `not-${os.hostname()}` }), false],
  ];
  for (const [what, content, isTaken] of left) {
    await writeFile(lockIn(folder), content);
    if (isTaken) {
      await (
        await lockFolder(folder)
      )();
      t.same(await filesBelow(folder), [], what);
    } else {
      await t.rejects(lockFolder(folder), ConfigError, what);
      t.equal(await readFile(lockIn(folder), 'utf8'), content, what);
    }
  }
});

t.test('through the command line', async (t) => {
  const folder = t.testdir();
  const args = [...smokeOf('dmtl/table3', '--seeds', '20'), '--out', 'runs'];
  const first = start(args, folder);
  await first.says('run 1/100');
  const second = await run(args, folder);
  t.equal(second.status, 2);
  t.match(
    second.stderr.trim(),
    new RegExp(`^wgrad: another command is at work in .*process ${first.child.pid} on .*--out.*lock\\.json$`),
  );
  const dry = await run([...args, '--dry-run'], folder);
  t.equal(dry.status, 0, 'a dry run writes nothing');
  first.child.kill('SIGKILL');
  await first.ended;
  const again = start(args, folder);
  await again.says('are on disk already');
  again.child.kill('SIGINT');
  t.equal((await again.ended).status, 130);
  t.notMatch((await filesBelow(path.join(folder, 'runs'))).join(' '), 'lock');
});
