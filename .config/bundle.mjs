// TypeScript to dist with esbuild: one bundle with shared chunks for Node; for browsers one self-contained
// file, and what imports it: the reader of weights, and the page of golden fixtures.
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { build, transform } from 'esbuild';
import ts from 'typescript';
import { buildFacts } from './provenance.mjs';
import { root } from './sources.mjs';

// Browsers without explicit resource management have no Symbol.dispose; lowered `using` looks for this one then.
const symbolDispose =
  "for (const name of ['dispose', 'asyncDispose'])" +
  ' Symbol[name] ?? Object.defineProperty(Symbol, name, { value: Symbol.for(`Symbol.${name}`) });';

/** `import script from './worker.ts?inline'`: that file, bundled, as a string to start a worker from. */
const inlineScripts = {
  name: 'inline-scripts',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /\?inline$/ }, ({ path: specifier, resolveDir }) => ({
      path: path.resolve(resolveDir, specifier.replace('?inline', '')),
      namespace: 'inline',
    }));
    onLoad({ filter: /.*/, namespace: 'inline' }, async ({ path: file }) => {
      const result = await build({
        ...shared,
        entryPoints: [file],
        platform: 'neutral',
        external: ['node:*'],
        format: 'iife',
        minify: true,
        sourcemap: false,
        write: false,
        plugins: [],
      });
      return { contents: result.outputFiles[0].text, loader: 'text' };
    });
  },
};

/** `import text from './scalar.as.ts?text'`: that file as it is. */
const plainText = {
  name: 'plain-text',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /\?text$/ }, ({ path: specifier, resolveDir }) => ({
      path: path.resolve(resolveDir, specifier.replace('?text', '')),
      namespace: 'text',
    }));
    onLoad({ filter: /.*/, namespace: 'text' }, async ({ path: file }) => ({
      contents: await readFile(file, 'utf8'),
      loader: 'text',
    }));
  },
};

const shared = {
  absWorkingDir: root,
  bundle: true,
  target: ['node20', 'es2022'],
  loader: { '.wgsl': 'text', '.wasm': 'binary' },
  sourcemap: 'linked',
  metafile: true,
  logLevel: 'silent',
  plugins: [inlineScripts, plainText],
};

/** Runs esbuild and returns its result; its errors become one readable message. */
async function run(options, quiet) {
  try {
    const define = { WGRAD_BUILD: JSON.stringify(buildFacts()) };
    const result = await build({ ...shared, define, ...options });
    if (!quiet) for (const warning of result.warnings) console.warn(describe(warning));
    return result;
  } catch (error) {
    if (!error.errors) throw error;
    throw new Error(error.errors.map(describe).join('\n'), { cause: error });
  }
}

function describe({ text, location }) {
  return location
    ? `${location.file}:${location.line}:${location.column + 1}: ${text}\n    ${location.lineText}`
    : text;
}

const absolute = (outputs) => Object.keys(outputs).map((file) => path.join(root, file));

export async function bundleNode(entryPoints, { quiet = false, chunks = 'chunks' } = {}) {
  if (entryPoints.length === 0) return [];
  const { metafile } = await run(
    {
      entryPoints,
      outbase: root,
      outdir: path.join(root, 'dist'),
      chunkNames: `${chunks}/[name]-[hash]`,
      platform: 'node',
      format: 'esm',
      splitting: true,
      packages: 'external',
    },
    quiet,
  );
  return absolute(metafile.outputs);
}

/** The text of a module whose imports are all bundled into it. */
export async function bundleText(contents) {
  const { outputFiles } = await build({
    ...shared,
    stdin: { contents, resolveDir: root },
    platform: 'neutral',
    mainFields: ['main'],
    format: 'esm',
    sourcemap: false,
    write: false,
  });
  return outputFiles[0].text;
}

/** Packages that come with files of their own; wgrad loads them when it needs them, and says so when they are not there. */
const separate = ['webgpu', 'sharp', 'h5wasm', 'playwright-core', 'canvas'];
const programs = ['experiments/cli/main.ts', 'experiments/runner/worker.ts', 'bench/main.ts'];

/** The programs with all packages but those, for a machine that has no node_modules. */
export async function bundleWhole(outdir) {
  await run(
    {
      entryPoints: programs,
      outbase: root,
      outdir,
      chunkNames: 'chunks/[name]-[hash]',
      platform: 'node',
      format: 'esm',
      splitting: true,
      minifyWhitespace: true,
      sourcemap: false,
      external: [...separate.flatMap((name) => [name, `${name}/*`]), '#*'],
      // Packages written for CommonJS ask for Node's own modules.
      banner: {
        js: "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url);",
      },
    },
    true,
  );
}

/** Shaders without what no compiler reads: comments, indentation, and space beside punctuation and operators; two minus signs stay apart. */
const bareShaders = {
  name: 'bare-shaders',
  setup({ onLoad }) {
    onLoad({ filter: /\.wgsl$/ }, async ({ path: file }) => {
      const source = await readFile(file, 'utf8');
      const lines = source.split('\n').map((line) => line.replace(/\/\/.*$/, '').trim());
      const bare = lines.filter((line) => line !== '').join('\n');
      const tight = bare.replace(/\s*([,;:=(){}[\]+*/%<>&|?]|==)\s*/g, '$1').replace(/ - (?!-)/g, '-');
      return { contents: `${tight}\n`, loader: 'text' };
    });
  },
};

/** One file has nothing to load later: import() would only wrap each of its modules in a function. */
const oneFile = {
  name: 'one-file',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/]engine[\\/]devices[\\/]create\.ts$/ }, async ({ path: file }) => {
      const imports = [];
      const contents = (await readFile(file, 'utf8')).replace(/await import\('(\.[^']+)'\)/g, (_, module) => {
        imports.push(`import * as module${imports.length} from '${module}';`);
        return `module${imports.length - 1}`;
      });
      // At the end, where they move no line of the source map.
      return { contents: `${contents}\n${imports.join('\n')}\n`, loader: 'ts' };
    });
  },
};

/** What is loaded over a network is small. Errors and profiles name classes, whose names stay. */
const forBrowsers = {
  ...{ platform: 'browser', format: 'esm', target: 'es2022', external: ['node:*', 'webgpu', 'h5wasm'] },
  ...{ minify: true, keepNames: true, plugins: [inlineScripts, plainText, bareShaders, oneFile] },
};

/** What esbuild wrote without the names that it keeps of functions: statements behind declared ones, calls around the others. */
function withoutFunctionNames(code) {
  const bare = code.replace(/^ *__name\((?!this\b)[\w$]+, "[\w$]+"\);$/gm, '');
  const parts = [];
  let from = 0;
  const drop = (begin, end) => {
    parts.push(bare.slice(from, begin));
    from = end;
  };
  const visit = (node) => {
    const [named] = ts.isCallExpression(node) && node.expression.text === '__name' ? node.arguments : [];
    const isFunction = named && (ts.isArrowFunction(named) || ts.isFunctionExpression(named));
    if (isFunction) drop(node.expression.getStart(), node.expression.end);
    ts.forEachChild(node, visit);
    if (isFunction) drop(named.end, node.end - 1);
  };
  visit(ts.createSourceFile('bundle.js', bare, ts.ScriptTarget.ESNext, true, ts.ScriptKind.JS));
  return parts.join('') + bare.slice(from);
}

/**
 * Bundles one file, and makes it small in a second step. In between go the names that esbuild keeps of functions, which
 * nobody reads and which are 2 % of the file; those of classes stand inside of them. Lines stay where they are, for the source map.
 */
async function minified({ outfile, banner, ...options }, quiet) {
  const whole = { ...options, outfile, minify: false, sourcemap: 'inline', write: false };
  const { outputFiles, metafile } = await run(whole, quiet);
  const code = withoutFunctionNames(outputFiles[0].text);
  const { target, format } = options;
  const small = await transform(code, { target, format, banner: banner.js, minify: true, sourcemap: 'external' });
  return { small, metafile };
}

/** Writes what `minified` makes. Returns the outputs as a metafile has them. */
async function bundleSmall(options, quiet) {
  const { small, metafile } = await minified(options, quiet);
  const [file, map] = [options.outfile, `${options.outfile}.map`];
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, `${small.code}//# sourceMappingURL=${path.basename(map)}\n`);
  await writeFile(map, small.map);
  return { ...metafile.outputs, [path.relative(root, map)]: { imports: [] } };
}

/** What stands beside the published file runs that one, not a bundle of its own: these modules are taken from it. */
const publishedEngine = (...modules) => ({
  name: 'published-engine',
  setup({ onResolve }) {
    const published = modules.map((file) => path.join(root, file));
    onResolve({ filter: /\/(index|errors)\.ts$/ }, ({ path: specifier, resolveDir }) =>
      published.includes(path.resolve(resolveDir, specifier)) ? { path: './wgrad.js', external: true } : undefined,
    );
  },
});

/** What is in the file for browsers, of these folders. */
const browserOptions = (parts) => ({
  ...forBrowsers,
  stdin: {
    contents: parts.map((folder) => `export * from './${folder}/index.ts';`).join('\n'),
    resolveDir: root,
    sourcefile: 'browser.ts',
  },
  outfile: path.join(root, 'dist/browser/wgrad.js'),
  banner: { js: symbolDispose },
});

/** The text of a file for browsers with these folders alone: 'engine', 'models'. Writes nothing. */
export const browserCode = async (...parts) => (await minified(browserOptions(parts), true)).small.code;

/** The page of `wgrad watch`: script, style and text, and the licences of the packages that are in it. */
async function bundleWatchPage(folder, quiet) {
  const source = path.join(root, 'experiments/watch/page');
  const { metafile } = await run(
    {
      ...{ platform: 'browser', format: 'esm', target: 'es2022', minify: true, legalComments: 'none' },
      entryPoints: { watch: path.join(source, 'main.tsx') },
      outdir: folder,
      tsconfig: path.join(root, 'tsconfig.json'),
    },
    quiet,
  );
  await copyFile(path.join(source, 'page.html'), path.join(folder, 'watch.html'));
  const licences = ['preact', 'uplot'].map(async (name) => {
    const text = await readFile(path.join(root, 'node_modules', name, 'LICENSE'), 'utf8');
    return `${name}\n\n${text.trim()}\n`;
  });
  await writeFile(path.join(folder, 'watch.LICENSES.txt'), (await Promise.all(licences)).join('\n\n'));
  return metafile.outputs;
}

export async function bundleBrowser({ quiet = false } = {}) {
  const parts = ['engine', 'models'].filter((folder) => existsSync(path.join(root, folder, 'index.ts')));
  if (parts.length === 0) return [];
  const folder = path.join(root, 'dist/browser');
  const engine = await bundleSmall(browserOptions(parts), quiet);
  const { metafile: page } = await run(
    {
      ...forBrowsers,
      entryPoints: { golden: 'experiments/verification/golden/page.ts' },
      outdir: folder,
      plugins: [publishedEngine('engine/index.ts', 'models/index.ts')],
    },
    quiet,
  );
  const { metafile: weights } = await run(
    {
      ...forBrowsers,
      entryPoints: { weights: 'engine/io/weights/index.ts' },
      outdir: folder,
      // Errors among them, so that those of both files are of the same classes.
      plugins: [publishedEngine('engine/index.ts', 'engine/errors.ts')],
    },
    quiet,
  );
  await copyFile(path.join(root, 'experiments/verification/golden/page.html'), path.join(folder, 'golden.html'));
  const watch = await bundleWatchPage(folder, quiet);
  const outputs = { ...engine, ...page.outputs, ...weights.outputs, ...watch };
  // Node's own modules may be reached by a guarded import() only: a static import would stop the page from loading.
  for (const { imports } of Object.values(outputs)) {
    const fixed = imports.find(
      ({ path, external, kind }) => external && kind !== 'dynamic-import' && !path.startsWith('./'),
    );
    if (fixed) throw new Error(`the browser bundle imports ${fixed.path}: use a dynamic import that only Node reaches`);
  }
  return absolute(outputs);
}
