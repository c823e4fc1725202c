// `wgrad ops`: what the engine can do, on which devices, how it is differentiated and how it is checked.
import { ConfigError } from '../../engine/index.ts';
import { detail, devicesText, insideText, markdown, secondText } from '../verification/operations/document.ts';
import { type OperationFacts, operationFacts } from '../verification/operations/facts.ts';
import { countGolden } from '../verification/operations/golden-count.ts';
import { torchTable } from '../verification/operations/torch.ts';
import { print, printText } from './output.ts';
import { nearest } from '../runner/suggestion.ts';
import { DEFAULT_WIDTH, layOut } from './tables.ts';

export interface OpsFlags {
  json?: boolean;
  markdown?: boolean;
  torch?: boolean;
  golden?: string;
}

/** Names that are offered for one that is not known. */
const NEAREST = 5;

function overview(facts: readonly OperationFacts[], width: number): string {
  const counted = facts.some(({ golden }) => golden !== undefined);
  const head = [
    'operation',
    'family',
    'devices',
    'gradient',
    'second',
    'kernels',
    'cases',
    ...(counted ? ['golden'] : []),
  ];
  const inside = (each: OperationFacts): string => {
    const text = each.kind === 'composite' ? 'composite' : insideText(each);
    return text.length > 30 ? `${text.slice(0, 27)}...` : text;
  };
  const rows = facts.map((each) => [
    each.name,
    each.family,
    devicesText(each.devices),
    each.gradient === 'yes' ? 'yes' : 'no',
    secondText(each),
    inside(each),
    String(each.cases),
    ...(counted ? [String(each.golden)] : []),
  ]);
  return layOut(head, rows, width);
}

/** Prints all operations, or one. Throws ConfigError for an unknown name, with the nearest known one. */
export async function opsCommand(name: string | undefined, flags: OpsFlags): Promise<number> {
  if (flags.torch) {
    if (name !== undefined || flags.json || flags.markdown) {
      throw new ConfigError('the table of PyTorch names is printed by itself', { hint: 'Give --torch alone' });
    }
    printText(torchTable());
    return 0;
  }
  if (flags.json && flags.markdown) {
    throw new ConfigError('the table is either JSON or Markdown', { hint: 'Give --json or --markdown' });
  }
  if (name !== undefined && flags.markdown) {
    throw new ConfigError('one operation has no Markdown table', { hint: 'Leave out the name, or --markdown' });
  }
  const golden = flags.golden === undefined ? undefined : await countGolden(flags.golden);
  const facts = await operationFacts(golden);
  if (name === undefined) {
    if (flags.json) print(JSON.stringify(facts, null, 2));
    else if (flags.markdown) printText(markdown(facts));
    else print(overview(facts, process.stdout.columns || DEFAULT_WIDTH));
    return 0;
  }
  const found = facts.find((each) => each.name === name);
  if (!found) {
    const names = facts.map((each) => each.name);
    throw new ConfigError(`there is no operation '${name}'`, {
      hint: `The nearest are ${nearest(name, names, NEAREST).join(', ')}; 'wgrad ops' lists all`,
    });
  }
  print(flags.json ? JSON.stringify(found, null, 2) : detail(found));
  return 0;
}
