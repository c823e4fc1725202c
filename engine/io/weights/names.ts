// Which entry of a module an entry of a file is for, where the names differ: what every reader of such files has to know, and what
// the caller's map says.
import { ConfigError } from '../../index.ts';
import { nearestName } from '../../nearest-name.ts';
import type { WeightsFormat } from './read.ts';

/**
 * Names of a file to names of the module. As an object: a name, or the beginning of names up to and with a dot or slash
 * (`{ 'backbone.': '' }`; the longest one counts); undefined leaves the entry out, and what is not listed keeps its name. As a
 * function: the module's name, or undefined to leave the entry out.
 */
export type WeightsMap = Readonly<Record<string, string | undefined>> | ((name: string) => string | undefined);

/** What Keras calls the parameters of layers. */
const kerasVariables: Readonly<Record<string, string>> = {
  kernel: 'weight',
  embeddings: 'weight',
  gamma: 'weight',
  beta: 'bias',
  moving_mean: 'running_mean',
  moving_variance: 'running_var',
};

/** Without what wrappers put before a name (DataParallel, torch.compile). */
export const unwrapped = (name: string): string => name.replace(/^(?:module\.|_orig_mod\.)+/, '');

/** Before torchvision 0.4 the numbers of a dense layer's parts were names of their own: norm.1, conv.2. */
export const modernDenseNet = (name: string): string =>
  name.replace(/(\.?denselayer\d+\.(?:norm|conv))\.(\d\.)/, '$1$2');

/** The name that a file's entry has by custom: `own` says what the module has. */
function customaryName(name: string, format: WeightsFormat, own: ReadonlySet<string>): string {
  if (own.has(name)) return name;
  if (format === 'Keras, HDF5') {
    const [, layer, variable = ''] = /^(.*)\/([^/]+)$/.exec(name) ?? [];
    return layer === undefined ? name : `${layer}.${kerasVariables[variable] ?? variable}`;
  }
  const plain = modernDenseNet(unwrapped(name));
  return own.has(plain) ? plain : name;
}

/** The longest key of the map that fits, or undefined. */
function keyFor(map: Readonly<Record<string, string | undefined>>, name: string): string | undefined {
  if (Object.hasOwn(map, name)) return name;
  const beginnings = Object.keys(map).filter((key) => /[./]$/.test(key) && name.startsWith(key));
  return beginnings.sort((a, b) => b.length - a.length)[0];
}

function checkKeys(map: Readonly<Record<string, string | undefined>>, names: readonly string[], file: string): void {
  for (const key of Object.keys(map)) {
    if (names.some((name) => name === key || (/[./]$/.test(key) && name.startsWith(key)))) continue;
    const near = nearestName(key, names);
    throw new ConfigError(`${file} has no entry that the map names`, {
      operation: 'loadWeights',
      argument: 'map',
      expected: 'names of the file, or their beginnings up to a dot or slash',
      given: `'${key}'`,
      hint: near && `Did you mean '${near}'?`,
    });
  }
}

/** The module's name for each entry of a file; undefined for those that are left out. Throws ConfigError where two get the same. */
export function namesFor(
  file: { readonly name: string; readonly format: WeightsFormat; readonly tensors: ReadonlyMap<string, unknown> },
  own: ReadonlySet<string>,
  map: WeightsMap | undefined,
): Map<string, string | undefined> {
  const names = [...file.tensors.keys()];
  if (typeof map === 'object') checkKeys(map, names, file.name);
  const rename = (name: string): string | undefined => {
    if (typeof map === 'function') return map(name);
    const key = map && keyFor(map, name);
    if (key === undefined) return customaryName(name, file.format, own);
    const target = map![key];
    return target === undefined || key === name ? target : target + name.slice(key.length);
  };
  const result = new Map<string, string | undefined>();
  const takenBy = new Map<string, string>();
  for (const name of names) {
    const target = rename(name);
    const before = target === undefined ? undefined : takenBy.get(target);
    if (before !== undefined) {
      throw new ConfigError('the map gives two entries the same name', {
        operation: 'loadWeights',
        argument: 'map',
        given: `'${target}' for '${before}' and '${name}' of ${file.name}`,
      });
    }
    if (target !== undefined) takenBy.set(target, name);
    result.set(name, target);
  }
  return result;
}
