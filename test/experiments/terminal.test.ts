// What is shown while a command works: lines that fit any terminal, and plain lines where there is none. A pseudo-terminal made by
// Python stands for a user's. And signals: the first one stops cleanly, the second one at once.
import { execFileSync, spawn } from 'node:child_process';
import path from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { statusLines } from '../../experiments/cli/status-lines.ts';
import type { Snapshot } from '../../experiments/runner/progress.ts';
import { filesBelow, program, run, runResults, smokeOf, start } from './command.ts';

const folder = t.testdir();

const snapshotOf = (running: Snapshot['running'], whole: Partial<Snapshot> = {}): Snapshot => ({
  cellsDone: 3,
  cells: 20,
  runsDone: 1,
  runs: 13,
  current: running.map(({ name }) => name),
  running,
  stepsPerSecond: 123.4,
  secondsLeft: 125,
  share: 0.456,
  ...whole,
});
const one = { name: 'dmtl multitaskLoss 1:29 N=3500, seed 0', share: 0.071, stepsPerSecond: 61.7, secondsLeft: 3725 };
const beginning = { ...one, stepsPerSecond: undefined, secondsLeft: undefined };

t.test('lines for wide and narrow terminals', (t) => {
  t.same(statusLines(snapshotOf([one, beginning]), 79), [
    'dmtl multitaskLoss 1:29 N=3500, seed 0        7 %, 61.7 steps/s, 1 h 2 min left',
    'dmtl multitaskLoss 1:29 N=3500, seed 0                                      7 %',
    '█████████░░░░░░░░░░░ runs 1/13, cells 3/20, 45 %, 123 steps/s, 2 min 5 s left',
  ]);
  t.same(statusLines(snapshotOf([one, beginning]), 39), [
    'dmtl mul…, seed 0   7% 61.7/s 1h02 left',
    'dmtl multitaskLo…9 N=3500, seed 0   7 %',
    'runs 1/13 45% 123/s 2m05 left',
  ]);
  t.end();
});

t.test('no line is longer than the terminal, and from 40 columns on done and time left are whole', (t) => {
  const maybe = (max: number) => fc.option(fc.double({ min: 1e-3, max, noNaN: true }), { nil: undefined });
  const pace = {
    share: fc.double({ min: 0, max: 1, noNaN: true }),
    stepsPerSecond: maybe(1e5),
    secondsLeft: maybe(1e7),
  };
  const running = fc.array(fc.record({ name: fc.string({ minLength: 1, maxLength: 90 }), ...pace }), { maxLength: 4 });
  const counts = fc.record({ runs: fc.nat(9999), runsDone: fc.nat(9999), cells: fc.nat(9999), ...pace });
  const property = fc.property(running, counts, fc.integer({ min: 1, max: 200 }), (runs, whole, width) => {
    const lines = statusLines(snapshotOf(runs, whole), width);
    if (lines.length !== runs.length + 1 || lines.some((line) => line.length > width)) return false;
    if (width < 39) return true;
    return [...runs, whole].every(({ share, secondsLeft }, i) => {
      const isDone = new RegExp(`(^|\\D)${Math.floor(100 * share)} ?%`).test(lines[i]!);
      const isLeft = secondsLeft === undefined || /\d( s| min| h|s|d|m\d\d|h\d\d)/.test(lines[i]!.slice(-20));
      return isDone && isLeft;
    });
  });
  t.doesNotThrow(() => fc.assert(property, { seed: 6, numRuns: 2000 }));
  t.end();
});

/** A program that runs a command in a pseudo-terminal, changes its size on the way, and prints all that came. */
const terminal = `
import fcntl, os, pty, select, struct, sys, termios, time
pid, fd = pty.fork()
if pid == 0:
    os.execvp(sys.argv[3], sys.argv[3:])
def size(columns): fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack('HHHH', 24, columns, 0, 0))
size(int(sys.argv[1]))
started, resized, out = time.time(), False, b''
while True:
    ready, _, _ = select.select([fd], [], [], 0.2)
    if ready:
        try: data = os.read(fd, 65536)
        except OSError: break
        if not data: break
        out += data
    # What stands behind the lines of the runs, and in no notice.
    if not resized and b'cells ' in out:
        size(int(sys.argv[2])); resized = True; out += b'<resized>'
_, status = os.waitpid(pid, 0)
sys.stdout.buffer.write(out)
sys.exit(os.waitstatus_to_exitcode(status) & 255)
`;

const python = ['/usr/bin/python3', 'python3'].find((name) => {
  try {
    execFileSync(name, ['-c', 'import pty, os; os.waitstatus_to_exitcode'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
});

/** The least that a program needs. CI, NO_COLOR and their like in the environment of the tests would decide about colours. */
const { PATH = '', HOME = folder } = process.env;

/** The output of a command in a terminal of so many columns, which become others when the first line has been shown. */
function inTerminal(columns: number, then: number, args: readonly string[], env = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const words = ['-c', terminal, String(columns), String(then), process.execPath, program, ...args];
    const child = spawn(python!, words, { cwd: folder, env: { PATH, HOME, TERM: 'xterm-256color', ...env } });
    let output = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
    child.on('error', reject);
    child.on('close', () => resolve(output));
  });
}

// Control codes are what is looked for and taken out here.
const codes = new RegExp(`${String.fromCharCode(27)}\\[[0-9;?]*[A-Za-z]`, 'g');
const colours = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`);
const smoke = smokeOf('dmtl/table3', '--jobs', '2');

t.test('in a terminal', { skip: python ? false : 'no Python with pseudo-terminals' }, async (t) => {
  const output = await inTerminal(90, 40, [...smoke, '--seeds', '1', '--out', 'wide']);
  const [, after = ''] = output.split('<resized>');
  // What stands between two movements of the cursor.
  const shown = (text: string): string[] => text.replace(codes, '\n').split(/[\r\n]+/);
  t.ok(
    shown(output).some((line) => /^dmtl \S+ 1:29 N=3500, seed \d .*%/.test(line)),
    'a line for a run',
  );
  // The first lines may have been drawn before the program heard of the change.
  const lines = shown(after).filter((line) => /^(dmtl|runs|[█░]).*\d ?%/.test(line));
  const narrow = lines.slice(lines.findIndex((line) => line.includes('…')));
  t.ok(narrow.length > 2 && narrow.some((line) => line.startsWith('runs ')), 'lines after the change');
  t.same(
    narrow.filter((line) => line.length > 40),
    [],
    'that fit the narrow terminal',
  );
  t.ok(output.lastIndexOf('[?25h') > output.lastIndexOf('[?25l'), 'the cursor comes back');
  t.match(output, /Report: .*wide/);

  // One run that fails is enough.
  const failing = ['--only', 'single task', '--set', 'learningRate=1e30', '--seeds', '1', '--out', 'failing'];
  const red = await inTerminal(60, 60, [...smoke, ...failing]);
  t.match(red, colours);
  const last = red.replace(codes, '').trimEnd().split(/\r?\n/).slice(-2);
  t.match(last[0], /^ {2}dmtl .*seed 0: .*not finite/, 'the error');
  t.match(last[1], /^Where in the code: .*failures\.txt\. To try them again: wgrad reproduce/, 'and what to do');
  for (const [words, env] of [
    [['--no-color'], {}],
    [[], { NO_COLOR: '1' }],
  ] as const) {
    t.notMatch(await inTerminal(60, 60, [...smoke, ...failing, ...words], env), colours);
  }
  const dumb = await inTerminal(60, 60, [...smoke, ...failing], { TERM: 'dumb' });
  t.notMatch(dumb, String.fromCharCode(27), 'a terminal that cannot move its cursor has lines alone');
});

t.test('without a terminal there are lines and no control codes', async (t) => {
  const { status, stdout, stderr } = await run([...smoke, '--seeds', '1', '--out', 'plain'], folder);
  t.equal(status, 0, stderr);
  t.notMatch(stdout + stderr, new RegExp(`[${String.fromCharCode(27)}\r]`));
  t.equal(stderr.split('\n').filter((line) => line.startsWith('run ')).length, 5);
});

const long = smokeOf('dmtl/table3', '--seeds', '40');

for (const [name, expected] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGHUP', 129],
] as const) {
  t.test(name, async (t) => {
    const once = start([...long, '--out', `once ${name}`], folder);
    await once.says('run 2/200');
    once.child.kill(name);
    const { status, stderr } = await once.ended;
    t.equal(status, expected);
    t.match(
      stderr.trim().split('\n').at(-1),
      new RegExp(`^Stopped\\. .*to go on: wgrad reproduce .*--out 'once ${name}'$`),
    );
    t.notMatch((await filesBelow(path.join(folder, `once ${name}`))).join(' '), /\.part|results\.json/);

    const twice = start([...long, '--out', `twice ${name}`], folder);
    await twice.says('run 2/200');
    const ended = twice.ended;
    for (let i = 0; i < 50 && twice.child.exitCode === null; i++) {
      twice.child.kill(name);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    t.equal((await ended).status, expected, 'twice');
    t.notMatch((await filesBelow(path.join(folder, `twice ${name}`))).join(' '), /results\.json/);
  });
}

t.test('the line to go on goes on', async (t) => {
  const args = smokeOf('imbalanced-mtl/table2', '--seeds', '100..107', '--jobs', '1');
  const stopped = start([...args, '--out', "a b's"], folder);
  await stopped.says('run 2/8');
  stopped.child.kill('SIGINT');
  const { stderr } = await stopped.ended;
  const line = /to go on: wgrad (.*)$/m.exec(stderr)![1]!;
  const words = JSON.parse(
    execFileSync('bash', ['-c', `node -p 'JSON.stringify(process.argv.slice(1))' -- ${line}`]).toString(),
  ) as string[];
  t.same(words, [...args, '--out', "a b's"]);
  const rest = await run(words, folder);
  t.equal(rest.status, 0, rest.stderr);
  t.match(rest.stderr, /[1-9] of 8 runs are on disk already/);
  const whole = await run([...args, '--out', 'whole'], folder);
  t.equal(whole.status, 0);
  t.same(await runResults(path.join(folder, "a b's")), await runResults(path.join(folder, 'whole')));
});
