// `wgrad bench quick`: wgrad beside other engines, measured in turn. What is not installed is reported as absent.
import { rename, writeFile } from 'node:fs/promises';
import os from 'node:os';
import { parseArgs } from 'node:util';
import { DEFAULT_WIDTH } from '../experiments/cli/tables.ts';
import { quickCases } from './cases.ts';
import { busyText, caseText, type Document, machineFacts, versionsOf } from './report.ts';
import { type CaseResult, type Effort, Field, runCase } from './run.ts';

const EXIT_BAD_INPUT = 2;
const quickEffort: Effort = { rounds: 5, secondsPerRound: 0.4, secondsPerPeer: 4 };

const help = `wgrad bench quick [--json] [--out FILE]

Convolutions and a training step on each device, beside TensorFlow.js, jax-js, gpu.js and PyTorch. Takes under three
minutes. Peers are installed with: npm ci --prefix bench/peers (PyTorch: any python3 that can import torch).

  --json      one JSON document on stdout
  --out FILE  writes that document to a file
  --help      this text
`;

interface Options {
  json: boolean;
  out: string | undefined;
  help: boolean;
}

/** Throws Error with one clear line for arguments that make no sense. */
export function parseBenchArgs(args: readonly string[]): Options {
  let parsed;
  try {
    parsed = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        json: { type: 'boolean', default: false },
        out: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    throw new Error((error as Error).message.split('. ')[0], { cause: error });
  }
  const { values, positionals } = parsed;
  if (!values.help && (positionals.length !== 1 || positionals[0] !== 'quick')) {
    const given = positionals.length > 0 ? `'${positionals.join(' ')}'` : 'nothing';
    throw new Error(`expected 'quick', got ${given}`);
  }
  if (values.out === '') throw new Error('--out needs the name of a file');
  return { json: values.json, out: values.out, help: values.help };
}

async function writeDocument(file: string, document: Document): Promise<void> {
  const unfinished = `${file}.${process.pid}.tmp`;
  await writeFile(unfinished, `${JSON.stringify(document, null, 2)}\n`);
  await rename(unfinished, file);
}

/** A line that is written over, on a terminal only. */
function showProgress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}

async function runAll(show: (result: CaseResult) => void): Promise<CaseResult[]> {
  const field = new Field();
  const results: CaseResult[] = [];
  try {
    for (const each of quickCases()) {
      const result = await runCase(each, field, quickEffort, showProgress);
      showProgress('');
      show(result);
      results.push(result);
    }
  } finally {
    await field.close();
  }
  return results;
}

/** Runs the command and returns its exit status: 0, or 2 for bad arguments. */
export async function bench(args: readonly string[]): Promise<number> {
  let options: Options;
  try {
    options = parseBenchArgs(args);
  } catch (error) {
    process.stderr.write(`wgrad bench: ${(error as Error).message}\n`);
    return EXIT_BAD_INPUT;
  }
  if (options.help) {
    process.stdout.write(help);
    return 0;
  }
  const [started, loadBefore] = [performance.now(), os.loadavg()];
  const width = process.stdout.columns || DEFAULT_WIDTH;
  const cases = await runAll((result) => {
    if (!options.json) process.stdout.write(`${caseText(result, width)}\n\n`);
  });
  const busy = busyText(loadBefore);
  if (busy) process.stderr.write(`${busy}\n`);
  const { rounds, secondsPerRound } = quickEffort;
  const document: Document = {
    command: ['wgrad', 'bench', ...args].join(' '),
    finished: new Date().toISOString(),
    seconds: Number(((performance.now() - started) / 1000).toFixed(1)),
    machine: machineFacts(loadBefore),
    versions: versionsOf(cases),
    method:
      `Contestants take turns for at most ${rounds} rounds of at least ${secondsPerRound} s each; times in seconds; a ratio ` +
      'is the peer over ours, medians of the same round, and its median over the rounds.',
    cases,
  };
  if (options.out !== undefined) await writeDocument(options.out, document);
  if (options.json) process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
  return 0;
}
