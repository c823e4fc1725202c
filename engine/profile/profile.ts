// What a profile holds: plain data, of which the sums (summary.ts) and the trace (trace.ts) are made.
import type { Device } from '../devices/device.ts';

/**
 * What a launch was for: the forward pass, the gradients, the optimiser, or none of these (metrics without gradients,
 * clipping). What is recomputed belongs to backward.
 */
export type Pass = 'forward' | 'backward' | 'update' | 'other';

/** Times are in milliseconds since the profile began. */
export interface Span {
  readonly name: string;
  readonly begin: number;
  readonly end: number;
}

/** Time of one layer. */
export interface LayerSpan extends Span {
  readonly pass: Pass;
}

/** One launch of a kernel. */
export interface ProfiledLaunch {
  readonly kernel: string;
  readonly plan: string;
  readonly layer: string;
  /** The operation, of forward passes the one whose gradient it is, or the kernel where it is part of none. */
  readonly operation: string;
  readonly pass: Pass;
  /** When it ran; without a clock, when it was recorded. */
  readonly begin: number;
  /** Undefined where the device has no clock. */
  readonly milliseconds: number | undefined;
  /** Time of the host: all of it on devices that compute in `launch`, else that of recording. */
  readonly hostMilliseconds: number;
  readonly flops: number;
  /** Each operand moved once. */
  readonly bytes: number;
  /** Bytes that tensors held on the device at this moment. */
  readonly liveBytes: number;
}

/** One training step. */
export interface ProfiledStep extends Span {
  /** Index of its first launch, and of the one after its last. */
  readonly launches: readonly [first: number, end: number];
  readonly submits: number;
}

/** Plain data: it can be sent to another process and written as JSON. */
export interface Profile {
  readonly device: string;
  readonly clock: Device['launchClock'];
  /** The smallest difference of two times that was seen; what is shorter is known to this precision only. */
  readonly clockStep: number | undefined;
  readonly steps: readonly ProfiledStep[];
  readonly launches: readonly ProfiledLaunch[];
  readonly layers: readonly LayerSpan[];
  readonly regions: readonly Span[];
}
