// `wgrad bench ladder`: the list, names that do not exist, and that a rung which computes something else is not measured.
import t from 'tap';
import { climb } from '../../bench/ladder/climb.ts';
import { openGrounds } from '../../bench/ladder/grounds.ts';
import { ladderSizes } from '../../bench/ladder/sizes.ts';
import { bench } from '../../bench/main.ts';
import { costOf } from '../../kernels/kernel.ts';
import { ladders } from '../../kernels/ladders.ts';

t.test('without a name it lists the ladders', async (t) => {
  const said = t.capture(process.stdout, 'write', () => true);
  t.equal(await bench(['ladder']), 0);
  const text = said()
    .map(({ args }) => args[0])
    .join('');
  for (const { name } of ladders) t.match(text, new RegExp(`^${name}\\b`, 'm'));
});

t.test('a ladder that does not exist', async (t) => {
  const said = t.capture(process.stderr, 'write', () => true);
  t.equal(await bench(['ladder', 'conv3d']), 2);
  t.same(
    said().map(({ args }) => args[0]),
    ["wgrad bench: there is no ladder 'conv3d'. Did you mean 'conv2d'?\n"],
  );
});

t.test('every ladder has sizes, of which the large one is more work', async (t) => {
  t.same(Object.keys(ladderSizes).sort(), ladders.map(({ name }) => name).sort());
  for (const { name, kernel } of ladders) {
    const { small, large, checked } = ladderSizes[name]!;
    t.ok(costOf(kernel, large).flops > costOf(kernel, small).flops, name);
    for (const params of checked) t.ok(costOf(kernel, params).flops < costOf(kernel, small).flops, name);
  }
});

t.test('a climb measures what is right and says what is wrong', async (t) => {
  const [grounds] = await openGrounds('wasm', () => t.fail('wasm is always there'));
  const ladder = ladders.find(({ name }) => name === 'matmul')!;
  const writesNothing = {
    name: 'writesNothing',
    description: 'It leaves the work out.',
    threads: 1,
    fits: () => true,
    plan: () => ({ name: 'writesNothing', phases: [] }),
  };
  const effort = { rounds: 1, secondsPerRound: 0, secondsPerRung: 1 };
  const tampered = { ...ladder, wasm: [writesNothing, ...ladder.wasm] };
  const { rungs, ceilings, flops } = await climb(tampered, grounds!, effort, () => undefined);
  grounds!.dispose();
  const measured = rungs.flatMap((rung) => ('roof' in rung ? [rung] : []));
  t.same(
    measured.map(({ name }) => name),
    ladder.wasm.map(({ name }) => name),
  );
  t.match(
    rungs.filter((rung) => !('roof' in rung)),
    [{ name: 'writesNothing', wrong: /^differs from the reference by / }],
  );
  t.equal(Object.keys(ceilings).length, 2);
  t.equal(measured[0]!.overFirst.median, 1);
  for (const { gflops, median, roof } of measured) {
    t.match(roof.binding, /^(compute|memory)$/); // one short round on a busy machine: either may have come out lower
    t.ok(Math.abs(gflops * median * 1e9 - flops) < 1e-6 * flops);
    t.ok(roof.share > 0);
  }
  t.ok(measured.at(-2)!.overFirst.median > 2, 'the library is faster than plain loops');
});
