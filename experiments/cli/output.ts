// What a command says: results on stdout, everything else on stderr. Nothing that cannot be written is passed over:
//
//   a full disk, a closed device    said at once on stderr; the command goes on, for its files may still be written, and ends
//                                   with status 1 where it would have ended with 0
//   a reader that has gone (EPIPE)  no error: the rest is not printed. A command goes on to its end, and its status says what
//                                   became of it; one whose output is all there is may stop (`stopWithoutReader`, status 141)
//   closed beforehand (`>&-`)       Node opens /dev/null in its place: as if that had been asked for
import { fstatSync, writeSync } from 'node:fs';
import { setImmediate as turn } from 'node:timers/promises';

/** As of a program that SIGPIPE has ended. */
const EXIT_PIPE = 141;

interface Output {
  readonly stream: NodeJS.WriteStream;
  /** Whether it is a file on a disk, which may take a part of the results. */
  isFile?: boolean;
  readerGone: boolean;
  fault?: NodeJS.ErrnoException;
}

const stdout: Output = { stream: process.stdout, readerGone: false };
const stderr: Output = { stream: process.stderr, isFile: false, readerGone: false };
let stopsWithoutReader = false;

const STDOUT = 1;

function isFile(): boolean {
  try {
    return fstatSync(STDOUT).isFile();
  } catch {
    return false;
  }
}

function failed(output: Output, error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') {
    output.readerGone = true;
    if (output === stdout && stopsWithoutReader) process.exit(EXIT_PIPE);
    return;
  }
  const isFirst = output.fault === undefined;
  output.fault ??= error;
  if (isFirst && output === stdout) say(`wgrad: the output cannot be written: ${error.message}`);
}

/** Writes to stdout, a file: Node's own stream leaves out what a disk did not take of its last write. */
function writeFile(text: string): void {
  const bytes = Buffer.from(text);
  try {
    for (let done = 0; done < bytes.length;) done += writeSync(STDOUT, bytes, done);
  } catch (error) {
    failed(stdout, error as NodeJS.ErrnoException);
  }
}

function write(output: Output, text: string): void {
  if (output.readerGone) return;
  output.isFile ??= isFile();
  if (output.isFile) writeFile(text);
  else output.stream.write(text);
}

/** A text as it is, on stdout. */
export const printText = (text: string): void => write(stdout, text);
/** A line of results, on stdout. */
export const print = (line: string): void => write(stdout, `${line}\n`);
/** A text as it is, on stderr. */
export const sayText = (text: string): void => write(stderr, text);
/** A line of anything else, on stderr. */
export const say = (line: string): void => write(stderr, `${line}\n`);

/** Whether the one who read stdout has gone. */
export const isReaderGone = (): boolean => stdout.readerGone;

/** From now on the command ends when the reader of stdout goes: it leaves nothing else. */
export function stopWithoutReader(): void {
  stopsWithoutReader = true;
}

/** Listens for what could not be written. To be called once, before anything is. */
export function watchOutput(): void {
  for (const output of [stdout, stderr]) {
    output.stream.on('error', (error: NodeJS.ErrnoException) => failed(output, error));
  }
}

/** Resolves when all has been written, to the status of a command that ends with `status`. */
export async function statusOfOutput(status: number): Promise<number> {
  for (const { stream } of [stdout, stderr]) {
    if (stream.writableLength > 0) await new Promise<void>((resolve) => stream.write('', () => resolve()));
  }
  await turn();
  return status === 0 && (stdout.fault ?? stderr.fault) ? 1 : status;
}
