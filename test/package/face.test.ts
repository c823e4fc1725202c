// The public face: every public name has a documentation comment, and what is the engine's own has no public name.
import path from 'node:path';
import t from 'tap';
import ts from 'typescript';
import { registry } from '../../engine/index.ts';
import * as w from '../../engine/index.ts';
import * as models from '../../models/index.ts';
import { repositoryRoot } from '../shared-data.ts';

const root = repositoryRoot();
const entryPoints = [
  'engine/index.ts',
  'engine/io/weights/index.ts',
  'engine/io/onnx/index.ts',
  'engine/data/index.ts',
  'engine/devices/interpreter/index.ts',
  'models/index.ts',
  'experiments/index.ts',
].map((file) => path.join(root, file));

interface PublicName {
  readonly name: string;
  readonly isDocumented: boolean;
}

/** Whether a comment stands before the statement that exports `symbol` as a namespace. */
function isDocumentedExport(symbol: ts.Symbol): boolean {
  const statement = symbol.declarations?.map((declaration) => ts.findAncestor(declaration, ts.isExportDeclaration))[0];
  return statement !== undefined && ts.getJSDocCommentsAndTags(statement).length > 0;
}

/** What an entry point exports, the names of its namespaces among them. Those of kernels are described in their folders. */
function publicNames(file: string): PublicName[] {
  const options: ts.CompilerOptions = {
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    target: ts.ScriptTarget.ES2022,
    allowImportingTsExtensions: true,
    noEmit: true,
    types: [],
  };
  const program = ts.createProgram([file], options);
  const checker = program.getTypeChecker();
  const names: PublicName[] = [];
  const visit = (module: ts.Symbol, prefix: string): void => {
    for (const symbol of checker.getExportsOfModule(module)) {
      const isAlias = (symbol.flags & ts.SymbolFlags.Alias) !== 0;
      const target = isAlias ? checker.getAliasedSymbol(symbol) : symbol;
      const name = prefix + symbol.name;
      if (target.flags & ts.SymbolFlags.ValueModule) {
        names.push({ name, isDocumented: isDocumentedExport(symbol) });
        if (name !== 'kernels') visit(target, `${name}.`);
      } else {
        names.push({ name, isDocumented: target.getDocumentationComment(checker).length > 0 });
      }
    }
  };
  visit(checker.getSymbolAtLocation(program.getSourceFile(file)!)!, '');
  return names;
}

for (const file of entryPoints) {
  t.test(path.relative(root, file), (t) => {
    const names = publicNames(file);
    t.ok(names.length > 6);
    t.same(
      names.flatMap(({ name, isDocumented }) => (isDocumented ? [] : [name])),
      [],
      'every public name is documented',
    );
    t.end();
  });
}

/** Operations that are parts of others: their gradients, and forms that a public function chooses between. */
const internal =
  /(elu|[lL]eakyRelu|[sS]igmoid|[tT]anh)Grad$|Backward$|WeightGradient$|Inference$|^geluTanh$|^batchNormRelu$/;
const internalNames = (
  'addScaled batchStatistics binaryCrossEntropy binaryCrossEntropySlope callSite checkSides embed IMAGE_CHANNELS inside ' +
  'isRecomputing logRatio powScalar recurrence relabel showGiven showShape step sumTo watchModuleClasses'
).split(' ');

t.test('nothing internal is public, and every other operation is', (t) => {
  const published = new Set([...Object.keys(w), ...Object.keys(w.nn), ...Object.keys(models)]);
  t.same(
    [...published].filter((name) => internal.test(name) || internalNames.includes(name)),
    [],
  );
  const hidden = registry().flatMap(({ name }) => (published.has(name) ? [] : [name]));
  t.same(
    hidden.filter((name) => !internal.test(name) && !internalNames.includes(name)),
    [],
    'operations without a public name, which engine/ops/public.ts gives',
  );
  t.end();
});

t.test('methods are the functions of the same names', async (t) => {
  const device = await w.createDevice('reference');
  t.teardown(() => device.dispose());
  using _ = w.scope();
  const x = w.tensor([[0.5, -2, 3]], undefined, { device });
  const own = new Set(Object.getOwnPropertyNames(w.Tensor.prototype));
  const methods = registry().flatMap(({ name }) => (own.has(name) ? [name] : []));
  t.ok(methods.length > 60);
  t.same(await x.neg().array(), await w.neg(x).array());
  t.same(await x.narrow(1, 1, 2).array(), await w.narrow(x, 1, 1, 2).array());
  t.end();
});
