// Gradcheck and double gradcheck over the registry, on the float64 reference device. An operation without a case fails.
import t from 'tap';
import { createDevice, observeOperations, registry, scope, setDefaultDevice } from '../../engine/index.ts';
import { gradcheck, gradgradcheck } from '../../engine/gradcheck.ts';
import { cases } from '../../experiments/verification/operations/cases.ts';
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

t.test('every operation has a case, and a reason where it has no gradient', (t) => {
  const covered = new Set(cases.flatMap(({ operations }) => operations));
  for (const { name, differentiable, noGradient } of registry()) {
    t.ok(covered.has(name), `${name} has a case in experiments/verification/operations/cases*.ts`);
    t.equal(noGradient === undefined, differentiable, `${name} has a vjp or a reason why not: ${noGradient}`);
  }
  t.end();
});
