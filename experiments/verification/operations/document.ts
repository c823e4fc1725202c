// The table of operations as text: engine/operations.md, and one operation for the terminal. Both say only what facts.ts found.
import type { ComputingDevice, KernelFacts, OperationFacts } from './facts.ts';
import { findDeclaration } from './sources.ts';

/** How engine/operations.md is made again. */
export const remake = 'wgrad ops --markdown --golden ../shared/golden/open > engine/operations.md';

const everywhere = 3;
export const devicesText = (devices: readonly ComputingDevice[]): string =>
  devices.length === everywhere ? 'all' : devices.join(', ') || 'none';

const yesNo = (value: boolean): string => (value ? 'yes' : 'no');
/** The second gradient of what has no first is no question. */
export const secondText = ({ gradient, secondGradient }: OperationFacts): string =>
  gradient === 'yes' ? yesNo(secondGradient) : '';

/** The kernels of a primitive, or what a composite is made of. */
export function insideText({ kind, kernels, madeOf }: OperationFacts): string {
  if (kind === 'composite') return `of ${madeOf.join(', ')}`;
  return kernels.map(({ name }) => name).join(', ') || 'none: the same storage';
}

function planText({ name, plans }: KernelFacts): string[] {
  const variants = (device: ComputingDevice): string => plans[device]?.join(', ') ?? 'none';
  return [name, variants('wasm'), variants('webgpu'), plans.reference ? 'yes' : 'no'];
}

const row = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return [row(head), `|${head.map(() => '---').join('|')}|`, ...rows.map(row)];
}

/** All kernels that the operations use, once each. */
const kernelsOf = (facts: readonly OperationFacts[]): KernelFacts[] =>
  [...new Map(facts.flatMap(({ kernels }) => kernels.map((kernel) => [kernel.name, kernel]))).values()].sort((a, b) =>
    a.name < b.name ? -1 : 1,
  );

/** The document. The column of golden cases is there where they were counted. */
export function markdown(facts: readonly OperationFacts[]): string {
  const counted = facts.some(({ golden }) => golden !== undefined);
  const head = ['operation', 'kind', 'devices', 'gradient', 'second gradient', 'kernels', 'gradient cases'];
  if (counted) head.push('golden cases');
  const lines = [
    '# Operations',
    '',
    'Made by walking the registry and watching every operation run its cases; not written by hand. To make it again:',
    '',
    `    ${remake}`,
    '',
    'Devices: those that have plans for all its kernels (all: `reference`, `wasm` and `webgpu`). Gradient and second gradient',
    'are checked against central differences in float64 by the gradient cases. Golden cases: fixtures made by PyTorch that run',
    'the operation, forward or backward, and pass. The plans of each kernel stand at the end. `wgrad ops NAME` tells more of one',
    'operation: its arguments, and what its gradient uses.',
    '',
  ];
  for (const family of [...new Set(facts.map((each) => each.family))]) {
    const members = facts.filter((each) => each.family === family);
    const rows = members.map((each) => [
      each.name,
      each.kind,
      devicesText(each.devices),
      each.gradient,
      secondText(each),
      insideText(each),
      String(each.cases),
      ...(counted ? [String(each.golden)] : []),
    ]);
    lines.push(`## [${family}](ops/${family}.ts)`, '', ...table(head, rows), '');
  }
  const plans = kernelsOf(facts).map(planText);
  lines.push('## Kernels and their plans', '', ...table(['kernel', 'wasm', 'webgpu', 'reference'], plans), '');
  return lines.join('\n');
}

/** One operation in detail, for the terminal. */
export function detail(facts: OperationFacts): string {
  const declaration = findDeclaration(facts.name, facts.family);
  const list = (names: readonly string[], none: string): string => names.join(', ') || none;
  const entries: [string, string][] = [
    ['declared in', declaration?.file ?? 'unknown here: the sources are not installed'],
    ['kind', facts.kind],
    ['devices', list(facts.devices, 'none')],
    ['gradient', facts.gradient === 'yes' ? 'yes' : `none: ${facts.gradient}`],
  ];
  if (facts.kind === 'composite') entries.push(['made of', list(facts.madeOf, 'nothing')]);
  else if (facts.gradient === 'yes') entries.push(['gradient uses', list(facts.gradientUses, 'nothing: it is 0')]);
  if (facts.gradient === 'yes') entries.push(['second gradient', yesNo(facts.secondGradient)]);
  entries.push(['gradient cases', String(facts.cases)]);
  if (facts.golden !== undefined) entries.push(['golden cases', String(facts.golden)]);
  const lines = [facts.signature ?? facts.name];
  if (declaration?.comment) lines.push(`  ${declaration.comment}`);
  lines.push(...entries.map(([name, value]) => `  ${`${name}:`.padEnd(17)}${value}`));
  if (!facts.kernels.length) lines.push(`  ${'kernels:'.padEnd(17)}none: the same storage`);
  for (const { name, plans } of facts.kernels) {
    const variants = Object.entries(plans).map(([device, names]) => `${device}: ${names.join(', ')}`);
    lines.push(`  ${'kernel:'.padEnd(17)}${name} (${variants.join('; ')})`);
  }
  return lines.join('\n');
}
