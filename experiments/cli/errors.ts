// How errors end a command: one clear line, exit status 2 for input that cannot work, 1 for anything else that failed.
import { ConfigError, DataError, DeviceError } from '../../engine/index.ts';

export const EXIT_FAILED = 1;
export const EXIT_BAD_INPUT = 2;

/** The message without the places in our own code, which say nothing about a command line. */
export const plainMessage = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).replace(/ \[at [^\]]+:\d+:\d+\]/g, '');

export const exitStatus = (error: unknown): number =>
  error instanceof ConfigError || error instanceof DataError || error instanceof DeviceError
    ? EXIT_BAD_INPUT
    : EXIT_FAILED;
