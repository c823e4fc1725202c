// The check of a call against what the function takes: every tensor is one, alive, of a type that is taken and on the device of
// the others; every other argument has its JavaScript type; every option is there; and no argument is left over. A call that
// is right is told by a few comparisons; only one that does not look so is examined for the reason.
import type { DType } from '../kernels/index.ts';
import type { Device } from './devices/device.ts';
import { ConfigError, showGiven } from './errors.ts';
import { nearestName } from './nearest-name.ts';
import {
  declareSignature,
  type HostParameter,
  type OptionsParameter,
  type Signature,
  type TensorParameter,
} from './parameters.ts';
import { checkTensor } from './signature.ts';
import { Tensor } from './tensor.ts';

/** Whether these can be options at all. A tensor is an object too. */
const isOptions = (given: unknown): given is Readonly<Record<string, unknown>> =>
  Object.prototype.toString.call(given) === '[object Object]' && !(given instanceof Tensor);

/** The options of a signature, and which argument they are. */
function optionsOf(signature: Signature): { name: string; place: number; names: string[] } | undefined {
  const entries = Object.entries(signature);
  const place = entries.findIndex(([, parameter]) => 'options' in parameter);
  if (place < 0) return undefined;
  const [name, parameter] = entries[place]!;
  return { name, place, names: Object.keys((parameter as OptionsParameter).options) };
}

/** What to do about an argument that does not belong where it stands. */
function hintFor(operation: string, signature: Signature, place: number, given: unknown): string | undefined {
  const options = optionsOf(signature);
  if (!isOptions(given)) {
    return typeof given === 'number' && Object.values(signature)[place]
      ? 'Several numbers go into one array'
      : undefined;
  }
  if (!options) return place < Object.keys(signature).length ? undefined : `${operation} takes no options`;
  const before = Object.keys(signature).slice(0, options.place);
  return `Options come after the other arguments: ${operation}(${[...before, `{ ${options.names[0]} }`].join(', ')})`;
}

class CallCheck {
  readonly #operation: string;
  readonly #signature: Signature;
  /** That of the first tensor. */
  #device: Device | undefined;

  constructor(operation: string, signature: Signature) {
    this.#operation = operation;
    this.#signature = signature;
  }

  /** Throws for the first argument that is not right. */
  run(args: readonly unknown[]): void {
    const operation = this.#operation;
    const entries = Object.entries(this.#signature);
    entries.forEach(([name, parameter], place) => {
      if ('options' in parameter) this.#checkOptions(name, parameter, args[place]);
      else if ('dtypes' in parameter) this.#checkTensors(name, parameter, args[place]);
      else this.#checkHost(name, parameter, args[place], hintFor(operation, this.#signature, place, args[place]));
    });
    const surplus = args.findIndex((given, place) => place >= entries.length && given !== undefined);
    if (surplus < 0) return;
    const names = entries.map(([name]) => name).join(', ');
    throw new ConfigError('too many arguments', {
      operation,
      argument: `arguments[${surplus}]`,
      expected: entries.length ? `${operation}(${names})` : 'no arguments',
      given: showGiven(args[surplus]),
      hint: hintFor(operation, this.#signature, surplus, args[surplus]),
    });
  }

  #checkTensors(argument: string, parameter: TensorParameter, given: unknown): void {
    if (given === undefined && parameter.optional) return;
    if (typeof given === 'number' && parameter.orNumber) return;
    if (parameter.list && Array.isArray(given)) {
      // A loop by place, since forEach would step over a hole.
      for (let i = 0; i < given.length; i++) {
        this.#checkTensors(`${argument}[${i}]`, { dtypes: parameter.dtypes }, given[i]);
      }
      return;
    }
    checkTensor(this.#operation, argument, given, parameter.dtypes, this.#device);
    this.#device ??= given.device;
  }

  #checkHost(argument: string, parameter: HostParameter, given: unknown, hint?: string): void {
    if (given === undefined ? parameter.optional : parameter.accepts(given)) return;
    const { expected, reason, error: Refusal } = parameter;
    throw new Refusal(reason, { operation: this.#operation, argument, expected, given: showGiven(given), hint });
  }

  #checkOptions(argument: string, { options, needed }: OptionsParameter, given: unknown): void {
    const names = Object.keys(options);
    if (given === undefined && !needed) return;
    if (!isOptions(given)) {
      const expected = `an object with ${names.join(', ')}`;
      const details = { operation: this.#operation, argument, expected, given: showGiven(given) };
      throw new ConfigError('not options', details);
    }
    for (const key in given) {
      const parameter = options[key];
      if (!parameter) throw this.#unknown(key, names);
      if (given[key] === undefined) continue;
      if ('dtypes' in parameter) this.#checkTensors(key, parameter, given[key]);
      else this.#checkHost(key, parameter, given[key]);
    }
    for (const key of needed ?? []) {
      if (given[key] === undefined) this.#checkHost(key, options[key] as HostParameter, undefined);
    }
  }

  #unknown(key: string, names: readonly string[]): ConfigError {
    const near = nearestName(key, names);
    return new ConfigError('there is no such option', {
      operation: this.#operation,
      argument: key,
      expected: names.length ? `one of ${names.join(', ')}` : 'no options',
      given: showGiven(key),
      hint: near && `Did you mean '${near}'?`,
    });
  }
}

/** A parameter with every field there, so that one piece of machine code serves all. */
interface Step {
  readonly kind: 'tensor' | 'host' | 'options';
  readonly optional: boolean;
  readonly orNumber: boolean;
  readonly dtypes: readonly DType[];
  readonly accepts: (given: unknown) => boolean;
  /** Names of options, and what each must be. */
  readonly names: readonly string[];
  readonly options: readonly Step[];
  readonly needed: readonly string[];
}

const never = (): boolean => false;

function stepOf(parameter: Signature[string]): Step {
  const none = { optional: false, orNumber: false, dtypes: [], accepts: never, names: [], options: [], needed: [] };
  if ('options' in parameter) {
    const names = Object.keys(parameter.options);
    const options = Object.values(parameter.options).map(stepOf);
    return { ...none, kind: 'options', optional: !parameter.needed, names, options, needed: parameter.needed ?? [] };
  }
  const { optional = false } = parameter;
  if (!('dtypes' in parameter)) return { ...none, kind: 'host', optional, accepts: parameter.accepts };
  return { ...none, kind: 'tensor', optional, orNumber: parameter.orNumber ?? false, dtypes: parameter.dtypes };
}

/** The device of the call that is being looked at. */
let seen: Device | undefined;

function isTensor({ dtypes, orNumber }: Step, given: unknown): boolean {
  if (!(given instanceof Tensor)) return orNumber && typeof given === 'number';
  if (given.disposed || !dtypes.includes(given.dtype)) return false;
  if (seen === undefined) seen = given.device;
  return given.device === seen;
}

function areOptions({ names, options, needed }: Step, given: unknown): boolean {
  if (typeof given !== 'object' || given === null || Object.getPrototypeOf(given) !== Object.prototype) return false;
  const values = given as Readonly<Record<string, unknown>>;
  for (const name in values) {
    // There are few of them: a loop finds one sooner than a map.
    let at = 0;
    while (at < names.length && names[at] !== name) at++;
    if (at === names.length) return false;
    const value = values[name];
    if (value !== undefined && !isRight(options[at]!, value)) return false;
  }
  for (let i = 0; i < needed.length; i++) if (values[needed[i]!] === undefined) return false;
  return true;
}

function isRight(step: Step, given: unknown): boolean {
  if (given === undefined) return step.optional;
  if (step.kind === 'tensor') return isTensor(step, given);
  return step.kind === 'host' ? step.accepts(given) : areOptions(step, given);
}

function looksRight(steps: readonly Step[], args: readonly unknown[]): boolean {
  if (args.length > steps.length) return false;
  seen = undefined;
  for (let i = 0; i < steps.length; i++) if (!isRight(steps[i]!, args[i])) return false;
  return true;
}

/** The check of calls of one function. */
export function compileCheck(operation: string, signature: Signature): (args: readonly unknown[]) => void {
  const steps = Object.values(signature).map(stepOf);
  return (args) => {
    if (!looksRight(steps, args)) new CallCheck(operation, signature).run(args);
  };
}

/**
 * Declares what a public function or constructor takes that is no operation, and returns the check of its arguments, which
 * hands them back:
 *
 *     const takesStep = takes('stepLR', { baseLr: number, options: requiredOptions<StepOptions>({ ... }) });
 *     export function stepLR(...args: [baseLr: number, options: StepOptions]): Schedule {
 *       const [baseLr, { stepSize, gamma = 0.1 }] = takesStep(args);
 */
export function takes(operation: string, signature: Signature): <A extends readonly unknown[]>(args: A) => A {
  declareSignature(operation, signature);
  const check = compileCheck(operation, signature);
  return (args) => {
    check(args);
    return args;
  };
}
