// `wgrad compile NETWORK`: what becomes of a training step that is compiled, launch by launch, and the memory it is given.
import { Option } from 'commander';
import { compile, ConfigError, createDevice, manualSeed, type ProgramText, scope } from '../../engine/index.ts';
import { print } from '../../experiments/cli/output.ts';
import { suggestion } from '../../experiments/runner/suggestion.ts';
import { networks, type NetworkSize } from '../networks/index.ts';
import { toy } from '../networks/toy.ts';
import { mebibytes } from '../report/tables.ts';
import type { Subcommand } from './subcommand.ts';

interface CompileFlags {
  device: 'reference' | 'wasm' | 'webgpu' | 'meta';
  size: NetworkSize;
  json?: boolean;
}

const all = [...networks, toy];

/** Calls until a step is replayed: the first makes the optimizer's state, so that the third is recorded anew. */
const CALLS = 4;

/** The program of a network's step, once it has been replayed. Throws ConfigError for a network that is not there. */
export async function programOf(name: string, device: CompileFlags['device'], size: NetworkSize): Promise<ProgramText> {
  const network = all.find((each) => each.name === name);
  if (!network) {
    const names = all.map((each) => each.name);
    throw new ConfigError(`there is no network '${name}'`, { hint: suggestion(name, names) });
  }
  const opened = await createDevice(device);
  manualSeed(0);
  const step = network.build(opened, network.sizes[size][0]!);
  const compiled = compile(() => step.step());
  try {
    for (let call = 0; call < CALLS; call++) {
      using _made = scope();
      await compiled();
    }
    await opened.synchronize();
    return compiled.programs()[0]!;
  } finally {
    compiled.dispose();
    step.dispose();
    opened.dispose();
  }
}

function linesOf({ device, launches, calls, skipped, writes, reads, memory }: ProgramText, title: string): string[] {
  const rows = launches.map(({ operation, kernel, plan, bytes }, i) => [
    String(i),
    operation,
    plan === undefined ? kernel : `${kernel}.${plan}`,
    mebibytes(bytes),
  ]);
  const widths = [0, 1, 2, 3].map((column) => Math.max(...rows.map((row) => row[column]!.length)));
  const { planned, lowerBound, pool, lasting } = memory;
  return [
    `${title}, ${device}`,
    `${launches.length} launches; of ${calls} operations and backward passes ${skipped} are not run again; ` +
      `the host writes ${writes} times and reads ${reads} times`,
    ...rows.map((row, i) => {
      const { inputs, outputs } = launches[i]!;
      const columns = row.map((text, column) => text.padEnd(widths[column]!)).join('  ');
      return `${columns}  ${inputs.join(', ')} -> ${outputs.join(', ')}`;
    }),
    `memory of what lives within the step: planned ${mebibytes(planned)}, at least ${mebibytes(lowerBound)}, in a pool of exact ` +
      `sizes ${mebibytes(pool)}`,
    `memory of what outlives the step: ${mebibytes(lasting)}`,
  ];
}

async function run(name: string, { device, size, json }: CompileFlags): Promise<number> {
  const program = await programOf(name, device, size);
  const title = all.find((each) => each.name === name)!.title;
  print(json ? JSON.stringify(program, null, 2) : linesOf(program, title).join('\n'));
  return 0;
}

export const compileProgram: Subcommand = (program, done) => {
  program
    .command('compile')
    .description('the training step of a network as a program: launches, plans, buffers, bytes, memory')
    .argument('<network>', all.map((each) => each.name).join(', '))
    .addOption(
      new Option('--device <name>', 'where to compute; meta computes nothing')
        .choices(['reference', 'wasm', 'webgpu', 'meta'])
        .default('wasm'),
    )
    .addOption(
      new Option('--size <name>', "for two cores, or the papers'").choices(['small', 'paper']).default('small'),
    )
    .option('--json', 'one JSON document on stdout')
    .action(async (name: string, flags: CompileFlags) => done(await run(name, flags)));
};
