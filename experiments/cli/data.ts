// `wgrad data`: the data sets, where they come from, fetching them, and checking what lies in a folder.
import type { Command } from 'commander';
import { ConfigError } from '../../engine/index.ts';
import { canFetch, type DataSetRecord, folderOf } from '../data/dataset.ts';
import { describeDataSet, markdownOfDataSets } from '../data/document.ts';
import { fetchDataSet } from '../data/fetch.ts';
import { dataSets } from '../data/sets/index.ts';
import { suggestion } from '../runner/suggestion.ts';
import { EXIT_FAILED, plainMessage } from './errors.ts';
import { print, printText, say } from './output.ts';
import { DEFAULT_WIDTH, layOut } from './tables.ts';

const names = Object.keys(dataSets);

/** Throws ConfigError for an unknown name, with the nearest known one. */
function dataSetNamed(name: string): DataSetRecord {
  const set = Object.hasOwn(dataSets, name) ? dataSets[name] : undefined;
  if (!set) throw new ConfigError(`there is no data set '${name}'`, { hint: suggestion(name, names) });
  return set;
}

function listCommand({ markdown }: { markdown?: boolean }): number {
  if (markdown) {
    printText(markdownOfDataSets());
    return 0;
  }
  const rows = Object.values(dataSets).map((set) => [
    set.name,
    set.title,
    set.size,
    set.licence,
    canFetch(set) ? `wgrad data fetch ${set.name}` : 'by hand',
  ]);
  print(layOut(['name', 'data set', 'size', 'licence', 'how'], rows, process.stdout.columns || DEFAULT_WIDTH));
  return 0;
}

async function fetchCommand(name: string, { to, origin }: { to: string; origin?: string }): Promise<number> {
  const set = dataSetNamed(name);
  if (!canFetch(set)) {
    throw new ConfigError(`'${name}' cannot be fetched by a command`, {
      hint: `\`wgrad data show ${name}\` says where it comes from and how to lay out its files`,
    });
  }
  const folder = await fetchDataSet(name, to, {
    origin,
    report: (file, state) => print(`${file}: ${state}`),
    refused: (error) => say(`${plainMessage(error)}; trying the next origin`),
  });
  print(`${name} is in ${folder}; pass --data ${to}`);
  return 0;
}

/** Milliseconds between two lines of progress. */
const PROGRESS_EVERY = 5000;

async function checkCommand(name: string, data: string): Promise<number> {
  const set = dataSetNamed(name);
  const folder = await folderOf(set, data);
  let told = performance.now();
  const { counts, passedOver, doubts, fault } = await set.check(folder, (done, total) => {
    if (performance.now() - told < PROGRESS_EVERY) return;
    told = performance.now();
    say(`${done} of ${total} read`);
  });
  print(`${set.title} in ${folder}`);
  for (const [what, count] of Object.entries(counts)) print(`  ${what}: ${count}`);
  const passed = passedOver.describe();
  if (passed) print(`  ${passed}`);
  for (const doubt of doubts) print(`  doubt: ${doubt}`);
  print(fault ? `  first fault: ${plainMessage(fault)}` : '  no fault');
  return fault ? EXIT_FAILED : 0;
}

/** Adds `data` and its commands to the program. `done` takes the exit status. */
export function addDataCommands(program: Command, done: (status: number) => void): void {
  const data = program.command('data').description('data sets: where they come from, and whether a folder holds them');
  data
    .command('list')
    .description('the data sets, with size, licence and how to get them')
    .option('--markdown', 'as in docs/data.md')
    .action((options: { markdown?: boolean }) => done(listCommand(options)));
  data
    .command('show')
    .description('where a data set comes from and how to lay out its files')
    .argument('<name>', names.join(', '))
    .action((name: string) => {
      describeDataSet(dataSetNamed(name)).forEach(print);
      done(0);
    });
  data
    .command('fetch')
    .description(
      'downloads a data set, checks its published SHA-256 and puts it in place; goes on from an earlier attempt',
    )
    .argument('<name>', names.filter((name) => canFetch(dataSets[name]!)).join(', '))
    .option('--to <dir>', 'folder to put it in', 'data')
    .option('--origin <url>', 'base address to fetch from instead of the published ones')
    .action(async (name: string, options: { to: string; origin?: string }) => done(await fetchCommand(name, options)));
  data
    .command('check')
    .description('reads all of a data set in a folder: what is there, what was passed over, and the first fault')
    .argument('<name>', names.join(', '))
    .argument('<dir>', 'what is given as --data, or the folder of the data set itself')
    .action(async (name: string, dir: string) => done(await checkCommand(name, dir)));
}
