// Commands that compute in this very process run as its child, so that what Dawn writes to standard error can be filtered.
// Everything else is handed through: output, signals, the status, whether standard error is a terminal.
import { fork } from 'node:child_process';
import path from 'node:path';
import { DawnFilter } from '../runner/dawn-warnings.ts';
import { actAsTerminal, canRedraw, hasColour } from './colour.ts';
import { sayText } from './output.ts';

/** The first word of a child's command line, never a user's: `--child=terminal,colour`. */
const CHILD = '--child=';

/** Commands that may open a GPU in their own process. */
const opening = ['bench', 'doctor', 'golden', 'predict'];

function mayOpenGpu([command = '', ...words]: readonly string[]): boolean {
  const device = words[words.indexOf('--device') + 1];
  // `bench` measures on other devices besides.
  const isElsewhere =
    command !== 'bench' && words.includes('--device') && (device === 'wasm' || device === 'reference');
  return opening.includes(command) && !isElsewhere;
}

/**
 * Runs the command in a child where it may open a GPU. Resolves to its status, or to undefined where the command is to run here:
 * it needs no child, or this is one.
 */
export async function supervise(): Promise<number | undefined> {
  const [program = '', first = '', ...rest] = process.argv.slice(1);
  if (first.startsWith(CHILD)) {
    process.argv.splice(2, 1);
    const facts = first.slice(CHILD.length).split(',');
    actAsTerminal({ redraws: facts.includes('terminal'), colour: facts.includes('colour') });
    process.on('disconnect', () => process.exit(1));
    return undefined;
  }
  // A Node that was started through a dynamic loader (as bench/pack does) cannot be started again by its path.
  const isLoader = path.basename(process.execPath).startsWith('ld-');
  if (isLoader || !mayOpenGpu([first, ...rest])) return undefined;
  const facts = [...(canRedraw(process.stderr) ? ['terminal'] : []), ...(hasColour() ? ['colour'] : [])];
  const child = fork(program, [`${CHILD}${facts.join()}`, first, ...rest], {
    stdio: ['inherit', 'inherit', 'pipe', 'ipc'],
  });
  const filter = new DawnFilter(sayText);
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => filter.add(chunk));
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  const forward = (signal: NodeJS.Signals): void => void child.kill(signal);
  signals.forEach((signal) => process.on(signal, forward));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status, signal) => {
      filter.end();
      signals.forEach((each) => process.off(each, forward));
      // What ended the child ends this process too.
      if (signal) process.kill(process.pid, signal);
      else resolve(status ?? 1);
    });
  });
}
