// Misuse of the whole public interface is refused by a named error: options that are not there, arguments too many, null, and
// values of any kind in any place. A function that takes options and declares none fails.
import fc from 'fast-check';
import t from 'tap';
import * as w from '../../engine/index.ts';
import { ConfigError, WgradError } from '../../engine/index.ts';
import { publicSignatures } from '../../engine/operation.ts';
import { declaredSignatures } from '../../engine/parameters.ts';
import { runsOr, seed } from '../property/options.ts';
import { type Callee, host, operations, optionsOf, thrownBy, withOptionsOnly } from './misuse.ts';

const device = await w.createDevice('reference');
w.setDefaultDevice(device);

const callees = [...operations, ...host];

/** The good arguments with the options replaced by `change(options)`; what stands before them is filled up. */
function withOptions(callee: Callee, change: (options: object) => unknown): unknown[] {
  const { place } = optionsOf(callee.signature)!;
  const args = [...callee.good()];
  while (args.length <= place) args.push(undefined);
  args[place] = change((args[place] as object | undefined) ?? {});
  return args;
}

/** The same name as other libraries might write it. */
const misspelt = (name: string): string[] => {
  const snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return [snake, name.toUpperCase(), `${name}s`, name.replace(/^./, (letter) => letter.toUpperCase())].filter(
    (other) => other !== name,
  );
};

t.test('options that are not there', async (t) => {
  for (const callee of callees) {
    const options = optionsOf(callee.signature);
    if (!options) continue;
    using _ = w.scope();
    const { names } = options;
    for (const name of names) {
      for (const wrong of misspelt(name)) {
        if (names.includes(wrong)) continue;
        const args = withOptions(callee, (given) => ({ ...given, [wrong]: 1 }));
        const error = await thrownBy(callee.call, args);
        const label = `${callee.name}, ${wrong}`;
        if (!(error instanceof ConfigError)) {
          t.fail(`${label}: ${String(error)}`);
          continue;
        }
        const { operation, argument, hint } = error.details;
        t.same({ operation, argument }, { operation: callee.name, argument: wrong }, label);
        if (!/s$/.test(wrong)) t.match(hint, `'${name}'`, `${label}: ${error.message}`);
      }
    }
    for (const bad of [null, true, 1, 'mean', [1], [], w.ones([1]), new Map(), () => 1]) {
      const error = await thrownBy(
        callee.call,
        withOptions(callee, () => bad),
      );
      const label = `${callee.name}, ${String(bad)} for options: ${String(error)}`;
      t.ok(error instanceof ConfigError && error.details.operation === callee.name, label);
    }
  }
  const signature = declaredSignatures();
  for (const name of withOptionsOnly) t.ok(optionsOf(signature.get(name)!), `${name} names its options`);
  await t.rejects(w.createDevice('reference', { thread: 1 } as object), { message: /Did you mean 'threads'/ });
  await t.rejects(w.createDevice('reference', null as unknown as object), ConfigError);
  await t.rejects(
    w.gradcheck((x) => x, [], { epsilon: 1 } as object),
    { message: /Did you mean 'eps'/ },
  );
  await t.rejects(
    w.profiled(() => 1, { module: {} } as object),
    { message: /Did you mean 'modules'/ },
  );
  await t.rejects(w.loadCheckpoint('none', new w.nn.ReLU(), { stric: false } as object), { message: /'strict'/ });
  const infer = (): w.OutputSpec[] => [];
  t.throws(() => w.defineOperation({ name: 'misspelt', infer, backward: infer } as object as w.Operation), {
    message: /there is no such option \(argument 'backward'\)/,
  });
  t.throws(() => w.defineComposite('misspelt', infer, { families: 'x' } as object), {
    message: /Did you mean 'family'/,
  });
  await t.rejects(w.saveCheckpoint('none', new Map(), { meta: {} } as object), { message: /'metadata'/ });
});

t.test('arguments too many', async (t) => {
  for (const { name, call, signature, good } of callees) {
    using _ = w.scope();
    const args = [...good()];
    const count = Object.keys(signature).length;
    while (args.length < count) args.push(undefined);
    for (const surplus of [1, null, {}, 'x']) {
      const error = await thrownBy(call, [...args, surplus]);
      const isRefused = error instanceof ConfigError && error.details.operation === name;
      t.ok(isRefused, `${name}, ${String(surplus)}: ${String(error)}`);
    }
    t.equal(await thrownBy(call, [...args, undefined]), undefined, `${name}: undefined counts as no argument`);
  }
});

t.test('options as methods take them, and what other libraries write', (t) => {
  using _ = w.scope();
  const x = w.ones([2, 3]) as unknown as Record<string, (...args: unknown[]) => unknown>;
  const refusedAs = (make: () => unknown, details: object, label: string): void => {
    let thrown: unknown;
    try {
      make();
    } catch (error) {
      thrown = error;
    }
    t.match((thrown as w.WgradError | undefined)?.details, details, `${label}: ${String(thrown)}`);
  };
  const call =
    (name: string, ...args: unknown[]) =>
    () =>
      x[name]!(...args);
  refusedAs(
    call('sum', 0, { keepDim: true }),
    { operation: 'sum', argument: 'keepDim', hint: "Did you mean 'keepdim'?" },
    'keepDim',
  );
  refusedAs(
    call('sum', { keepdim: true }),
    { argument: 'axes', hint: /sum\(x, axes, \{ keepdim \}\)/ },
    'options first',
  );
  refusedAs(call('sum', 0, true), { argument: 'options' }, 'a flag by its place');
  refusedAs(call('flatten', 0, 1), { argument: 'arguments[2]' }, 'a third argument');
  refusedAs(call('permute', 1, 0), { argument: 'axes', hint: 'Several numbers go into one array' }, 'axes one by one');
  refusedAs(
    call('reshape', 3, 2),
    { argument: 'shape', hint: 'Several numbers go into one array' },
    'sizes one by one',
  );
  refusedAs(
    call('relu', { inplace: true }),
    { argument: 'arguments[1]', hint: 'relu takes no options' },
    'relu in place',
  );
  refusedAs(
    () => new w.Adam([w.parameter([1], [1])], { betas: [0.9] as unknown as [number, number] }),
    { operation: 'Adam', argument: 'betas', given: '[0.9]' },
    'one beta',
  );
  refusedAs(() => new w.SGD(w.parameter([1], [1]) as never, { lr: 1 }), { argument: 'parameters' }, 'no array');
  t.end();
});

/** Functions that take nothing, or other functions alone. */
const plain = new Set(
  'chromeTrace checkpoint concat defaultDevice gradEnabled liveTensorCount observeOperations registry'.split(' '),
);

t.test('every public function and constructor declares what it takes', (t) => {
  const isError = (value: unknown): boolean =>
    typeof value === 'function' && (value === WgradError || value.prototype instanceof WgradError);
  const bare = new Set(['Buffer', 'Counter', 'Module', 'ModuleList', 'Optimizer', 'Parameter', 'Sequential', 'Tensor']);
  const known = (name: string): boolean =>
    publicSignatures().has(name) || declaredSignatures().has(name) || plain.has(name) || bare.has(name);
  const everything = { ...w, ...w.nn, random: w.Random } as Readonly<Record<string, unknown>>;
  const missing = Object.entries(everything).flatMap(([name, value]) =>
    typeof value === 'function' && !isError(value) && !known(name) && name !== 'random' ? [name] : [],
  );
  t.same(missing, []);
  const tried = new Set([...callees.map(({ name }) => name), ...withOptionsOnly]);
  const untried = [...declaredSignatures()].flatMap(([name, signature]) =>
    optionsOf(signature) && !tried.has(name) ? [name] : [],
  );
  t.same(untried, [], 'and every one with options has its good call in misuse.ts');
  t.end();
});

const junk = fc.oneof(
  fc.constantFrom<unknown>(undefined, null, true, false, NaN, Infinity, -Infinity, -1, -0, 0, 1, 2, 7, 1.5, 1e300),
  fc.constantFrom<unknown>(
    '',
    'x',
    '2',
    'mean',
    3n,
    [],
    [3],
    [1, 1],
    [0, -1],
    [1.5],
    [NaN],
    ['2'],
    [null],
    [[1]],
    {},
    { axis: 1 },
  ),
  fc.constantFrom<unknown>(new Map(), new Set([1]), new Date(0), Symbol('s'), () => 1, new Int32Array(2), /x/),
  fc
    .constantFrom<() => unknown>(
      () => w.ones([]),
      () => w.ones([0, 3]),
      () => w.zeros([2, 3], { dtype: 'int32' }),
      () => w.ones([3], { dtype: 'bool' }),
      () => {
        const gone = w.ones([2]);
        gone.dispose();
        return gone;
      },
      () => [w.ones([2]), 1],
    )
    .map((make) => ({ make })),
);
const valueOf = (drawn: unknown): unknown =>
  typeof drawn === 'object' && drawn !== null && 'make' in drawn ? (drawn.make as () => unknown)() : drawn;

/** Puts a value at one place of the arguments: an argument, one of its options, or an element of an array. */
function spoil(args: readonly unknown[], at: number, inside: number, value: unknown): unknown[] {
  const given = args[at];
  if (inside % 2 && Array.isArray(given) && given.length)
    return args.with(at, given.with(inside % given.length, value));
  const isPlain = typeof given === 'object' && given !== null && Object.getPrototypeOf(given) === Object.prototype;
  const names = isPlain ? Object.keys(given) : [];
  if (names.length) return args.with(at, { ...(given as object), [names[inside % names.length]!]: value });
  return at < args.length ? args.with(at, value) : [...args, value];
}

t.test('anything anywhere', async (t) => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...callees),
      fc.nat(4),
      fc.nat(7),
      junk,
      async ({ name, call, good }, place, inside, drawn) => {
        using _ = w.scope();
        const args = good();
        const spoilt = spoil(args, place % (args.length + 1), inside, valueOf(drawn));
        const error = await thrownBy(call, spoilt);
        if (error === undefined) return;
        const isNamed = error instanceof WgradError && error.details.operation !== undefined;
        if (!isNamed) throw new Error(`${name} threw ${error instanceof Error ? error.stack : String(error)}`);
      },
    ),
    { seed, numRuns: runsOr(3000), includeErrorInReport: true },
  );
  t.pass('every misuse is refused by a named error');
});
