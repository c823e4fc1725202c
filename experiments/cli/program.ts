// The command line. Every command is one function that returns an exit status; parsing and help are commander's.
import { Argument, Command, Option } from 'commander';
import { ConfigError, deviceChoices } from '../../engine/index.ts';
import { papers } from '../papers/index.ts';
import { checkQueueUrl } from '../queue/url.ts';
import { wgradVersion } from '../runner/manifest.ts';
import { presetNames } from '../runner/paper.ts';
import { parseSeeds } from '../runner/seeds.ts';
import { parseShard, type Shard } from '../runner/shard.ts';
import { suggestion } from '../runner/suggestion.ts';
import { benchCommand } from './bench.ts';
import { checkCommand, type CheckFlags } from './check.ts';
import { styled } from './colour.ts';
import { addDataCommands } from './data.ts';
import { diffCommand } from './diff.ts';
import { doctor } from './doctor.ts';
import { jobKinds } from './emit.ts';
import { goldenCommand, type GoldenFlags } from './golden.ts';
import { kernelCommand, type KernelFlags, parseInvocation } from './kernel.ts';
import { opsCommand, type OpsFlags } from './ops.ts';
import { listCommand, type ListFlags } from './list.ts';
import { predictCommand, type PredictFlags } from './predict.ts';
import { mergeCommand, type MergeFlags } from './merge.ts';
import { asOption, finish, oneLine, oneMore, wholeBetween, wholeNumber } from './options.ts';
import { printText, say } from './output.ts';
import { addQueueCommands } from './queue.ts';
import { reportCommand, type ReportFlags } from './report.ts';
import { reproduceCommand, type ReproduceFlags, tour } from './reproduce.ts';
import { verifyCommand, type VerifyFlags } from './verify.ts';
import { exportCommand, type ExportFlags, watchCommand, type WatchFlags } from './watch.ts';
import { addWeightsCommands } from './weights.ts';

const priorityNumber = wholeBetween(1, 100);
const portNumber = wholeBetween(0, 65535, 'a port');

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
    .option('--replicas <n>', 'threads that make each run together, each some parts of its batches', wholeNumber)
    .option('--parts <n>', 'parts that each batch is made of (default: as many as replicas)', wholeNumber)
    .option(
      '--profile',
      'profile some steps of the first run of each table: a short table, profile.json and trace.json',
    )
    .option('--eager', 'run training steps as they are, without recording and replaying them: slower, the same bits')
    .option('--no-wide', 'wasm on Node 24 and later: do not ask V8 for vectors of 256 bits; slower, the same bits')
    .option('--json', 'progress and results as JSON lines on stdout');
}

/** Builds the program. `done` takes the exit status of the command that was run. */
export function buildProgram(done: (status: number) => void): Command {
  const program = new Command('wgrad')
    .description(
      'Re-trains multi-task vision papers and prints their tables with our value over the published one, and a verdict.',
    )
    .version(wgradVersion)
    .configureOutput({
      writeOut: printText,
      // One line per error: commander puts its suggestion on a second one.
      outputError: (text) => say(`${styled('red', 'wgrad:')} ${oneLine(text)}`),
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
    .option(
      '--seeds <list>',
      "so many (3), a range (100..119) or a list (4,7) (default: the preset's own)",
      asOption(parseSeeds),
    )
    .option('--only <name>', 'this row or column of the chosen tables alone; may be given again', oneMore)
    .option('--set <key=value>', 'another value of a setting; may be given again', oneMore)
    .option(
      '--weights <file>',
      "a backbone's pretrained weights, from `wgrad weights import`; may be given again",
      oneMore,
    )
    .addOption(
      new Option('--shard <i/n>', 'only part I of N of the runs, for one of several machines').argParser<Shard>(
        asOption(parseShard),
      ),
    )
    .addOption(
      new Option('--emit <kind>', 'print the array job that makes the parts').choices(jobKinds).conflicts('shard'),
    )
    .option('--shards <n>', 'with --emit: how many parts', wholeNumber)
    .option('--image <name>', 'with --emit kubernetes: container image that has wgrad')
    .option('--claim <name>', "with --emit kubernetes: persistent volume claim for the folders (default: 'wgrad')")
    .addOption(
      new Option('--queue <url>', 'have the runs made by `wgrad worker`s, through Redis or Valkey: redis://HOST')
        .argParser(asOption(checkQueueUrl))
        .conflicts(['shard', 'jobs', 'replicas', 'profile', 'eager', 'wide']),
    )
    .option('--priority <n>', 'with --queue: 1 to 100, smaller is sooner (default: 50)', priorityNumber)
    .option('--dry-run', 'list the runs with their cost, and train nothing')
    .action(async (names: string[], flags: ReproduceFlags) => done(await reproduceCommand(names, flags)));

  program
    .command('report')
    .description('judges and prints the tables of run folders, merged where only their seeds differ')
    .argument('<run...>', 'folders that `reproduce` has written')
    .addOption(new Option('--markdown', 'as Markdown').conflicts(['csv', 'html']))
    .addOption(new Option('--csv', 'as CSV').conflicts('html'))
    .option('--html', 'as a self-contained page')
    .action(async (folders: string[], flags: ReportFlags) => done(await reportCommand(folders, flags)));

  program
    .command('watch')
    .description('a page on this machine that shows run folders as they grow: curves, the queue, pictures; reads only')
    .argument('[run...]', 'folders that `reproduce` writes, or will write (default: those in runs)')
    .option('--port <n>', 'port of the page; 0 takes any that is free', portNumber, 8330)
    .option('--host <name>', 'address of this machine to listen on, for other machines (default: 127.0.0.1)')
    .action(async (folders: string[], flags: WatchFlags) => done(await watchCommand(folders, flags)));

  program
    .command('export')
    .description('the curves and metrics of run folders, finished or not: CSV on stdout, or event files of TensorBoard')
    .argument('<run...>', 'folders that `reproduce` has written')
    .option('--tensorboard <dir>', 'folder to write event files to, one for each run')
    .action(async (folders: string[], flags: ExportFlags) => done(await exportCommand(folders, flags)));

  program
    .command('merge')
    .description('joins run folders, as the parts of --shard have made them, to one with all their runs and tables')
    .argument('<run...>', 'folders that `reproduce` has written')
    .requiredOption('--out <dir>', 'the folder to write')
    .action(async (folders: string[], flags: MergeFlags) => done(await mergeCommand(folders, flags)));

  program
    .command('verify')
    .description(
      'makes runs of a folder again and says whether they give the same bits, the same within the spread, or neither',
    )
    .argument('<run>', 'folder that `reproduce` has written')
    .option('--runs <n>', 'how many: the cheapest of the first seed first, then those of the next seed', wholeNumber, 1)
    .option('--only <name>', 'only the runs of that name')
    .option('--data <dir>', 'folder of real data')
    .addOption(
      new Option('--device <name>', 'where to compute (default: as recorded)').choices(
        deviceChoices.filter((name) => name !== 'auto'),
      ),
    )
    .option('--json', 'as JSON lines')
    .action(async (folder: string, flags: VerifyFlags) => done(await verifyCommand(folder, flags)));

  program
    .command('check')
    .description(
      'computes all cells, claims and verdicts of a folder anew; names what is missing, damaged, stale or edited',
    )
    .argument('<run>', 'folder that `reproduce` has written')
    .option('--rewrite', 'first judge stale tables anew from their values, and write them')
    .option('--json', 'as JSON')
    .action(async (folder: string, flags: CheckFlags) => done(await checkCommand(folder, flags)));

  program
    .command('diff')
    .description('what differs between two run folders: cells, verdicts, settings, and how they were made')
    .argument('<a>', 'folder that `reproduce` has written')
    .argument('<b>', 'another one')
    .option('--json', 'as JSON')
    .action(async (a: string, b: string, flags: { json?: boolean }) => done(await diffCommand(a, b, flags)));

  program
    .command('list')
    .description('the papers, their tables and presets')
    .option('--coverage', 'everything that the papers print, each with what there is of it')
    .option('--json', 'as JSON lines')
    .action(async (flags: ListFlags) => done(await listCommand(flags)));

  program
    .command('doctor')
    .description('which devices work here, and why not')
    .option('--json', 'as JSON')
    .action(async (options: { json?: boolean }) => done(await doctor(options)));

  program
    .command('predict')
    .description(
      "depth maps of pictures from trained weights: 16-bit PNG in the units of the paper's data, and in colour",
    )
    .addArgument(
      new Argument('<network>', 'whose weights they are').choices(
        papers.flatMap(({ name, predict }) => (predict ? name : [])),
      ),
    )
    .argument('<checkpoint>', 'safetensors file: kept by a run, or with the names of the released network')
    .argument('<image...>', 'JPEG, PNG, WebP or TIFF pictures')
    .addOption(deviceOption())
    .option('--out <dir>', 'folder to write to', 'predictions')
    .option('--bgr', "the pictures have blue and red in each other's place")
    .option('--upload', "16-bit depth alone, each map under its picture's own name, as KITTI's test server takes them")
    .option('--profile', 'profile each picture as a step: a short table, profile.json and trace.json')
    .action(async (network: string, checkpoint: string, images: string[], flags: PredictFlags) =>
      done(await predictCommand(network, checkpoint, images, flags)),
    );

  addQueueCommands(program, done);
  addDataCommands(program, done);
  addWeightsCommands(program, done);

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
    .option('--markdown', 'as in engine/operations.md')
    .option('--torch', 'the public names beside those of PyTorch, as in docs/torch.md')
    .option('--golden <dir>', 'run these fixtures and count those of each operation')
    .action(async (name: string | undefined, flags: OpsFlags) => done(await opsCommand(name, flags)));

  program
    .command('kernel')
    .description(
      'the shaders of plans, interpreted on small launches: agreement with the reference, races, barriers not all reach',
    )
    .argument('[plan...]', 'kernel.plan, or a kernel with all its plans (default: all)')
    .option('--step <x,y,z>', 'print the statements of this invocation of the one plan', asOption(parseInvocation))
    .option('--pass <n>', 'with --step: which pass of the plan, from 0', wholeBetween(0, 99), 0)
    .option('--statements <n>', 'with --step: how many to print', wholeBetween(1, 1_000_000), 300)
    .option('--launches <n>', 'launches of each plan', wholeNumber, 3)
    .option('--subgroup <n>', 'invocations of a subgroup (default: 8)', wholeBetween(1, 128))
    .option('--json', 'as JSON lines')
    .action(async (plans: string[], flags: KernelFlags) => done(await kernelCommand(plans, flags)));

  // Their options stand with the benchmarks, which are loaded when they are asked for.
  const forwarded = (name: string, description: string, words: readonly string[]): void => {
    program
      .command(name)
      .description(description)
      .argument('[args...]')
      .helpOption(false)
      .allowUnknownOption()
      .passThroughOptions()
      .action(async (args: string[]) => done(await benchCommand([...words, ...args])));
  };
  forwarded('compile', "a network's training step as a program: launches, plans, buffers, bytes, memory", ['compile']);
  forwarded('bench', 'kernel and training benchmarks; see `wgrad bench --help`', []);

  program.commands.filter((command) => !['bench', 'compile'].includes(command.name())).forEach(finish);
  return program;
}
