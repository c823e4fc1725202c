// What Dawn writes to standard error when it starts is not shown, whichever process it starts in; what else is said there is.
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import { DawnFilter, withoutDawnWarnings } from '../../experiments/runner/dawn-warnings.ts';
import { testedOn, withWebGpu } from '../tested-on.ts';
import { run } from './command.ts';

const warnings =
  'Warning: maxDynamicUniformBuffersPerPipelineLayout artificially reduced from 1000000 to 16 to fit dynamic offset allocation limit.\n' +
  'Warning: maxDynamicStorageBuffersPerPipelineLayout artificially reduced from 500000 to 8 to fit dynamic offset allocation limit.\n';

async function testFilter(t: Test): Promise<void> {
  await t.test('of what Dawn says its two warnings alone are left out, however it comes in parts', (t) => {
    const errors = 'Warning: something else\nError: device lost\n\r\x1b[Kshapes of unet';
    t.equal(withoutDawnWarnings(`${warnings}${errors}`), errors);
    t.equal(withoutDawnWarnings('Warning: maxDynamic'), 'Warning: maxDynamic', 'a part of a warning at the end');
    const text = `first\n${warnings}${errors}\n${warnings}`;
    const property = fc.property(fc.array(fc.nat(text.length)), (cuts) => {
      let rest = '';
      const filter = new DawnFilter((part) => (rest += part));
      const ends = [...cuts, text.length].sort((a, b) => a - b);
      ends.reduce((from, to) => (filter.add(text.slice(from, to)), to), 0);
      filter.end();
      return rest === `first\n${errors}\n`;
    });
    t.doesNotThrow(() => fc.assert(property, { seed: 8, numRuns: 500 }));
    let progress = '';
    new DawnFilter((part) => (progress += part)).add('\r\x1b[K1 of 9');
    t.equal(progress, '\r\x1b[K1 of 9', 'a line that is written over comes at once');
    t.end();
  });
}

async function testCommands(t: Test): Promise<void> {
  const folder = t.testdir();
  await mkdir(path.join(folder, 'golden'));
  await writeFile(
    path.join(folder, 'golden', 'manifest.json'),
    JSON.stringify({ format: 'golden-fixtures/1', families: {}, cases: [] }),
  );

  const smoke = ['imbalanced-mtl/table2', '--preset', 'smoke', '--seeds', '1'];
  const commands: [string[], RegExp][] = [
    [['doctor'], /webgpu: works/],
    [['golden', 'golden', '--device', 'webgpu'], /0 passed, 0 failed/],
    [['reproduce', ...smoke, '--device', 'webgpu', '--dry-run'], /device webgpu: .*software/],
    [['reproduce', ...smoke, '--device', 'auto', '--dry-run'], /device wasm: .*Not webgpu: .*no hardware adapter/],
  ];
  for (const [args, says] of commands) {
    await t.test(args.join(' '), async (t) => {
      const { status, stdout, stderr } = await run(args, folder);
      t.equal(status, 0, stderr);
      t.match(stdout, says);
      t.equal(stderr, '');
    });
  }

  await t.test('errors come through', async (t) => {
    const { status, stderr } = await run(['golden', 'nowhere', '--device', 'webgpu'], folder);
    t.equal(status, 2);
    t.match(stderr, /^wgrad: .*nowhere\/manifest\.json.*\n$/);
  });
}

const parts = testedOn('host', 'webgpu');
if (parts.has('host')) await testFilter(t);
if (parts.has('webgpu')) await withWebGpu(t, () => testCommands(t));
