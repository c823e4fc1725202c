// The whole paper at smoke size on the command line: every table has numbers, and every row of the report is listed.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { createDevice, saveCheckpoint, setDefaultDevice } from '../../../engine/index.ts';
import { sha256OfFile } from '../../../experiments/data/files.ts';
import { densedepth } from '../../../experiments/papers/densedepth/paper.ts';
import { makeBackbone } from '../../../models/index.ts';
import { run, smokeOf } from '../command.ts';

setDefaultDevice(await createDevice('reference'));

t.test('all tables', async (t) => {
  const folder = t.testdir();
  const { status, stdout, stderr } = await run(smokeOf('densedepth', '--out', 'out', '--jobs', '1'), folder);
  t.equal(status, 0, stderr);
  t.match(stdout, /generated object scenes.*a stand-in/);
  for (const { name } of densedepth.tables) {
    t.match(stdout, new RegExp(`densedepth/${name}\\b`), name);
  }
  const report = await readFile(path.join(folder, 'out/report.html'), 'utf8');
  t.match(report, /alt="after 1 epochs, /);
  t.match(report, /no pretrained weights: small encoders pre-trained on \d+ generated scenes/);
  const checked = await run(['check', 'out'], folder);
  t.equal(checked.status, 0, checked.stdout);
});

t.test('pretrained weights from a file take the place of pre-training', async (t) => {
  const folder = t.testdir();
  const files: Record<string, string> = {};
  for (const backbone of ['mini-densenet', 'mini-resnet'] as const) {
    const module = makeBackbone(backbone);
    const file = path.join(folder, `${backbone}.safetensors`);
    await saveCheckpoint(file, await module.stateDict(), { metadata: { backbone } });
    files[backbone] = file;
  }
  const weights = files['mini-densenet']!;
  const args = (file: string, ...more: string[]) =>
    smokeOf('densedepth/figure6', '--out', 'out', '--weights', file, ...more);
  const made = await run(args(weights, '--weights', files['mini-resnet']!), folder);
  t.equal(made.status, 0, made.stderr);
  t.match(made.stderr, /with weights = .*mini-densenet\.safetensors.*sha256/);
  const text = await readFile(path.join(folder, 'out/manifest.json'), 'utf8');
  t.match(text, await sha256OfFile(weights));

  const other = await run(args(files['mini-resnet']!), folder);
  t.equal(other.status, 1);
  t.match(other.stderr, /no weights for the backbone of 'densenet, final'.*expected mini-densenet, got mini-resnet/);
  const nameless = path.join(folder, 'nameless.safetensors');
  await saveCheckpoint(nameless, new Map());
  const refused = await run(args(nameless), folder);
  t.equal(refused.status, 2);
  t.match(refused.stderr, /nameless\.safetensors does not say which backbone.*weights import/);
  const wrong = path.join(folder, 'wrong.safetensors');
  await saveCheckpoint(wrong, await makeBackbone('mini-resnet').stateDict(), {
    metadata: { backbone: 'mini-densenet' },
  });
  const unfit = await run(args(wrong), folder);
  t.equal(unfit.status, 1);
  t.match(unfit.stderr, /wrong\.safetensors does not fit the module/);
});

t.test('every row of the report is listed', async (t) => {
  const { stdout } = await run(['list'], t.testdir());
  const rows = ['figure8', 'figure2', 'figure3', 'plateau', 'toy', 'figure4', 'figure5', 'figure6', 'per-class', 'fine-tuning', 'filters', 'rates', 'loss-weights', 'split']; // prettier-ignore
  for (const row of rows) t.match(stdout, `densedepth/${row}`);
  t.match(densedepth.ambiguities.join(' '), /400.*around 350.*371/);
});
