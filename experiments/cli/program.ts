// The command line. Every command is one function that returns an exit status; parsing and help are commander's.
import { Argument, Command, InvalidArgumentError, Option } from 'commander';
import { ConfigError, deviceChoices } from '../../engine/index.ts';
import { dataSets, fetchDataSet } from '../data/fetch.ts';
import { manualSources, sourceOf } from '../data/sources.ts';
import { papers } from '../papers/index.ts';
import { wgradVersion } from '../runner/manifest.ts';
import { presetNames } from '../runner/paper.ts';
import { benchCommand } from './bench.ts';
import { doctor } from './doctor.ts';
import { goldenCommand, type GoldenFlags } from './golden.ts';
import { opsCommand, type OpsFlags } from './ops.ts';
import { predictCommand, type PredictFlags } from './predict.ts';
import { reproduceCommand, type ReproduceFlags, tour } from './reproduce.ts';
import { suggestion } from './select.ts';
import { DEFAULT_WIDTH, layOut } from './tables.ts';

/** Largest number of seeds or jobs taken at face value. */
const LARGEST = 10_000;

function wholeNumber(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1 || value > LARGEST) {
    throw new InvalidArgumentError(`Expected a whole number from 1 to ${LARGEST}.`);
  }
  return value;
}

function portNumber(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value > 65535) throw new InvalidArgumentError('Expected a port from 0 to 65535.');
  return value;
}

const print = (line: string): void => void process.stdout.write(`${line}\n`);

const deviceOption = (): Option =>
  new Option('--device <name>', 'where to compute').choices(deviceChoices).default('auto');

const tuningOption = (): Option => new Option('--tuning <file>', 'measured plans, as `wgrad bench tune` writes them');

/** Options of the commands that train. */
function withRunOptions(command: Command): Command {
  return command
    .option('--data <dir>', 'folder of real data (as `wgrad data fetch` makes it)')
    .addOption(deviceOption())
    .addOption(tuningOption())
    .option('--out <dir>', 'folder of runs and reports (default: runs/<preset>)')
    .option('--jobs <n>', 'worker processes (default: one per core, one on webgpu)', wholeNumber)
    .option(
      '--profile',
      'profile some steps of the first run of each table: a short table, profile.json and trace.json',
    )
    .option('--json', 'progress and results as JSON lines on stdout');
}

function list(): number {
  const rows = papers.flatMap((paper) =>
    paper.tables.map(({ name, title, cells }) => [
      `${paper.name}/${name}`,
      title,
      cells.some((cell) => cell.run !== undefined) ? '' : 'not attempted',
    ]),
  );
  print(layOut(['table', 'content', ''], rows, process.stdout.columns || DEFAULT_WIDTH));
  print('\nPresets:');
  for (const paper of papers) {
    for (const preset of presetNames) print(`  ${paper.name}, ${preset}: ${paper.presets[preset]}`);
  }
  return 0;
}

async function fetchCommand(name: string, { to, origin }: { to: string; origin?: string }): Promise<number> {
  if (Object.hasOwn(manualSources, name)) {
    throw new ConfigError(`'${name}' cannot be fetched by a command`, {
      hint: `\`wgrad data show ${name}\` says where it comes from and how it has to lie`,
    });
  }
  if (!Object.hasOwn(dataSets, name)) {
    throw new ConfigError(`there is no data set '${name}' to fetch`, { hint: suggestion(name, Object.keys(dataSets)) });
  }
  const folder = await fetchDataSet(name, to, { origin, report: (file, state) => print(`${file}: ${state}`) });
  print(`${name} is in ${folder}; pass --data ${to}`);
  return 0;
}

/** Builds the program. `done` takes the exit status of the command that was run. */
export function buildProgram(done: (status: number) => void): Command {
  const program = new Command('wgrad')
    .description('Re-trains multi-task vision papers and prints their tables with our value beside the published one.')
    .version(wgradVersion)
    .configureOutput({
      // One line per error: commander puts its suggestion on a second one.
      outputError: (text, write) =>
        write(
          `wgrad: ${text
            .trim()
            .replace(/^error: /, '')
            .replace(/\s*\n\s*/g, ' ')}\n`,
        ),
    })
    .enablePositionalOptions();

  withRunOptions(program.command('tour', { isDefault: true }))
    .description('the quick tour: a toy table at paper size and one of dMTL on a small budget (the default)')
    .argument('[command...]')
    .action(async (words: string[], flags: ReproduceFlags) => {
      if (words.length > 0) {
        const known = program.commands.map((command) => command.name());
        throw new ConfigError(`there is no command '${words[0]}'`, { hint: suggestion(words[0]!, known) });
      }
      done(await tour({ ...flags, preset: 'tour' }));
    });

  withRunOptions(program.command('reproduce'))
    .description('trains what the given tables need and writes results.json, manifest.json and report.html')
    .argument('[paper[/table]...]', 'which tables (default: all)')
    .addOption(new Option('--preset <name>', 'size of the experiment').choices(presetNames).default('laptop'))
    .option('--seeds <n>', "number of seeds, 0 to n - 1 (default: the preset's own)", wholeNumber)
    .action(async (names: string[], flags: ReproduceFlags) => done(await reproduceCommand(names, flags)));

  program
    .command('list')
    .description('the papers, their tables and presets')
    .action(() => done(list()));

  program
    .command('doctor')
    .description('which devices work here, and why not')
    .option('--json', 'as JSON')
    .action(async (options: { json?: boolean }) => done(await doctor(options)));

  program
    .command('predict')
    .description('depth maps of pictures from trained weights: 16-bit PNG as KITTI has it, and in colour')
    .addArgument(new Argument('<network>', 'whose weights they are').choices(['multidepth']))
    .argument('<checkpoint>', 'safetensors file: kept by a run, or with the names of the released network')
    .argument('<image...>', 'PNG pictures')
    .addOption(deviceOption())
    .option('--out <dir>', 'folder to write to', 'predictions')
    .option('--profile', 'profile each picture as a step: a short table, profile.json and trace.json')
    .action(async (_network: string, checkpoint: string, images: string[], flags: PredictFlags) =>
      done(await predictCommand(checkpoint, images, flags)),
    );

  const data = program.command('data').description('data sets');
  data
    .command('show')
    .description('where a data set comes from and how its files have to lie')
    .argument('<name>', [...Object.keys(dataSets), ...Object.keys(manualSources)].join(', '))
    .action((name: string) => {
      sourceOf(name).forEach(print);
      done(0);
    });
  data
    .command('fetch')
    .description('downloads a data set, checks its published SHA-256 and puts it in place')
    .argument('<name>', Object.keys(dataSets).join(', '))
    .option('--to <dir>', 'folder to put it in', 'data')
    .option('--origin <url>', 'base address to fetch from instead of the published ones')
    .action(async (name: string, options: { to: string; origin?: string }) => done(await fetchCommand(name, options)));

  program
    .command('golden')
    .description('checks the engine against a folder of reference results')
    .argument('<dir>', 'folder with manifest.json')
    .addOption(deviceOption())
    .addOption(tuningOption())
    .option('--family <name>', 'only this family of operations')
    .option('--browser [executable]', 'in a headless Chromium, which playwright-core drives')
    .option('--serve [port]', 'only serve the page that does it, for a browser of your own', portNumber)
    .option('--no-isolation', 'the page without cross-origin isolation: one thread on wasm')
    .action(async (dir: string, flags: GoldenFlags) => done(await goldenCommand(dir, flags)));

  program
    .command('ops')
    .description('the operations: devices, gradients, kernels, plans and cases, or one of them in detail')
    .argument('[name]', 'one operation')
    .option('--json', 'as JSON')
    .option('--markdown', 'as engine/operations.md has it')
    .option('--torch', 'the public names beside those of PyTorch, as docs/torch.md has them')
    .option('--golden <dir>', 'run these fixtures and count those of each operation')
    .action(async (name: string | undefined, flags: OpsFlags) => done(await opsCommand(name, flags)));

  program
    .command('bench')
    .description('kernel and training benchmarks; see `wgrad bench --help`')
    .argument('[args...]')
    .helpOption(false)
    .allowUnknownOption()
    .passThroughOptions()
    .action(async (args: string[]) => done(await benchCommand(args)));

  return program;
}
