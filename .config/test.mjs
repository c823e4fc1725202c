// The gate: build, types, lint, formatting, then every test/**/*.test.ts, two at a time. What `npm test` runs.
//
//   npm test                        everything; the last line is `N passed, N failed`
//   npm test -- conv2d tape         only the test files whose path contains one of these words, without the other stages
//   npm test -- --driver system     WebGPU tests on the machine's own Vulkan drivers instead of the software ones
//   npm test -- property --seed 7 --runs 1000   other random cases of test/property, and more of them
//   npm test -- conv2d --list       what would be run, and on which driver
//
// How a test file says on which devices it runs, and how often it is started: test-plan.mjs.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Parser } from 'tap-parser';
import { root } from './sources.mjs';
import { findDrivers, planTests } from './test-plan.mjs';

const limitMs = 10 * 60 * 1000; // for one test file
const atOnce = 2;
const outputKept = 20_000; // characters of a failing program's output that are shown

const stages = [
  ['build', '.config/build.mjs', '--quiet'],
  ['types', 'node_modules/typescript/bin/tsc', '--noEmit', '-p', '.'],
  [
    'lint',
    'node_modules/eslint/bin/eslint.js',
    '--config',
    '.config/eslint.config.mjs',
    '--max-warnings',
    '0',
    '.',
    '.config',
  ],
  ['format', 'node_modules/prettier/bin/prettier.cjs', '--ignore-path', '.config/prettierignore', '--check', '.'],
];

/** Runs node with these arguments. Resolves to its exit status, its output and, for tests, what the TAP says. */
function runNode(args, { env = {}, isTap = false } = {}) {
  return new Promise((resolve) => {
    const started = performance.now();
    const child = spawn(process.execPath, args, {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const timer = setTimeout(() => child.kill('SIGKILL'), limitMs);
    const said = { passed: 0, failed: 0, skipped: [], isComplete: false };
    let output = '';
    const keep = (text) => (output = (output + text).slice(-outputKept));
    const parser = isTap ? new Parser(({ ok }) => (said.isComplete = ok)) : undefined;
    parser?.on('pass', () => said.passed++);
    parser?.on('fail', () => said.failed++);
    parser?.on('skip', ({ fullname, name, skip }) => said.skipped.push(`${fullname || name}: ${skip}`));
    child.stdout.setEncoding('utf8').on('data', (text) => {
      keep(text);
      parser?.write(text);
    });
    child.stderr.setEncoding('utf8').on('data', keep);
    child.on('close', (status, signal) => {
      clearTimeout(timer);
      parser?.end();
      const seconds = (performance.now() - started) / 1000;
      const ended = signal
        ? `ended by ${signal}${seconds * 1000 >= limitMs ? ', time limit' : ''}`
        : `status ${status}`;
      resolve({ ...said, ok: status === 0, ended, output, seconds });
    });
  });
}

const total = { passed: 0, failed: 0 };
const skippedWhy = [];

function report(label, { passed, failed, output, seconds, ended }) {
  total.passed += passed;
  total.failed += failed;
  const counts = failed > 0 ? `${passed} passed, ${failed} FAILED (${ended})` : `${passed} passed`;
  console.log(`${failed > 0 ? 'not ok' : 'ok    '} ${seconds.toFixed(1).padStart(6)} s  ${label}: ${counts}`);
  if (failed > 0) console.log(output.replace(/^/gm, '    '));
}

async function runStage([name, ...args]) {
  const run = await runNode(args);
  report(name, { ...run, passed: run.ok ? 1 : 0, failed: run.ok ? 0 : 1 });
  return run.ok;
}

const labelOf = ({ file, driver }) => (driver ? `${file} (${driver})` : file);

async function runTest(planned) {
  const { file, args, driver, env } = planned;
  const built = path.join('dist', file.replace(/\.ts$/, '.js'));
  // The limit on the whole file is the only one: a slow machine is not a failure.
  const limits = { TAP_TIMEOUT: '0' };
  // Below it stand the folders of t.testdir, named after the file: two drivers may be at the same file at once.
  const folder = driver ? { TAP_CWD: path.join(root, '.tap', driver) } : {};
  const settings = { env: { ...env, ...limits, ...folder }, isTap: true };
  const run = await runNode(['--enable-source-maps', built, ...args, ...search], settings);
  const label = labelOf(planned);
  // A file that dies, or whose plan does not add up, has failed even if no assertion did.
  const failed = run.ok && run.isComplete ? run.failed : Math.max(1, run.failed);
  report(label, { ...run, failed });
  skippedWhy.push(...run.skipped.map((why) => `${label} > ${why}`));
}

/** Calls `work` on every item, a few at a time, in order. */
async function inParallel(items, work) {
  const waiting = [...items];
  const worker = async () => {
    for (let item = waiting.shift(); item; item = waiting.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}

const { values, positionals } = parseArgs({
  options: {
    driver: { type: 'string' },
    seed: { type: 'string' },
    runs: { type: 'string' },
    list: { type: 'boolean', default: false },
  },
  allowPositionals: true,
});
const search = ['seed', 'runs'].flatMap((name) => (values[name] === undefined ? [] : [`--${name}`, values[name]]));
const drivers = findDrivers(values.driver);
const { runs, skipped } = planTests(positionals, drivers);
skippedWhy.push(...skipped);

if (values.list) {
  console.log([...runs.map(labelOf), ...skippedWhy].join('\n'));
} else {
  const isWhole = positionals.length === 0;
  console.log(`WebGPU tests on: ${[...drivers.keys()].join(', ') || 'no driver found'}`);

  const [buildStage, ...otherStages] = stages;
  const isBuilt = await runStage(buildStage);
  if (isWhole) await inParallel(otherStages, runStage);
  if (isBuilt) await inParallel(runs, runTest);
  if (!isWhole && runs.length === 0) {
    console.log(`No test to run has a path with ${positionals.join(' or ')} in it.`);
    total.failed++;
  }

  if (skippedWhy.length > 0) console.log(`\n${skippedWhy.length} skipped:\n  ${skippedWhy.join('\n  ')}`);
  console.log(`\n${total.passed} passed, ${total.failed} failed`);
  process.exitCode = total.failed > 0 ? 1 : 0;
}
