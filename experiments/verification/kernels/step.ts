// One invocation of a shader, statement by statement: the line, what changed since the one before, and the words of memory that it reads
// and writes. Lines that add to what they hold are marked: of a reduction or a product they are the ones that matter.
import type { Access, InterpreterDevice, Program, Step } from '../../../engine/devices/interpreter/index.ts';
import type { Type } from '../../../kernels/interpreter/types.ts';

export interface StepOptions {
  /** Of the whole grid, as `global_invocation_id`. */
  readonly invocation: readonly [number, number, number];
  /** Passes of a plan count from 0. */
  readonly pass: number;
  /** Statements to print; the rest are counted. */
  readonly most: number;
}

const showNumber = (value: number): string =>
  Number.isFinite(value) ? String(Number(value.toPrecision(8))) : String(value);

/** A value as its type says. */
export function showValue(value: unknown, type: Type | undefined): string {
  if (typeof value === 'number') return showNumber(value);
  if (!Array.isArray(value)) return String(value);
  if (type?.kind === 'struct') {
    return `{ ${type.members.map(({ name, type: of }, i) => `${name}: ${showValue(value[i], of)}`).join(', ')} }`;
  }
  const of = type?.kind === 'array' || type?.kind === 'vector' ? type.of : undefined;
  const shown = value.slice(0, MOST_PARTS).map((part) => showValue(part, of));
  return `(${[...shown, ...(value.length > MOST_PARTS ? ['...'] : [])].join(', ')})`;
}

const MOST_PARTS = 16;

/** Keeps what is printed of the statements: each is known in full when the next one begins. */
class Transcript {
  readonly lines: string[] = [];
  readonly adding = new Map<number, number>();
  statements = 0;
  /** Variables as last seen, by function. */
  readonly #before = new Map<string, ReadonlyMap<string, string>>();
  #accesses: string[] = [];
  readonly #most: number;

  constructor(most: number) {
    this.#most = most;
  }

  access({ memory, word, value, isWrite }: Access): void {
    if (this.#accesses.length < MOST_PARTS) {
      this.#accesses.push(`${memory}[word ${word}] ${isWrite ? '=' : 'is'} ${showNumber(value)}`);
    }
  }

  step({ site, name, adds, variables }: Step, program: Program): void {
    const now = new Map(
      variables().map(([variable, type, value]) => [variable, showValue(value, program.types[type])] as const),
    );
    this.#finish(name, now);
    const line = program.sites[site]!.line;
    if (adds) this.adding.set(line, (this.adding.get(line) ?? 0) + 1);
    this.statements++;
    if (this.statements > this.#most) return;
    const source = program.text.split('\n')[line - 1]!.trim();
    this.lines.push(`${adds ? '+' : ' '} ${String(line).padStart(4)} | ${name}: ${source}`);
  }

  /** What the statement before has changed of the variables of the function that goes on, and what it read and wrote. */
  #finish(name: string, now: ReadonlyMap<string, string>): void {
    const before = this.#before.get(name);
    const changed = [...now].filter(([variable, value]) => before?.get(variable) !== value);
    this.#show(changed.map(([variable, value]) => `${variable} = ${value}`));
    this.#before.set(name, now);
  }

  #show(changes: readonly string[]): void {
    if (this.statements <= this.#most) {
      for (const each of [...this.#accesses, ...changes]) this.lines.push(`              ${each}`);
    }
    this.#accesses = [];
  }

  /** After the last statement. */
  end(): void {
    this.#show([]);
  }
}

/**
 * The lines that stepping through an invocation prints, while `run` makes one launch on the device. Throws RangeError where the
 * launch has no such invocation.
 */
export async function stepThrough(
  run: () => Promise<unknown>,
  device: InterpreterDevice,
  { invocation, pass, most }: StepOptions,
): Promise<string[]> {
  const transcript = new Transcript(most);
  let sizes: readonly number[] = [];
  device.watcher = {
    pass,
    invocation,
    step: (step, program) => {
      sizes = program.workgroupSize;
      transcript.step(step, program);
    },
    access: (access) => transcript.access(access),
  };
  try {
    await run();
  } finally {
    device.watcher = undefined;
  }
  const { lines, statements, adding } = transcript;
  if (statements === 0) throw new RangeError(`there is no invocation ${invocation.join(',')} in pass ${pass}`);
  transcript.end();
  const adds = [...adding].map(([line, times]) => `line ${line} adds ${times} times`);
  return [
    `invocation (${invocation.join(', ')}), workgroups of ${sizes.join(' x ')}`,
    ...lines,
    ...(statements > most ? [`... and ${statements - most} statements more`] : []),
    `${statements} statements; ${adds.length > 0 ? adds.join(', ') : 'no line adds to what it holds'}`,
  ];
}
