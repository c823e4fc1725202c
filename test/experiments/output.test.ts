// Output that cannot be written, for every command of the command line: a full disk is said and ends with another status than 0, a
// reader that goes away loses nothing else, a closed output harms nothing. And files that cannot be written.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { createDevice, saveCheckpoint, setDefaultDevice } from '../../engine/index.ts';
import { buildProgram } from '../../experiments/cli/program.ts';
import { commandGiven, shellWords } from '../../experiments/cli/shell.ts';
import { encodeColorPng } from '../../experiments/data/formats/png.ts';
import { makeBackbone, MultiDepth } from '../../models/index.ts';
import { repositoryRoot } from '../shared-data.ts';
import { filesBelow, program, run, runResults } from './command.ts';
import { writeRecord } from './watched-folder.ts';

const folder = t.testdir();

const device = await createDevice('wasm', { threads: 1 });
setDefaultDevice(device);
const network = new MultiDepth({
  baseWidth: 2,
  blocks: [1, 1, 1, 1],
  classes: 5,
  regression: true,
  scales: 'one',
});
await saveCheckpoint(path.join(folder, 'network.safetensors'), network);
await saveCheckpoint(path.join(folder, 'backbone.safetensors'), makeBackbone('mini-resnet'));
device.dispose();
const picture = { width: 48, height: 48, data: new Uint8Array(3 * 48 * 48).fill(100) };
await writeFile(path.join(folder, 'picture.png'), await encodeColorPng(picture));

await mkdir(path.join(folder, 'golden'));
const manifest = { format: 'golden-fixtures/1', families: {}, cases: [] };
await writeFile(path.join(folder, 'golden', 'manifest.json'), JSON.stringify(manifest));

await writeRecord(path.join(folder, 'watched'), 0);

const smoke = ['imbalanced-mtl/table2', '--preset', 'smoke', '--seeds', '1', '--device', 'wasm'];
const tracked = path.join(repositoryRoot(), 'experiments/papers/imbalanced-mtl/results/paper');
/** A command of each kind. `files` are what it leaves behind whoever reads its output. */
const commands: Record<string, { args: string[]; files?: string[] }> = {
  'help': { args: ['--help'] },
  'version': { args: ['--version'] },
  'list': { args: ['list'] },
  'list --coverage': { args: ['list', '--coverage'] },
  'doctor': { args: ['doctor', '--json'] },
  'ops': { args: ['ops'] },
  'data show': { args: ['data', 'show', 'kitti'] },
  'golden': { args: ['golden', '../golden', '--device', 'reference'] },
  'kernel': { args: ['kernel', 'prefixSum'] },
  'bench': { args: ['bench', 'ladder'] },
  'compile': { args: ['compile', 'toy', '--device', 'meta'] },
  'predict': {
    args: ['predict', 'multidepth', '../network.safetensors', '../picture.png', '--device', 'wasm'],
    files: ['predictions/picture-depth.png'],
  },
  'weights import': {
    args: ['weights', 'import', '../backbone.safetensors', '--for', 'mini-resnet', '--out', 'imported.safetensors'],
    files: ['imported.safetensors'],
  },
  'weights inspect': { args: ['weights', 'inspect', '../backbone.safetensors'] },
  'weights diff': { args: ['weights', 'diff', '../backbone.safetensors', '../backbone.safetensors'] },
  'reproduce': { args: ['reproduce', ...smoke], files: ['runs/smoke/results.json', 'runs/smoke/report.html'] },
  'reproduce --json': { args: ['reproduce', ...smoke, '--json'], files: ['runs/smoke/results.json'] },
  'reproduce --dry-run': { args: ['reproduce', ...smoke, '--dry-run'] },
  'reproduce --emit': { args: ['reproduce', ...smoke, '--emit', 'shell', '--shards', '2'] },
  'merge': { args: ['merge', tracked, '--out', 'merged'], files: ['merged/results.json', 'merged/report.html'] },
  'export': { args: ['export', '../watched'] },
  'report': { args: ['report', tracked] },
  'check': { args: ['check', tracked] },
  'diff': { args: ['diff', tracked, tracked] },
}; // prettier-ignore

/** Commands that are no case above, with the reason. */
const others: Record<string, string> = {
  tour: 'is `reproduce` with a longer selection',
  fetch: 'needs the network',
  watch: 'serves until it is stopped (test/browser/watch.test.ts)',
  verify: 'prints as `check` does, and trains for that',
  ...Object.fromEntries(
    ['worker', 'status', 'drain', 'retry', 'remove'].map((name) => [name, 'needs a server (queue.test.ts)']),
  ),
};

t.test('every command is among the cases', (t) => {
  const known = new Set(Object.values(commands).flatMap(({ args }) => args));
  const walk = (command: ReturnType<typeof buildProgram>): string[] =>
    command.commands.length > 0 ? command.commands.flatMap(walk) : [command.name()];
  for (const name of walk(buildProgram(() => undefined))) t.ok(known.has(name) || others[name], name);
  t.end();
});

/** Runs a shell's line in a folder of its own, `$WGRAD` being the program. */
function shell(line: string, cwd: string): Promise<{ status: number | null; stdout: string; stderr: string }> {
  return new Promise((resolve, reject) => {
    const words = shellWords([process.execPath, program]);
    const child = spawn('bash', ['-c', line.replaceAll('$WGRAD', () => words)], {
      cwd,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, stdout, stderr }));
  });
}

const ways: Record<string, { line: (command: string) => string; full?: boolean; gone?: boolean }> = {
  'a full disk': { line: (command) => `${command} > /dev/full`, full: true },
  // bash would say what became of the reader; what is asked for is the status of the command.
  'a reader that is gone': { line: (command) => `${command} | true; exit \${PIPESTATUS[0]}`, gone: true },
  'a reader that goes': { line: (command) => `${command} | head -1; exit \${PIPESTATUS[0]}`, gone: true },
  'closed': { line: (command) => `${command} >&-` },
  'errors to a full disk': { line: (command) => `${command} 2> /dev/full` },
  'all closed': { line: (command) => `${command} <&- >&- 2>&-` },
}; // prettier-ignore

/** A program whose output is watched in one place: that every command comes by it is seen by this one. */
const essential = 'a full disk';
/** Commands that leave nothing but their output, and stop when nobody reads it. */
const stopping = ['bench', 'compile'];
/** Commands that are tried in every way: one that prints at once, one that prints while it trains, one that runs as a child. */
const thorough = ['list', 'reproduce --json', 'predict'];

const skip = existsSync('/dev/full') ? false : 'no /dev/full here';
let number = 0;
for (const [name, { args, files = [] }] of Object.entries(commands)) {
  t.test(name, { skip }, async (t) => {
    const command = `$WGRAD ${shellWords(args)}`;
    const check = async (way: string, { line, full, gone }: (typeof ways)[string]): Promise<void> => {
      const cwd = path.join(folder, `case-${++number}`);
      await mkdir(cwd);
      const { status, stderr } = await shell(line(command), cwd);
      if (full) {
        t.equal(status, 1, `${way}: status`);
        t.match(stderr, /wgrad: the output cannot be written: ENOSPC/, way);
      } else if (way !== 'errors to a full disk') {
        t.ok(
          status === 0 || (gone && stopping.includes(name) && status === 141),
          `${way}: status ${status}, ${stderr}`,
        );
      } else if (status !== 0) {
        // The disk that is full may have lost the errors.
        t.equal(status, 1, `${way}: status`);
      }
      t.notMatch(stderr, /\n\s+at |Unhandled/, `${way}: no stack`);
      for (const file of files) t.ok(existsSync(path.join(cwd, file)), `${way}: ${file}`);
    };
    const losesReader = files.length > 0 || stopping.includes(name);
    const tried = Object.entries(ways).filter(
      ([way]) => thorough.includes(name) || way === essential || (losesReader && way === 'a reader that is gone'),
    );
    await Promise.all(tried.map(([way, each]) => check(way, each)));
  });
}

t.test('a disk that takes a part of the output', async (t) => {
  // As if the disk were full after so many bytes: what Node's own stream for files passes over in silence.
  const { status, stderr } = await shell('ulimit -f 1; $WGRAD ops > listing', folder);
  t.equal(status, 1);
  t.match(stderr, /the output cannot be written: EFBIG/);
  t.ok((await readFile(path.join(folder, 'listing'))).length > 0);
});

t.test('files that cannot be written', async (t) => {
  const cwd = path.join(folder, 'small');
  await mkdir(cwd);
  const { status, stderr } = await shell(`ulimit -f 1; $WGRAD reproduce ${shellWords(smoke)}`, cwd);
  t.equal(status, 1);
  t.match(stderr, /(results|manifest|report|seed-0|toy)\S* cannot be written, got EFBIG.*ulimit/);
  t.notMatch((await filesBelow(cwd)).join(' '), /\.part/, 'nothing is half written');
  const again = await shell(`$WGRAD reproduce ${shellWords(smoke)}`, cwd);
  t.equal(again.status, 0, again.stderr);
});

t.test('devices are written to and stay what they are', { skip }, async (t) => {
  const out = await run(['bench', 'page', '--out', '/dev/full'], folder);
  t.equal(out.status, 1, out.stderr);
  t.match(out.stderr, /\/dev\/full cannot be written, got ENOSPC.*The disk is full/);
  t.notOk((await readdir('/dev')).some((name) => name.startsWith('full.')));
});

t.test('the words of a command line survive a shell', async (t) => {
  const words = ['wgrad', '--out', 'a b\'s $HOME `x` "y"', '', '~', '*', 'plain/path-1.txt', 'a\nb', '100..119'];
  const { stdout } = await shell(`node -p 'JSON.stringify(process.argv.slice(1))' -- ${shellWords(words)}`, folder);
  t.same(JSON.parse(stdout), words);
  t.equal(commandGiven(['reproduce', '--seeds', '4,7'], undefined), 'wgrad reproduce --seeds 4,7');
  t.equal(commandGiven(['tour', '--out', 'a b'], 'wgrad'), "npm run --silent wgrad -- tour --out 'a b'");
  t.equal(commandGiven(['tour'], 'npx'), 'npx wgrad tour');
  t.equal(commandGiven(['tour'], 'test'), 'wgrad tour', 'a script of somebody else');
});

t.test('a run with a reader that has gone ends with the bits of another', async (t) => {
  const args = [...smoke.slice(0, -4), '--seeds', '3', '--device', 'wasm', '--json'];
  const { stderr } = await shell(`$WGRAD reproduce ${shellWords(args)} --out gone | head -2`, folder);
  t.match(stderr, /Nothing reads the output any more; the results are in .*gone/);
  const whole = await run(['reproduce', ...args, '--out', 'whole'], folder);
  t.equal(whole.status, 0, whole.stderr);
  t.same(await runResults(path.join(folder, 'gone')), await runResults(path.join(folder, 'whole')));
});
