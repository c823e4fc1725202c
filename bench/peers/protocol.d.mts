// Types of protocol.mjs, which wgrad's own side of the benchmarks shares with the peers.

/** Repeated work: `launch` may return before it is done, `finish` waits for all that was launched. */
export interface Work {
  launch(): void | Promise<void>;
  finish?(): Promise<void>;
}

/** Sizes and settings of a case by name, as sent to peers. */
export type CaseShape = Readonly<Record<string, number | readonly number[] | undefined>>;
export type Sizes<Name extends string> = Readonly<Record<Name, number>>;

export interface Summary {
  rms: number;
  samples: number[];
}

export interface Peer {
  name: string;
  version: string;
  details: string;
  adapter?: string;
  cases: Record<string, (shape: Record<string, never>) => unknown>;
}

export declare function fixedValues(count: number, seed: number): Float32Array;
export declare function summarize(values: ArrayLike<number>): Summary;
export declare function permute(values: Float32Array, shape: readonly number[], axes: readonly number[]): Float32Array;
export declare function repeat(work: Work, seconds: number, shortestMs?: number): Promise<number[]>;
export declare function serve(open: () => Promise<Peer>): Promise<void>;
