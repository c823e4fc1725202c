// Every public operation against its table of refusals, and against what its signature rules out: released tensors, wrong
// element types, tensors of two devices, and what is not a tensor. An exported operation without rows fails.
import t from 'tap';
import { publicSignatures } from '../../engine/operation.ts';
import * as w from '../../engine/index.ts';
import * as ops from '../../engine/ops/index.ts';
import { DeviceError, DTypeError, UseAfterFreeError } from '../../engine/index.ts';
import type { Signature, TensorParameter } from '../../engine/signature.ts';
import { isClass } from '../../experiments/verification/operations/torch.ts';
import { checkRefusal } from './refusal.ts';
import type { Arguments, Refusal } from './refusal-rows.ts';
import { refusals } from './refusal-table.ts';

const device = await w.createDevice('reference');
const other = await w.createDevice('reference');
w.setDefaultDevice(device);

type Call = (...args: never[]) => unknown;
/** What is public, and the operations that are the engine's own. */
const exported: Readonly<Record<string, unknown>> = { ...ops, ...w };
const signatures = publicSignatures();

/** One tensor in the arguments of a call: its name, its parameter, and the call with another in its place. */
interface Place {
  argument: string;
  parameter: TensorParameter;
  tensor: w.Tensor;
  replace: (value: unknown) => Arguments;
}

function tensorsOf(signature: Signature, args: Arguments): Place[] {
  const places: Place[] = [];
  Object.entries(signature).forEach(([name, parameter], at) => {
    const given = args[at];
    const put = (value: unknown): Arguments => args.with(at, value);
    if (given === undefined) return;
    if ('options' in parameter) {
      for (const [key, inside] of Object.entries(parameter.options)) {
        if (!('dtypes' in inside)) continue;
        const tensor = (given as Record<string, unknown>)[key];
        const replace = (value: unknown): Arguments => put({ ...(given as object), [key]: value });
        if (tensor instanceof w.Tensor) places.push({ argument: key, parameter: inside, tensor, replace });
      }
    } else if (!('dtypes' in parameter)) {
      return;
    } else if (Array.isArray(given)) {
      (given as w.Tensor[]).forEach((tensor, i) => {
        const replace = (value: unknown): Arguments => put(given.with(i, value));
        places.push({ argument: `${name}[${i}]`, parameter, tensor, replace });
      });
    } else if (given instanceof w.Tensor) {
      places.push({ argument: name, parameter, tensor: given, replace: put });
    }
  });
  return places;
}

const zerosOn = (on: w.Device, like: w.Tensor, dtype: w.DType): w.Tensor => w.zeros(like.shape, { device: on, dtype });

/** The refusals that follow from the signature. */
function generic(signature: Signature, good: () => Arguments): Refusal[] {
  const rows: Refusal[] = [];
  tensorsOf(signature, good()).forEach(({ argument, parameter, tensor }, at) => {
    const withValue = (make: () => unknown) => () => tensorsOf(signature, good())[at]!.replace(make());
    const released = (): w.Tensor => {
      const x = zerosOn(device, tensor, tensor.dtype);
      x.dispose();
      return x;
    };
    rows.push({ argument, error: UseAfterFreeError, args: withValue(released) });
    rows.push({ argument, error: DTypeError, args: withValue(() => 'a text') });
    if (!parameter.orNumber) rows.push({ argument, error: DTypeError, args: withValue(() => 1) });
    for (const dtype of ['float32', 'int32', 'bool'] as const) {
      if (parameter.dtypes.includes(dtype)) continue;
      rows.push({ argument, error: DTypeError, args: withValue(() => zerosOn(device, tensor, dtype)) });
    }
    if (at > 0) {
      rows.push({ argument, error: DeviceError, args: withValue(() => zerosOn(other, tensor, tensor.dtype)) });
    }
  });
  return rows;
}

for (const [name, { good, rows }] of Object.entries(refusals)) {
  t.test(name, (t) => {
    using _ = w.scope();
    const f = exported[name] as Call;
    t.doesNotThrow(() => f(...(good() as never[])), 'the good call works');
    const signature = signatures.get(name)!;
    t.ok(signature, 'it has a signature');
    const made = generic(signature, good);
    t.ok(made.length > 0, 'it takes tensors');
    for (const { args, ...refusal } of [...made, ...rows]) {
      checkRefusal(t, { f, args: args(), operation: name, ...refusal });
    }
    t.end();
  });
}

t.test('every exported operation has rows', (t) => {
  const missing = [...signatures.keys()].filter((name) => typeof exported[name] === 'function' && !(name in refusals));
  t.same(missing, [], 'what is missing goes into a file test/engine/refusal-*.ts');
  t.same(
    Object.keys(refusals).filter((name) => !signatures.has(name)),
    [],
    'and every row an operation',
  );
  t.end();
});

/** Exported functions that are no operations on tensors. Classes have tables of their own (refusals-made.test.ts). */
const others = new Set(
  (
    'applySchedule arange checkpoint clipGradNorm clipGradValue compile concat cosineLR createDevice defaultDevice defineComposite defineOperation detectAnomaly exponentialLR eye full grad gradEnabled ' +
    'gradcheck gradgradcheck lambdaLR largestHolders linearLR linspace liveTensorCount loadCheckpoint manualSeed multiStepLR noGrad observeOperations ' +
    'chromeTrace oneCycleLR ones parameter polynomialLR profiled rand randn random readCheckpoint readSafetensors readStateDict region registry saveCheckpoint scope setDefaultDevice stepLR summarize ' +
    'tensor tensorFromBuffer tensorToBuffer tidy toDevice toStateDict trackTensors writeSafetensors writeStateDict zeros'
  ).split(' '),
);

t.test('every exported function is an operation with a signature, or known to be none', (t) => {
  const functions = Object.entries(exported).flatMap(([name, value]) =>
    typeof value === 'function' && !isClass(value) ? [name] : [],
  );
  t.same(
    functions.filter((name) => !signatures.has(name) && !others.has(name)),
    [],
  );
  t.end();
});

t.test('an error inside of a composite carries its name and says where it was', (t) => {
  using _ = w.scope();
  const inner = w.defineComposite('brokenComposite', (x: w.Tensor) => w.add(x, w.zeros([5])), {});
  t.throws(() => inner(w.zeros([2, 3])), {
    name: 'ShapeError',
    message: /^brokenComposite: shapes do not broadcast \(in add, 'b'\)/,
    site: /refusals\.test/,
  });
  t.end();
});
