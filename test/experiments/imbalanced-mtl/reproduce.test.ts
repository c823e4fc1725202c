// The paper at smoke size on the command line: tables of both data sets with figures, the rows of the list, and data sets by their own.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { saveCheckpoint, createDevice, setDefaultDevice } from '../../../engine/index.ts';
import { imbalancedMtl } from '../../../experiments/papers/imbalanced-mtl/paper.ts';
import { HRNet } from '../../../models/index.ts';
import { run, smokeOf } from '../command.ts';

setDefaultDevice(await createDevice('reference'));

t.test('the toy problem, Tables 3 and 4, and figures', async (t) => {
  const folder = t.testdir();
  const tables = ['table1', 'table2', 'figure3', 'table3', 'table4', 'figure5'].map((name) => `imbalanced-mtl/${name}`);
  const { status, stdout, stderr } = await run(smokeOf(tables, '--out', 'out', '--jobs', '2'), folder);
  t.equal(status, 0, stderr);
  t.match(stderr, /preset smoke, seeds 0, 1, data: the paper's two functions\n/);
  t.match(stderr, /preset smoke, seed 0, data: generated rooms \(easy\).*, a stand-in/);
  for (const table of tables) t.match(stdout, new RegExp(`${table}\\b`), table);
  t.match(stdout, /claim: the student UMMT-PS is above UMST-S in mIoU: too few seeds/);
  t.match(stdout, /the text says 295/);
  const report = await readFile(path.join(folder, 'out/report.html'), 'utf8');
  t.match(report, /alt="T-S, /);
  t.match(report, /alt="nyud, MMMT-D: classes, /);
  t.match(report, /No pretrained weights: backbones begin at random/);
  const checked = await run(['check', 'out'], folder);
  t.equal(checked.status, 0, checked.stdout);
});

t.test('a row of Table 5, and pretrained weights', async (t) => {
  const folder = t.testdir();
  const args = smokeOf('imbalanced-mtl/table5', '--only', 'UMMT-L', '--out', 'out', '--jobs', '2');
  const { status, stdout, stderr } = await run(args, folder);
  t.equal(status, 0, stderr);
  t.match(stdout, /UMMT-L\n +mIoU: [\d.]+ \/ 52\.64/);

  const weights = path.join(folder, 'w.safetensors');
  await saveCheckpoint(weights, await new HRNet('nano').stateDict(), { metadata: { backbone: 'hrnet-nano' } });
  const given = smokeOf('imbalanced-mtl/table3', '--only', 'UMMT', '--out', 'given', '--weights', weights);
  const made = await run(given, folder);
  t.equal(made.status, 0, made.stderr);
  const other = path.join(folder, 'other.safetensors');
  await saveCheckpoint(other, new Map(), { metadata: { backbone: 'hrnet-w18' } });
  const refused = await run(
    smokeOf('imbalanced-mtl/table3', '--only', 'UMMT', '--out', 'other', '--weights', other),
    folder,
  );
  t.equal(refused.status, 1);
  t.match(refused.stderr, /no weights for the backbone of 'nyud, UMMT'; expected hrnet-nano, got hrnet-w18/);
});

t.test('every row is listed, and the preset paper needs its data', async (t) => {
  const { stdout } = await run(['list'], t.testdir());
  for (const { name } of imbalancedMtl.tables) t.match(stdout, `imbalanced-mtl/${name}`);
  const names = imbalancedMtl.tables.map(({ name }) => name);
  t.same(names.slice(0, 8), ['table1', 'table2', 'figure3', 'table3', 'table4', 'figure5', 'table5', 'figure6']);
  for (const set of ['nyud', 'cityscapes']) {
    await t.rejects(imbalancedMtl.dataFacts('paper', undefined, set), {
      name: 'ConfigError',
      message: /preset paper of imbalanced-mtl needs the real/,
    });
  }
  t.match(await imbalancedMtl.dataFacts('paper', undefined), { real: true });
  t.match(await imbalancedMtl.dataFacts('paper', undefined, 'harder'), { real: false });
  t.same([imbalancedMtl.defaultSeeds('laptop'), imbalancedMtl.defaultSeeds('laptop', 'nyud')], [20, 3]);
});
