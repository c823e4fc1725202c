// `wgrad weights`: what is in files of weights, how they differ, and those of PyTorch and Keras as a safetensors file with the names
// of a backbone.
import path from 'node:path';
import type { Command } from 'commander';
import { ConfigError, saveCheckpoint } from '../../engine/index.ts';
import { weightsNames } from '../weights/backbones.ts';
import { importWeights } from '../weights/import.ts';
import { diffWeights, inspectWeights } from '../weights/inspect.ts';
import { EXIT_FAILED } from './errors.ts';
import { print } from './output.ts';
import { DEFAULT_WIDTH, layOut } from './tables.ts';

interface ImportFlags {
  for?: string;
  out?: string;
}

/** How many, and which. */
const counted = (names: readonly string[]): string =>
  [names.length, ...(names.length ? [names.join(', ')] : [])].join(': ');

async function importCommand(file: string, { for: backbone, out }: ImportFlags): Promise<number> {
  if (backbone === undefined || out === undefined) {
    throw new ConfigError('`wgrad weights import` needs --for and --out', {
      expected: `--for ${weightsNames.join(' | ')} --out FILE.safetensors`,
    });
  }
  const { state, report } = await importWeights(file, backbone);
  const { format, checksum, loaded, missing, unexpected, leftOut } = report;
  await saveCheckpoint(out, state, {
    metadata: { format: 'pt', backbone, source: path.basename(file), sourceFormat: format, sourceSha256: checksum },
  });
  print(`${file} (${format}, SHA-256 ${checksum})`);
  print(`  loaded: ${loaded.length} entries of ${backbone}`);
  print(`  missing: ${counted(missing)}`);
  print(`  unexpected: ${counted(unexpected)}`);
  if (leftOut.length) print(`  left out: ${leftOut.length} of the classifier or of a scaling of pictures`);
  print(`written to ${out}`);
  return 0;
}

const terminalWidth = (): number => process.stdout.columns || DEFAULT_WIDTH;

async function inspectCommand(file: string, { json = false }: { json?: boolean }): Promise<number> {
  const found = await inspectWeights(file);
  if (json) {
    print(JSON.stringify(found, undefined, 2));
    return 0;
  }
  const { format, sha256, published, backbone, entries, values, bytes, nonFinite, metadata, shards } = found;
  print(`${file} (${format})`);
  print(`  SHA-256: ${sha256}${published === null ? '' : `, ${published}`}`);
  for (const shard of shards) print(`  ${shard.name}: SHA-256 ${shard.sha256}`);
  if (backbone !== null) print(`  weights of: ${backbone} (wgrad weights import --for ${backbone})`);
  for (const [key, text] of Object.entries(metadata)) print(`  ${key}: ${text}`);
  print(`  entries: ${entries.length} with ${values} values in ${(bytes / 1e6).toFixed(1)} MB`);
  if (nonFinite > 0) print(`  not finite: ${nonFinite} values`);
  const rows = entries.map(({ name, dtype, shape }) => [name, dtype, `[${shape.join(', ')}]`]);
  print(layOut(['name', 'type', 'shape'], rows, terminalWidth()));
  return 0;
}

interface DiffFlags {
  json?: boolean;
  tolerance?: string;
}

function toleranceOf(text: string): number {
  const tolerance = Number(text);
  if (text.trim() !== '' && tolerance >= 0 && Number.isFinite(tolerance)) return tolerance;
  throw new ConfigError('bad --tolerance', { expected: 'a number from 0 on, such as 1e-4', given: text });
}

/** Returns the exit status: 1 where the files differ. */
async function diffCommand(a: string, b: string, { json = false, tolerance = '0' }: DiffFlags): Promise<number> {
  const found = await diffWeights(a, b, toleranceOf(tolerance));
  const { onlyInA, onlyInB, different, same } = found;
  const isSame = onlyInA.length + onlyInB.length + different.length === 0;
  if (json) {
    print(JSON.stringify(found, undefined, 2));
  } else {
    if (onlyInA.length) print(`only in ${a}: ${counted(onlyInA)}`);
    if (onlyInB.length) print(`only in ${b}: ${counted(onlyInB)}`);
    const rows = different.map(({ name, relative, ...each }) => [
      name,
      each.a,
      each.b,
      relative === null ? 'another shape or kind' : relative.toExponential(2),
    ]);
    if (rows.length) print(layOut(['name', a, b, 'relative difference'], rows, terminalWidth()));
    print(isSame ? `${a} and ${b} say the same: ${same} entries` : `the same: ${same} entries`);
  }
  return isSame ? 0 : EXIT_FAILED;
}

/** Adds `weights` and its command to the program. `done` takes the exit status. */
export function addWeightsCommands(program: Command, done: (status: number) => void): void {
  const weights = program.command('weights').description("pretrained weights from other frameworks' files");
  weights
    .command('import')
    .description(
      'reads a .pth of PyTorch, an .h5 of Keras or safetensors, and writes the weights of a backbone as safetensors',
    )
    .argument('<file>', 'state dict of PyTorch (nothing in it is executed), weights of Keras, or safetensors')
    .option('--for <backbone>', weightsNames.join(', '))
    .option('--out <file>', 'safetensors file to write')
    .action(async (file: string, options: ImportFlags) => done(await importCommand(file, options)));
  weights
    .command('inspect')
    .description('what is in a file of weights: format, SHA-256, whose they are, names, element types and shapes')
    .argument(
      '<file>',
      '.pth or .pt of PyTorch (nothing in it is executed), .h5 of Keras, safetensors, or an index of them',
    )
    .option('--json', 'as JSON')
    .action(async (file: string, options: { json?: boolean }) => done(await inspectCommand(file, options)));
  weights
    .command('diff')
    .description('how two files of weights differ, entry by entry, whatever their formats; status 1 where they do')
    .argument('<a>', 'a file, as for inspect')
    .argument('<b>', 'another')
    .option('--tolerance <number>', 'values may differ by so much of the largest value of their entry', '0')
    .option('--json', 'as JSON')
    .action(async (a: string, b: string, options: DiffFlags) => done(await diffCommand(a, b, options)));
}
