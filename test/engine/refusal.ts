// What a good refusal is: thrown at the call, of the right class, naming operation, argument, expected and given, and the
// caller's own line.
import t from 'tap';
import { scope, WgradError } from '../../engine/index.ts';
import type { ErrorClass } from './refusal-rows.ts';

type Call = (...args: never[]) => unknown;

/** Calls `f` and checks what it throws. */
export function checkRefusal(
  test: Pick<typeof t, 'same' | 'fail'>,
  {
    f,
    args,
    error,
    operation,
    argument,
  }: {
    f: Call;
    args: readonly unknown[];
    error: ErrorClass;
    operation: string;
    argument: string;
  },
): void {
  const label = `${operation}, ${argument}, ${error.name}`;
  let thrown: unknown;
  try {
    f(...(args as never[]));
  } catch (caught) {
    thrown = caught;
  }
  if (!(thrown instanceof WgradError)) {
    test.fail(`${label}: ${thrown === undefined ? 'nothing was thrown' : String(thrown)}`);
    return;
  }
  const { details, site } = thrown;
  const said = {
    error: thrown.constructor.name,
    operation: details.operation,
    argument: details.argument,
    statesExpected: Boolean(details.expected),
    statesGiven: Boolean(details.given),
    namesTheLine: /refusal/.test(site ?? ''),
  };
  const wanted = {
    error: error.name,
    operation,
    argument,
    statesExpected: true,
    statesGiven: true,
    namesTheLine: true,
  };
  test.same(said, wanted, `${label}: ${thrown.message}`);
}

/** An argument, and a call that throws this error and names it. */
export type Row = [argument: string, error: ErrorClass, call: () => unknown];

/** A test of one operation: each of its rows is refused. */
export function checkRows(operation: string, rows: readonly Row[], named = operation): void {
  t.test(named, (t) => {
    using _ = scope();
    t.ok(rows.length > 0);
    for (const [argument, error, f] of rows) checkRefusal(t, { f, args: [], error, operation, argument });
    t.end();
  });
}
