// Where two JSON values differ. Lists of named things (cells, claims, runs, tables) are aligned by their names, so that one that
// is missing does not make all behind it different.

export interface Difference {
  /** Names and positions from the outermost value inwards. */
  readonly at: readonly string[];
  /** Undefined where it is missing on that side. */
  readonly a: unknown;
  readonly b: unknown;
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

/** What an entry of a list is called in the files of a run folder: by its place in a table, its text, its label or its run. */
function nameOf(entry: unknown): string | undefined {
  if (!isObject(entry)) return undefined;
  const { group, row, column, text, label, caption, run, table, seed } = entry;
  const known = row !== undefined ? [group, row, column] : [text ?? label ?? caption ?? run ?? table ?? seed];
  const parts = known.filter((part) => typeof part === 'string' || typeof part === 'number');
  return parts.length > 0 ? parts.join(', ') : undefined;
}

/** The entries of a list by name, or by position where they have none or share one. */
function entriesOf(list: readonly unknown[]): Record<string, unknown> {
  const names = list.map(nameOf);
  const areNames = names.every((name) => name !== undefined) && new Set(names).size === names.length;
  return Object.fromEntries(list.map((entry, i) => [areNames ? names[i]! : String(i), entry]));
}

/** The innermost places at which two values differ, in the order of the first. Numbers are equal when their bits are. */
export function differences(a: unknown, b: unknown, at: readonly string[] = []): Difference[] {
  if (Object.is(a, b)) return [];
  if (!isObject(a) || !isObject(b) || Array.isArray(a) !== Array.isArray(b)) return [{ at, a, b }];
  const [left, right] = [a, b].map((value) => (Array.isArray(value) ? entriesOf(value) : value)) as [
    Record<string, unknown>,
    Record<string, unknown>,
  ];
  const names = new Set([...Object.keys(left), ...Object.keys(right)]);
  return [...names].flatMap((name) => differences(left[name], right[name], [...at, name]));
}

/** As a file has it: without what JSON leaves out. */
export const asJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value ?? null));

const LONGEST = 60;

/** A value in one line of so many characters. */
export function valueText(value: unknown, longest = LONGEST): string {
  if (value === undefined) return 'nothing';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > longest ? `${text.slice(0, longest)}...` : text;
}

/** The place, from the outermost name inwards. */
export const placeText = ({ at }: Pick<Difference, 'at'>): string => at.join(': ');
