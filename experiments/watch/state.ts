// What the server of `wgrad watch` tells its page: folders, the runs in them with their states, and the curves of a group of runs.

/** `stopped`: begun, and no command is at work on it. */
export type RunStateName = 'waiting' | 'running' | 'done' | 'failed' | 'stopped';

/** How far something is that goes on. */
export interface Pace {
  /** Share of its steps done, 0 to 1. */
  readonly share?: number | undefined;
  readonly stepsPerSecond?: number | undefined;
  readonly secondsLeft?: number | undefined;
}

/** One run of one seed. */
export interface RunState extends Pace {
  readonly seed: number;
  readonly state: RunStateName;
  /** Of the process that finished it. */
  readonly seconds?: number | undefined;
  /** The most bytes that its tensors held. */
  readonly peakBytes?: number | undefined;
  /** Why it failed, or what is wrong with its files. */
  readonly message?: string | undefined;
}

/** The runs of one kind with the same settings, of all seeds. */
export interface GroupState {
  /** Names the group within its folder. */
  readonly id: string;
  readonly paper: string;
  readonly run: string;
  /** Tells groups of the same run with other settings apart. */
  readonly fingerprint: string | undefined;
  /** Another one when the curves, the metrics or the pictures are others. */
  readonly version: string;
  readonly hasCurves: boolean;
  /** Rows of sample pictures of its first seed. */
  readonly pictures: number;
  readonly runs: readonly RunState[];
}

/** `missing`: there is no such folder; `empty`: nothing in it is of a run; `stopped`: runs are left and no command is at work. */
export type FolderStateName = 'missing' | 'empty' | 'running' | 'stopped' | 'done';

/** A run folder. */
export interface FolderState extends Pace {
  /** As it was given. */
  readonly name: string;
  readonly state: FolderStateName;
  /** Of the last command, as its pace is: how it was called, its times in ISO 8601, its cells. */
  readonly commandLine?: readonly string[] | undefined;
  readonly started?: string | undefined;
  readonly updated?: string | undefined;
  readonly cells?: number | undefined;
  readonly cellsDone?: number | undefined;
  readonly groups: readonly GroupState[];
  /** The last lines that the command has said. */
  readonly log: readonly { readonly at: string; readonly text: string }[];
  /** What could not be read, and why. */
  readonly problems: readonly string[];
}

/** All that is watched. */
export interface WatchState {
  readonly folders: readonly FolderState[];
}

/** Values by seed; null where one is not finite. */
export interface Curve {
  readonly name: string;
  readonly bySeed: readonly { readonly seed: number; readonly values: readonly (number | null)[] }[];
}

/** Numbers that finished runs have ended with. */
export interface Metric {
  readonly name: string;
  readonly bySeed: readonly { readonly seed: number; readonly value: number | null }[];
}

/** The numbers of a group. */
export interface GroupNumbers {
  readonly curves: readonly Curve[];
  readonly metrics: readonly Metric[];
}
