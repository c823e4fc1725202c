// A set of golden fixtures: manifest.json and one safetensors file per family, from a folder or over HTTP. Holds what
// both have in common; touches neither files nor the network itself.
import * as z from 'zod';
import { ConfigError, DataError, readSafetensors, type SafetensorsEntry } from '../../../engine/index.ts';

/** Where a set lies. The folder of Node is in folder.ts, the address of a browser in page.ts. */
export interface FixtureSource {
  /** Path or address of one of its files, for messages. */
  locate(file: string): string;
  /** The bytes of one of its files. May reject with anything; the reader adds the name. */
  read(file: string): Promise<Uint8Array>;
}

const names = z.record(z.string(), z.string());
const caseSchema = z.object({
  id: z.string(),
  family: z.string(),
  op: z.string(),
  attrs: z.record(z.string(), z.unknown()),
  inputs: names,
  outputs: names,
  cotangents: names,
  grads: names,
  tolerance: z.object({ rtol: z.number(), atol: z.number() }),
});
const manifestSchema = z.object({
  format: z.literal('golden-fixtures/1'),
  families: z.record(z.string(), z.object({ file: z.string() })),
  cases: z.array(caseSchema),
});

export type GoldenCase = z.infer<typeof caseSchema>;
export type Family = ReadonlyMap<string, SafetensorsEntry>;

export interface Fixtures {
  readonly families: readonly string[];
  /** All cases, or those of one family. Throws ConfigError for an unknown family. */
  cases(family?: string): readonly GoldenCase[];
  /** The tensors of a family, read once. Throws DataError if the file is not there or damaged. */
  tensors(family: string): Promise<Family>;
}

async function readFile(source: FixtureSource, file: string, hint: string): Promise<Uint8Array> {
  try {
    return await source.read(file);
  } catch (cause) {
    const given = source.locate(file);
    throw new DataError('cannot read the fixtures', { operation: 'golden', given, hint, cause });
  }
}

/** Reads the manifest of a set. Throws DataError if there is none, or if it is not one. */
export async function openFixtures(source: FixtureSource): Promise<Fixtures> {
  const bytes = await readFile(source, 'manifest.json', 'Name a folder made by the fixture generator');
  const details = { operation: 'golden', given: source.locate('manifest.json') };
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes));
  } catch (cause) {
    throw new DataError(`not JSON: ${(cause as Error).message}`, { ...details, cause });
  }
  const parsed = manifestSchema.safeParse(json);
  if (!parsed.success) throw new DataError(`not a fixture manifest: ${z.prettifyError(parsed.error)}`, details);

  const { families, cases } = parsed.data;
  const files = new Map<string, Promise<Family>>();
  const readFamily = async (family: string): Promise<Family> => {
    const file = families[family]?.file;
    if (file === undefined) throw new DataError(`the manifest names no file for the family '${family}'`, details);
    return readSafetensors(await readFile(source, file, 'The manifest names it'), source.locate(file)).tensors;
  };
  return {
    families: Object.keys(families),
    cases(family) {
      if (family === undefined) return cases;
      if (!Object.hasOwn(families, family)) {
        const expected = Object.keys(families).join(', ');
        throw new ConfigError('no such family', { operation: 'golden', argument: 'family', expected, given: family });
      }
      return cases.filter((each) => each.family === family);
    },
    tensors(family) {
      const reading = files.get(family) ?? readFamily(family);
      files.set(family, reading);
      return reading;
    },
  };
}
