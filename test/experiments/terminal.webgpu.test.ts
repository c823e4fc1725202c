// What Dawn writes to standard error when it starts is not shown, whichever process it starts in; what else is said there is.
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { run } from './command.ts';

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
  t.test(args.join(' '), async (t) => {
    const { status, stdout, stderr } = await run(args, folder);
    t.equal(status, 0, stderr);
    t.match(stdout, says);
    t.equal(stderr, '');
  });
}

t.test('errors come through', async (t) => {
  const { status, stderr } = await run(['golden', 'nowhere', '--device', 'webgpu'], folder);
  t.equal(status, 2);
  t.match(stderr, /^wgrad: .*nowhere\/manifest\.json.*\n$/);
});
