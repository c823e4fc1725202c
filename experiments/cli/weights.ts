// `wgrad weights import`: pretrained weights of PyTorch and Keras as a safetensors file with the names of a backbone.
import path from 'node:path';
import type { Command } from 'commander';
import { ConfigError, saveCheckpoint } from '../../engine/index.ts';
import { weightsNames } from '../weights/backbones.ts';
import { importWeights } from '../weights/import.ts';
import { print } from './output.ts';

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
}
