// Dawn writes two warnings straight to the standard error of its process whenever it looks for adapters, and has no switch for
// them. They say nothing to a user, so they are taken out of what such a process, being a child, has written.

const warning =
  /^Warning: maxDynamic(?:Uniform|Storage)BuffersPerPipelineLayout artificially reduced from \d+ to \d+ to fit .*$/;
const BEGINNING = 'Warning: maxDynamic';

/** Whether a line may still become a warning. */
const mayBecome = (part: string): boolean => BEGINNING.startsWith(part) || part.startsWith(BEGINNING);

/** A filter for a stream of text: takes chunks as they come, and hands on what is no warning without delay. */
export class DawnFilter {
  readonly #write: (text: string) => void;
  #held = '';

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  add(chunk: string): void {
    const lines = `${this.#held}${chunk}`.split('\n');
    const last = lines.pop()!;
    // What has been handed on of a line is no beginning of a warning.
    this.#held = mayBecome(last) ? last : '';
    const kept = lines.filter((line) => !warning.test(line)).map((line) => `${line}\n`);
    const text = kept.join('') + (this.#held ? '' : last);
    if (text) this.#write(text);
  }

  /** Hands on what was held back. */
  end(): void {
    if (this.#held && !warning.test(this.#held)) this.#write(this.#held);
    this.#held = '';
  }
}

export function withoutDawnWarnings(text: string): string {
  let rest = '';
  const filter = new DawnFilter((part) => (rest += part));
  filter.add(text);
  filter.end();
  return rest;
}
