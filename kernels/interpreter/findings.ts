// What a run of a shader found wrong: data races, barriers that not all invocations reach, subgroup operations that not the whole
// subgroup reaches, and indices outside of an array. Reads past the end of a buffer (`overread`) are no error: WebGPU gives some word
// of the buffer, or zero, and shaders without branches read words that they do not use.

/** An invocation by its workgroup and its place there. */
export interface Invocation {
  readonly workgroup: readonly [number, number, number];
  readonly local: readonly [number, number, number];
}

/** What was found in a dispatch, with the lines and the invocations. */
export interface Finding {
  readonly kind: 'race' | 'barrier' | 'subgroup' | 'bounds' | 'overread';
  /** One sentence. */
  readonly message: string;
  /** Of the module's text, counting from 1: where it happened, and where the other invocation was. */
  readonly line: number;
  readonly otherLine?: number;
  readonly invocation: Invocation;
  readonly other?: Invocation;
  /** How often the same happened at these lines in this dispatch. */
  readonly count: number;
}

export class Findings {
  readonly #byKey = new Map<string, { -readonly [name in keyof Finding]: Finding[name] }>();

  get all(): readonly Finding[] {
    return [...this.#byKey.values()];
  }

  /** Counts a finding; `make` is called for the first at these lines. */
  add(
    kind: Finding['kind'],
    line: number,
    otherLine: number,
    what: string,
    make: () => Omit<Finding, 'kind' | 'line' | 'count'>,
  ): void {
    const key = `${kind} ${line} ${otherLine} ${what}`;
    const known = this.#byKey.get(key);
    if (known) known.count++;
    else this.#byKey.set(key, { kind, line, ...make(), count: 1 });
  }
}

const show = ({ workgroup, local }: Invocation): string =>
  `(${local.join(', ')}) of workgroup (${workgroup.join(', ')})`;

/** A finding in lines for people, with the lines of the module's text that it is about. */
export function showFinding(finding: Finding, text: string): string {
  const lines = text.split('\n');
  const quote = (line: number): string => `    ${line} | ${lines[line - 1]?.trim() ?? ''}`;
  const { line, otherLine, invocation, other, message, count } = finding;
  const parts = [
    `${message}${count > 1 ? ` (${count} times)` : ''}`,
    `    invocation ${show(invocation)}`,
    quote(line),
  ];
  if (other) parts.push(`    and invocation ${show(other)}`);
  if (otherLine !== undefined && otherLine !== line) parts.push(quote(otherLine));
  return parts.join('\n');
}
