// SIGINT, SIGTERM and SIGHUP. The first one asks a command to stop cleanly, the second one ends it at once. The status is
// the shell's for the first one: 130, 143, 129.
import os from 'node:os';

const names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
type SignalName = (typeof names)[number];

const statusOf = (name: SignalName): number => 128 + os.constants.signals[name];

/**
 * Runs `body`, whose signal is aborted by the first signal of the process. Returns what it resolves to and, if there was a signal,
 * the status to end with. Files half written and workers end with the process.
 */
export async function untilSignal<T>(
  body: (signal: AbortSignal) => Promise<T>,
): Promise<{ result: T; stoppedWith: number | undefined }> {
  const stop = new AbortController();
  let stoppedWith: number | undefined;
  const hear = (name: SignalName): void => {
    if (stoppedWith !== undefined) process.exit(stoppedWith);
    stoppedWith = statusOf(name);
    stop.abort();
  };
  names.forEach((name) => process.on(name, hear));
  try {
    const result = await body(stop.signal);
    return { result, stoppedWith };
  } finally {
    names.forEach((name) => process.off(name, hear));
  }
}
