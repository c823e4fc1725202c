// The gate's plan: a file that names webgpu in its call of testedOn is started without a driver and once for each driver that it
// is for, and no file opens WebGPU without naming it.
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { repositoryRoot } from '../shared-data.ts';

const root = repositoryRoot();

async function plannedRuns(...args: string[]): Promise<string[]> {
  const { stdout } = await promisify(execFile)(process.execPath, ['.config/test.mjs', '--list', ...args], {
    cwd: root,
  });
  return stdout.trim().split('\n');
}

const testFiles = readdirSync(path.join(root, 'test'), { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.test.ts'))
  .map((file) => `test/${file.replaceAll('\\', '/')}`)
  .sort();

t.test('runs without a driver, and runs on one', async (t) => {
  const isPlanned = (runs: readonly string[], file: string): boolean => runs.includes(file);
  const [device, grid, tape] = [
    'test/devices/device.test.ts',
    'test/property/grid.test.ts',
    'test/engine/tape.test.ts',
  ];
  // Whatever drivers the machine may have, 'system' takes them as they are.
  t.same(await plannedRuns('--driver', 'system', 'devices/device.test'), [device, `${device} (system)`]);
  t.same(await plannedRuns('--driver', 'system', 'property/grid'), [`${grid} (system)`], 'nothing but WebGPU');
  t.same(await plannedRuns('--driver', 'system', 'engine/tape'), [tape], 'nothing of WebGPU');
  const none = await plannedRuns('--driver', 'none', 'property/grid', 'devices/device.test');
  t.same(none, [device, ...[device, grid].map((file) => `${file} > no Vulkan driver found (llvmpipe or SwiftShader)`)]);
  t.same(await plannedRuns('no such file'), [''], 'a word that no path contains');

  const all = await plannedRuns('--driver', 'system');
  t.equal(new Set(all).size, all.length, 'nothing twice');
  const missing = testFiles.filter((file) => !isPlanned(all, file) && !isPlanned(all, `${file} (system)`));
  t.same(missing, [], 'every file is run');
});

t.test('what can differ by driver is run on each that is there', async (t) => {
  const runsOf = async (word: string): Promise<number> =>
    (await plannedRuns(word)).filter((run) => /\(\w+\)$/.test(run)).length;
  const drivers = await runsOf('kernels/agreement');
  if (drivers === 0) return t.pass('drivers', { skip: 'no Vulkan driver found (llvmpipe or SwiftShader)' });
  for (const word of ['devices/plans', 'property/ieee']) t.equal(await runsOf(word), drivers, word);
  for (const word of ['golden/golden.test', 'property/grid', 'engine/elements', 'models/cross-stitch']) {
    t.equal(await runsOf(word), 1, word);
  }
});

t.test('no test opens WebGPU without saying so', (t) => {
  const silent = testFiles.filter((file) => {
    const text = readFileSync(path.join(root, file), 'utf8');
    const opens = /\b(createWebGpuDevice|withWebGpu)\(|\bcreateDevice\(\s*'webgpu'/.test(text);
    return opens && !/\btestedOn\([^)]*'webgpu'/.test(text);
  });
  t.same(silent, [], "testedOn('webgpu', ...) of test/tested-on.ts says so");
  t.end();
});
