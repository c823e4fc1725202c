// Lifetimes. A scope owns the tensors and tape nodes made while it is the innermost one and releases them at its end:
//
//   using step = scope()
//
// Scopes nest like a stack. Tensors made outside of any scope live until `dispose()`. Parameters and the gradients of
// leaves belong to their owner, not to a scope.
import { takes } from './call-check.ts';
import { ConfigError } from './errors.ts';
import { callback } from './parameters.ts';

/** What a scope can own: a tensor handle or a tape node. */
export interface Owned {
  owner: Scope | undefined;
  dispose(): void;
}

/** An object whose `keep` pulls others along: a tensor keeps the tape nodes it depends on. */
export interface Keepable extends Owned {
  keptWith?(): Iterable<Owned>;
}

let innermost: Scope | undefined;

/** Tensors that are released together. */
export class Scope {
  readonly #owned = new Set<Owned>();
  readonly #parent: Scope | undefined;
  #ended = false;

  constructor(parent: Scope | undefined) {
    this.#parent = parent;
  }

  add(item: Owned): void {
    item.owner = this;
    this.#owned.add(item);
  }

  remove(item: Owned): void {
    this.#owned.delete(item);
    item.owner = undefined;
  }

  /** Lets items outlive this scope: they pass to the enclosing scope, or to the caller where there is none. */
  keep<T extends Keepable>(item: T): T {
    for (const each of [item, ...(item.keptWith?.() ?? [])]) {
      if (each.owner !== this) continue;
      this.remove(each);
      this.#parent?.add(each);
    }
    return item;
  }

  /** Gives all that it owns to the enclosing scope, or to the caller where there is none. */
  passOn(): void {
    for (const item of this.#owned) {
      item.owner = undefined;
      this.#parent?.add(item);
    }
    this.#owned.clear();
  }

  /** Releases all but the first `count` of what it owns, in the order in which it came. */
  releaseFrom(count: number): void {
    for (const item of [...this.#owned].slice(count)) item.dispose();
  }

  /** Number of tensors and tape nodes it owns now. */
  get size(): number {
    return this.#owned.size;
  }

  [Symbol.dispose](): void {
    if (this.#ended) return;
    if (innermost !== this) {
      throw new ConfigError('scopes must end in the reverse order in which they began', {
        operation: 'scope',
        hint: 'Use one `using` declaration per block, and do not run two scoped computations at once',
      });
    }
    this.#ended = true;
    innermost = this.#parent;
    for (const item of this.#owned) {
      item.owner = undefined;
      item.dispose();
    }
    this.#owned.clear();
  }
}

/** `scope` for the engine itself. */
export function beginScope(): Scope {
  innermost = new Scope(innermost);
  return innermost;
}

const takesScope = takes('scope', {});

/** Begins a scope that ends with the block of its `using` declaration, across awaits too. */
export function scope(...args: []): Scope {
  takesScope(args);
  return beginScope();
}

const takesTidy = takes('tidy', { body: callback });

/** Runs `body` in a scope and keeps the tensors it returns. */
export function tidy<T extends Keepable | readonly (Keepable | undefined)[] | undefined | void>(
  ...args: [body: () => T]
): T {
  const [body] = takesTidy(args);
  const inner = beginScope();
  try {
    const result = body();
    const kept = (Array.isArray(result) ? result : [result]) as readonly (Keepable | undefined)[];
    for (const item of kept) if (item) inner.keep(item);
    return result;
  } finally {
    inner[Symbol.dispose]();
  }
}

export const innermostScope = (): Scope | undefined => innermost;

/** Runs `body` in a scope that gives all to the one around it, unless it throws. */
export function inOwnScope<T>(body: () => T): T {
  using made = beginScope();
  const result = body();
  made.passOn();
  return result;
}

/** Gives an item to the innermost scope, if there is one. */
export function own(item: Owned): void {
  innermost?.add(item);
}

/** Takes an item out of whatever scope owns it. */
export function disown(item: Owned): void {
  item.owner?.remove(item);
}
