// Errors that teach: which operation, which argument, what was expected, what came, and what to do.
// The call site is the first stack frame outside the engine, so a shape error names the caller's own line.

/** What an error knows of its cause, as data. */
export interface ErrorDetails {
  /** Operation or part that refuses, for example `conv2d`. */
  operation?: string;
  argument?: string;
  expected?: string;
  given?: string;
  hint?: string;
  cause?: unknown;
}

/** Folder of the package: what lies before dist/ in the path of this module, or all of it in a foreign bundle. */
const here = import.meta.url.replace(/^file:\/\//, '');
const root = here.includes('/dist/') ? here.slice(0, here.lastIndexOf('/dist/')) : here;

/** Frames of the engine itself, bundled or mapped to its sources, and of the host. */
function isInternal(place: string): boolean {
  if (/^node:|^wasm:/.test(place)) return true;
  const path = place.replace(/^file:\/\//, '');
  if (!path.startsWith(root)) return false;
  return /^\/(engine|kernels)\/|^\/dist\/(?!(test|bench|experiments|models)\/)|^:\d/.test(path.slice(root.length));
}

/** Frames to look through: those of the engine come first, and V8 keeps ten unless told otherwise. */
const STACK_FRAMES = 48;

/** Runs `body` with stacks deep enough to reach the caller. */
function withDeepStack<T>(body: () => T): T {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = Math.max(limit, STACK_FRAMES);
  try {
    return body();
  } finally {
    Error.stackTraceLimit = limit;
  }
}

const stackHere = (): string | undefined => withDeepStack(() => new Error().stack);

/** `file:line:column` of the first frame that is not in the engine, or undefined where stacks are not available. */
export function callSite(stack: string | undefined = stackHere()): string | undefined {
  for (const line of stack?.split('\n').slice(1) ?? []) {
    const place = /(?:\(|at (?:async )?)([^()\s]+:\d+:\d+)\)?$/.exec(line.trim())?.[1];
    if (place && !isInternal(place)) return place.replace(/^file:\/\//, '');
  }
  return undefined;
}

/** The base of all errors that this package throws. */
export class WgradError extends Error {
  readonly details: ErrorDetails;
  /** The message without its details. */
  readonly reason: string;
  /** Where the failing call stands in the user's code. */
  readonly site: string | undefined;

  constructor(message: string, details: ErrorDetails = {}) {
    const { operation, argument, expected, given, hint } = details;
    let text = operation ? `${operation}: ${message}` : message;
    if (argument) text += ` (argument '${argument}')`;
    if (expected !== undefined) text += `; expected ${expected}`;
    if (given !== undefined) text += `, got ${given}`;
    if (hint) text += `. ${hint}`;
    super(text, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = new.target.name;
    this.details = details;
    this.reason = message;
    this.site = callSite();
    if (this.site) this.message += ` [at ${this.site}]`;
  }
}

/** Shapes that do not fit, at the line of the call. */
export class ShapeError extends WgradError {}
/** An element type that the operation does not take. */
export class DTypeError extends WgradError {}
/** A device that is not there, or tensors of two devices in one call. */
export class DeviceError extends WgradError {}
/** The adapter was lost; every tensor on it is gone. */
export class DeviceLostError extends WgradError {}
/** The device has no room left. */
export class OutOfMemoryError extends WgradError {}
/** A tensor used after its scope ended or it was disposed of. */
export class UseAfterFreeError extends WgradError {}
/** A file or record that is not what its format says. Names the file and the byte. */
export class DataError extends WgradError {}
/** A file that cannot be written: which, and why. */
export class WriteError extends WgradError {}

const KEYS_IN_MESSAGE = 20;

/** A state dict that does not fit the module. Its message lists the first keys that do not match, its fields all. */
export class StateDictError extends DataError {
  readonly missing: readonly string[];
  readonly unexpected: readonly string[];
  /** Keys of both whose shapes or types differ, with the difference. */
  readonly unfit: readonly string[];

  constructor(
    source: string | undefined,
    { missing, unexpected }: { missing: readonly string[]; unexpected: readonly string[] },
    unfit: readonly string[],
  ) {
    const list = (what: string, keys: readonly string[]): string[] => {
      const more = keys.length > KEYS_IN_MESSAGE ? `, ... (${keys.length})` : '';
      return keys.length ? [`${what}: ${keys.slice(0, KEYS_IN_MESSAGE).join(', ')}${more}`] : [];
    };
    super(`${source ?? 'the state dict'} does not fit the module`, {
      operation: 'loadStateDict',
      given: [...list('missing', missing), ...list('unexpected', unexpected), ...list('different', unfit)].join('; '),
      hint: unfit.length
        ? 'Build the module with the options of the checkpoint'
        : 'Pass { strict: false } to load what matches',
    });
    this.missing = missing;
    this.unexpected = unexpected;
    this.unfit = unfit;
  }
}
/** Options that contradict each other or name something unknown. */
export class ConfigError extends WgradError {}
/** A function under `checkpoint` that computed something else when it was run again. */
export class RecomputationError extends WgradError {}
/** A NaN or infinity where there must be none. Names the first operation that made one. */
export class NonFiniteError extends WgradError {}

export const showShape = (shape: readonly number[]): string => `[${shape.join(', ')}]`;

const LONGEST_LIST = 12;

/** A value that came from outside, for a message: short, and told apart from others that print alike. */
export function showGiven(given: unknown): string {
  if (typeof given === 'string') return `'${given}'`;
  if (typeof given === 'bigint') return `${given}n`;
  if (typeof given === 'function') return 'a function';
  if (typeof given !== 'object' || given === null) return String(given);
  if (Array.isArray(given)) {
    const shown = Array.from(given.slice(0, LONGEST_LIST), (item) => (Array.isArray(item) ? '[...]' : showGiven(item)));
    return `[${shown.join(', ')}${given.length > LONGEST_LIST ? ', ...' : ''}]`;
  }
  const kind = Object.prototype.toString.call(given).slice('[object '.length, -1);
  if (kind !== 'Object') return `an object of ${kind}`;
  const made = (given as { constructor?: { name?: string } }).constructor?.name;
  return made && made !== 'Object' ? `an object of ${made}` : `{ ${Object.keys(given).join(', ')} }`;
}
