// The AssemblyScript classes of parameter blocks: what a family's TypeScript modules export as a declaration of fields
// (kernels/params.ts) becomes a class of that name in kernels/<family>/params.as.ts, which is not tracked.
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { bundleText } from './bundle.mjs';
import { readIfThere, root, sourceFiles } from './sources.mjs';

const header = '// Made by .config/params.mjs from the fields that the TypeScript modules beside it declare.';
/** Sizes and flags are counted in i32, as loops and addresses are; a kernel that wants the bits of a word casts it. */
const wordTypes = { u32: 'i32', i32: 'i32', f32: 'f32' };
/** Arrays are named after the type of their words and how many these are. */
const arrayWords = (type) => Number(/^[ui]32x(\d+)$/.exec(type)?.[1]);

/** Writes the classes of every family and returns the files' names, relative to the root. */
export async function writeParamClasses() {
  const files = [];
  for (const [folder, exported] of await declarations()) {
    const classes = classesOf(exported);
    if (classes.length === 0) continue;
    const file = path.join(folder, 'params.as.ts');
    const text = `${header}\n\n${classes.join('\n')}`;
    if (readIfThere(path.join(root, file)) !== text) await writeFile(path.join(root, file), text);
    files.push(file);
  }
  return files;
}

/** What the modules of each family export, by folder. */
async function declarations() {
  const modules = sourceFiles(['kernels']).filter(
    (file) => /^kernels\/[^/]+\/[^/]+\.ts$/.test(file) && !file.endsWith('.as.ts'),
  );
  const imports = modules.map((file, i) => `import * as m${i} from './${file}';`);
  const list = modules.map((_, i) => `m${i}`);
  const script = await bundleText(`${imports.join('\n')}\nexport default [${list.join(', ')}];`);
  const { default: exported } = await import(`data:text/javascript,${encodeURIComponent(script)}`);
  const byFolder = new Map();
  modules.forEach((file, i) => {
    const folder = path.dirname(file);
    byFolder.set(folder, { ...byFolder.get(folder), ...exported[i] });
  });
  return byFolder;
}

const isFields = (value) =>
  typeof value === 'object' &&
  value !== null &&
  Object.keys(value).length > 0 &&
  Object.values(value).every((type) => type in wordTypes || arrayWords(type) > 0);

function classesOf(exported) {
  // The block of a kernel is rounded up to four words, behind which a planner's stand.
  const packed = new Set(Object.values(exported).map((value) => value?.fields));
  return Object.entries(exported)
    .filter(([, value]) => isFields(value))
    .map(([name, fields]) => classText(name, fields, packed.has(fields)));
}

/** `isPacked`: padded to a multiple of four words. */
function classText(name, fields, isPacked) {
  const lines = [];
  let words = 0;
  for (const [field, type] of Object.entries(fields)) {
    if (type in wordTypes) {
      lines.push(`${field}: ${wordTypes[type]};`);
      if (type === 'f32') {
        // Four of it, for arithmetic on vectors.
        lines.push(
          '@inline',
          `get ${field}4(): v128 {`,
          `  return v128.load32_splat(changetype<usize>(this) + ${4 * words});`,
          '}',
        );
      }
      words++;
      continue;
    }
    // An array stands in place, which a class of AssemblyScript cannot say: its name gives its address.
    for (let i = 0; i < arrayWords(type); i++) lines.push(`${field}${i}: i32;`);
    lines.push('@inline', `get ${field}(): usize {`, `  return changetype<usize>(this) + ${4 * words};`, '}');
    words += arrayWords(type);
  }
  for (let i = 0; isPacked && words % 4 > 0; i++, words++) lines.push(`padding${i}: i32;`);
  return `@unmanaged\nexport class ${name} {\n${lines.map((line) => `  ${line}\n`).join('')}}\n`;
}
