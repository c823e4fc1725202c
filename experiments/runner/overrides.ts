// `--set key=value`: settings changed for one command. A key is a setting's name, with dots below it (`images.size`); its value
// is checked against the schema of the paper's settings. What is changed is part of a run's configuration, and so of its
// fingerprint: the one function `settingsOf` makes the settings of the training, the store and the manifest.
import type { z } from 'zod';
import { ConfigError } from '../../engine/index.ts';
import type { Paper, PresetName, TableDefinition } from './paper.ts';
import { applyOverrides, isPlain, type Overrides, runsOf, type Settings, settingsOf, withNeeds } from './runs.ts';
import { suggestion } from './suggestion.ts';

/** The most parts of a batch. */
const MOST_PARTS = 64;

/** Keys of all values that are no records: lists are one value. */
const keysOf = (settings: Settings): string[] =>
  Object.entries(settings).flatMap(([name, value]) =>
    isPlain(value) ? keysOf(value).map((key) => `${name}.${key}`) : [name],
  );

function valueAt(settings: Settings, key: string): unknown {
  return key.split('.').reduce<unknown>((value, name) => (isPlain(value) ? value[name] : undefined), settings);
}

/** `key=value` texts by key. Throws ConfigError for other texts, and for a key given twice. */
export function splitSettings(texts: readonly string[]): Map<string, string> {
  const found = new Map<string, string>();
  for (const text of texts) {
    const [, key, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
    if (key === undefined || value === undefined) {
      throw new ConfigError(`'${text}' sets nothing`, { expected: 'key=value, as in --set learningRate=1e-3' });
    }
    if (found.has(key.trim())) throw new ConfigError(`'${key.trim()}' is set twice`);
    found.set(key.trim(), value.trim());
  }
  return found;
}

/** What a text may stand for: a number, a value of JSON, a list without its brackets, itself. */
function* readings(text: string): Iterable<unknown> {
  if (text !== '' && Number.isFinite(Number(text))) yield Number(text);
  for (const json of [text, `[${text}]`]) {
    try {
      yield JSON.parse(json) as unknown;
    } catch {
      // Another reading may do.
    }
  }
  yield text;
}

/** The first fault of a value; of a paper with several kinds of settings, that of the kind which it fits best. */
function faultOf([issue]: readonly z.core.$ZodIssue[]): string {
  const kinds = issue?.code === 'invalid_union' ? issue.errors : [];
  if (kinds.length === 0) return issue?.message ?? '';
  return faultOf(kinds.reduce((best, kind) => (kind.length < best.length ? kind : best)));
}

/** The value of `text` for the setting `key` of all these settings. Throws ConfigError where the schema has no such value. */
function valueOf(paper: Paper, key: string, text: string, all: readonly Settings[]): unknown {
  const faults: string[] = [];
  for (const value of readings(text)) {
    const issues = all.flatMap((settings) => {
      const checked = paper.settings.safeParse(applyOverrides(settings, { [key]: value }));
      return checked.success ? [] : checked.error.issues;
    });
    if (issues.length === 0) return value;
    faults.push(faultOf(issues));
  }
  throw new ConfigError(`the setting '${key}' of ${paper.name} cannot be '${text}': ${faults[0]}`);
}

/** The parts of a batch (`--parts`), where they can be made of the batches of all these runs. Throws ConfigError. */
function partsOf(paper: Paper, text: string, all: readonly { readonly key: string; readonly settings: Settings }[]) {
  const parts = Number(text);
  if (!Number.isInteger(parts) || parts < 1 || parts > MOST_PARTS) {
    throw new ConfigError(`a batch cannot be made of '${text}' parts`, { expected: `1 to ${MOST_PARTS}` });
  }
  if (parts === 1) return undefined;
  for (const { key, settings } of all) {
    const why = paper.parts
      ? paper.parts(settings, parts)
      : 'its steps read more of a batch than sums of losses and gradients';
    if (why === undefined) continue;
    throw new ConfigError(`the batches of '${key}' (${paper.name}) cannot be made of ${parts} parts: ${why}`, {
      hint: 'Leave out --replicas and --parts, ask for fewer, or choose other tables or rows (--only)',
    });
  }
  return parts;
}

/**
 * The overrides of a paper's runs. Throws ConfigError for a key that none of its runs has, with the nearest; for a value of another
 * type; and for a setting that tells the runs of a table apart, since its rows would no longer be what they are called.
 */
export function overridesFor(
  paper: Paper,
  tables: readonly TableDefinition[],
  preset: PresetName,
  texts: ReadonlyMap<string, string>,
): Overrides {
  const settingsIn = (table: TableDefinition): Settings[] => runsOf(table).map((run) => settingsOf(run, preset));
  // A run that trains nothing has no settings.
  const named = withNeeds(tables.flatMap(runsOf))
    .map((run) => ({ key: run.key, settings: settingsOf(run, preset) }))
    .filter(({ settings }) => paper.settings.safeParse(settings).success);
  const all = named.map(({ settings }) => settings);
  const known = [...new Set(all.flatMap(keysOf))];
  const set: Record<string, unknown> = {};
  const { parts, ...given } = Object.fromEntries(texts);
  for (const [key, text] of Object.entries(given)) {
    if (!known.includes(key)) {
      throw new ConfigError(`${paper.name} has no setting '${key}'`, { hint: suggestion(key, known) });
    }
    for (const table of tables) {
      const values = new Set(
        settingsIn(table).flatMap((settings) => {
          const value = valueAt(settings, key);
          return value === undefined ? [] : JSON.stringify(value);
        }),
      );
      if (values.size > 1) {
        throw new ConfigError(`'${key}' tells the rows of ${paper.name}/${table.name} apart`, {
          given: [...values].join(', '),
          hint: 'Choose tables or rows (--only) that share its value',
        });
      }
    }
    set[key] = valueOf(
      paper,
      key,
      text,
      all.filter((settings) => valueAt(settings, key) !== undefined),
    );
  }
  const changed = named.map(({ key, settings }) => ({ key, settings: applyOverrides(settings, set) }));
  const count = parts === undefined ? undefined : partsOf(paper, parts, changed);
  return count === undefined ? set : { ...set, parts: count };
}

/** `epochs = 3, images.size = 32`. */
export const overridesText = (set: Overrides): string =>
  Object.entries(set)
    .map(([key, value]) => `${key} = ${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join(', ');
