// Gradcheck and double gradcheck over the registry, on the float64 reference device. An operation without a case fails.
import t from 'tap';
import { createDevice, observeOperations, registry, scope, setDefaultDevice } from '../../engine/index.ts';
import { gradcheck, gradgradcheck } from '../../engine/gradcheck.ts';
import { caseFamilies, cases, goldenAdapters } from '../../experiments/verification/operations/cases/index.ts';
import { makeInputs } from '../../experiments/verification/operations/inputs.ts';

t.setTimeout(300_000);
setDefaultDevice(await createDevice('reference'));

for (const [i, { operations, inputs, f, second = true }] of cases.entries()) {
  t.test(`${operations.join(', ')} (case ${i})`, async (t) => {
    using _ = scope();
    const seen = new Set<string>();
    observeOperations({
      around(name, _part, body) {
        seen.add(name);
        return body();
      },
    });
    const points = makeInputs(inputs, i);
    t.same(await gradcheck(f, points), [], 'first derivatives');
    if (second) t.same(await gradgradcheck(f, points), [], 'second derivatives');
    observeOperations(undefined);
    const composite = new Set(registry().flatMap((entry) => (entry.composite ? [entry.name] : [])));
    t.same(
      operations.filter((name) => !seen.has(name) && !composite.has(name)),
      [],
      'the case runs the operations that it names',
    );
  });
}

t.test('every operation has a case in the file of its family, and a reason where it has no gradient', (t) => {
  for (const { name, family, differentiable, noGradient } of registry()) {
    const covered = caseFamilies[family]?.gradients.some(({ operations }) => operations.includes(name));
    t.ok(covered, `${name} has a case in experiments/verification/operations/cases/${family}.ts`);
    t.equal(noGradient === undefined, differentiable, `${name} has a vjp or a reason why not: ${noGradient}`);
  }
  t.end();
});

t.test('no two families call the same operation of the golden fixtures', (t) => {
  const names = Object.values(caseFamilies).flatMap(({ golden = {} }) => Object.keys(golden));
  t.same(names.sort(), Object.keys(goldenAdapters).sort());
  t.end();
});
