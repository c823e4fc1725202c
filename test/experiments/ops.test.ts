// The table of operations: what is seen of operations at work, the facts made of it, and the tracked document, which must be
// what the command prints now.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import t from 'tap';
import { add, createDevice, grad, noGrad, registry, scope, sum, tensor } from '../../engine/index.ts';
import { detail, markdown } from '../../experiments/verification/operations/document.ts';
import { operationFacts } from '../../experiments/verification/operations/facts.ts';
import { countGolden } from '../../experiments/verification/operations/golden-count.ts';
import { findDeclaration } from '../../experiments/verification/operations/sources.ts';
import { type Sightings, watch } from '../../experiments/verification/operations/watch.ts';
import { repositoryRoot, sharedData } from '../shared-data.ts';
import { run } from './command.ts';

const device = await createDevice('reference');
const facts = await operationFacts();
const byName = new Map(facts.map((each) => [each.name, each]));

t.test('watching', async (t) => {
  using _ = scope();
  const seen: Sightings = new Map();
  const x = tensor([[1, 2]], undefined, { device, requiresGrad: true });
  const watched = () => {
    const y = sum(x.mul(x).sub(1).narrow(1, 0, 1));
    return grad(y, [x])[0]!;
  };
  const gradient = await watch(seen, watched, device);
  t.same([...(await gradient.array())], [2, 0], 'what it watches goes on as ever');
  t.same([...seen.get('square')!.kernels], ['unary']);
  t.same([...seen.get('square')!.gradient], ['affine', 'mul']);
  t.same([...seen.get('narrow')!.parts], ['slice'], 'a composite has parts');
  t.same([...seen.get('slice')!.gradient], ['embed']);
  t.notOk(seen.has('conv2d'));
  const before = seen.size;
  noGrad(() => add(x, x.mul(2)));
  t.equal(seen.size, before, 'nothing is seen afterwards');
  t.equal(device.observer, undefined);
  await t.rejects(
    watch(seen, () => Promise.reject(new Error('broken')), device),
    /broken/,
  );
  t.equal(device.observer, undefined, 'nor after a failure');
});

t.test('facts', (t) => {
  t.same(
    facts.map(({ name }) => name).sort(),
    registry()
      .map(({ name }) => name)
      .sort(),
    'one row per operation',
  );
  t.match(byName.get('conv2d'), {
    family: 'convolution',
    kind: 'primitive',
    signature: 'conv2d(x: float32, weight: float32, bias?: float32, options?: { stride, padding, dilation, groups })',
    devices: ['reference', 'wasm', 'webgpu'],
    gradient: 'yes',
    secondGradient: true,
    gradientUses: ['convTranspose2d', 'conv2dWeightGradient', 'sum', 'reshape'],
  });
  const [kernel, ...rest] = byName.get('conv2d')!.kernels;
  t.equal(rest.length, 0);
  t.equal(kernel!.name, 'conv2d');
  t.ok(kernel!.plans.webgpu!.includes('tiles64'));
  t.match(byName.get('argmax'), { gradient: 'gives an index', secondGradient: false, madeOf: [] });
  t.ok(byName.get('maskedCrossEntropy')!.madeOf.includes('crossEntropy'));
  t.ok(
    byName.get('maskedCrossEntropy')!.kernels.some(({ name }) => name === 'crossEntropy'),
    'kernels of a composite are those of its parts',
  );
  t.same(byName.get('reshape')!.kernels, [], 'a reshape launches nothing');
  for (const { name, cases, devices, kernels } of facts) {
    t.ok(cases > 0, `${name} has cases`);
    t.ok(devices.includes('reference'), `${name} runs on the reference`);
    for (const { name: kernelName, plans } of kernels) {
      for (const [on, variants] of Object.entries(plans))
        t.ok(variants.length > 0, `${kernelName} names plans on ${on}`);
    }
  }
  t.end();
});

t.test('every operation is declared in the file of its family', async (t) => {
  for (const { name, family } of facts) {
    const file = findDeclaration(name, family)?.file;
    if (t.ok(file, `${name}: engine/ops/${family}.ts`)) {
      const text = await readFile(path.join(repositoryRoot(), file!), 'utf8');
      // Those that come in pairs have a name put together.
      const stem = name.replace(/Backward$/, '');
      t.ok(text.includes(`'${name}'`) || text.includes(`'${stem}'`), `${file} declares ${name}`);
    }
  }
  t.match(findDeclaration('conv2d', 'convolution'), { comment: /^Cross-correlation of x/ });
  t.match(findDeclaration('conv2dWeightGradient', 'convolution'), { comment: /weight gradient/ });
  t.equal(findDeclaration('conv2d', 'nowhere'), undefined);
});

/** The document without the column of golden cases. */
const withoutGolden = (text: string): string =>
  text
    .split('\n')
    .reduce<{ lines: string[]; isCounted: boolean }>(
      ({ lines, isCounted }, line) => {
        const counted = line.startsWith('|') && (isCounted || line.endsWith('| golden cases |'));
        lines.push(counted ? line.replace(/ ?[^|]*\|$/, '').trimEnd() : line);
        return { lines, isCounted: counted };
      },
      { lines: [], isCounted: false },
    )
    .lines.join('\n');

t.test('the tracked document is what the registry says', async (t) => {
  const tracked = await readFile(path.join(repositoryRoot(), 'engine/operations.md'), 'utf8');
  t.equal(withoutGolden(tracked), markdown(facts), 'engine/operations.md, but for the golden cases');
  t.not(tracked, markdown(facts), 'which it has');
  const folder = sharedData('golden/open');
  if (!folder) {
    t.pass('the golden cases', { skip: 'the fixtures are not beside this checkout' });
    return;
  }
  const counts = await countGolden(folder);
  t.equal(tracked, markdown(await operationFacts(counts)), 'with the golden cases');
  t.ok(counts.get('conv2d')! > 50);
});

t.test('one operation in detail', (t) => {
  t.match(detail(byName.get('conv2d')!), /^conv2d\(x: float32/);
  t.match(detail(byName.get('conv2d')!), /gradient uses: +convTranspose2d, conv2dWeightGradient, sum/);
  t.match(detail(byName.get('argmax')!), /gradient: +none: gives an index/);
  t.match(detail(byName.get('reshape')!), /kernels: +none: the same storage/);
  t.match(detail(byName.get('sign')!), /gradient uses: +nothing: it is 0/);
  t.match(detail(byName.get('maxUnpool2d')!), /made of: +.*scatter/);
  t.match(
    detail({ ...byName.get('maxUnpool2d')!, family: 'nowhere', golden: 7 }),
    /declared in: +unknown here[\s\S]*golden cases: +7/,
  );
  t.end();
});

t.test('the command', async (t) => {
  const folder = t.testdir();
  const all = await run(['ops'], folder);
  t.equal(all.status, 0);
  for (const { name } of facts) t.match(all.stdout, new RegExp(`^${name} `, 'm'));
  const one = await run(['ops', 'conv2d', '--json'], folder);
  t.equal(one.status, 0);
  t.same(JSON.parse(one.stdout), byName.get('conv2d'));
  const text = await run(['ops', 'conv2d'], folder);
  t.equal(text.stdout, `${detail(byName.get('conv2d')!)}\n`);
  const table = await run(['ops', '--markdown'], folder);
  t.equal(table.stdout, markdown(facts));
});
