// Style is prettier's and types are tsc's. What is left: likely mistakes, file length, and which way imports point.
import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/** Each layer may import itself and what stands before it here; bench and test may import anything. */
const layers = ['kernels', 'engine', 'models', 'experiments'];
const anyImport = ':matches(ImportDeclaration, ExportNamedDeclaration, ExportAllDeclaration, ImportExpression)';
const fixedImport = ':matches(ImportDeclaration, ExportNamedDeclaration, ExportAllDeclaration)';

const oneWay = layers.map((layer, level) => {
  const above = [...layers.slice(level + 1), 'bench', 'test'];
  // The command line loads the benchmarks when asked to, hence only a fixed import of them is an error there.
  const kind = layer === 'experiments' ? fixedImport : anyImport;
  return {
    files: [`${layer}/**/*.{ts,tsx}`],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector: `${kind}[source.value=/^(\\.?\\.\\u002F)+(${above.join('|')})\\u002F/]`,
          message: `Imports point one way: experiments -> models -> engine -> kernels. This is above ${layer}.`,
        },
      ],
    },
  };
});

/** The same within the benchmarks. */
const benchLayers = ['networks', 'measure', 'contestants', 'report', 'suites', 'commands'];

const benchOneWay = benchLayers.slice(0, -1).map((layer, level) => ({
  files: [`bench/${layer}/**/*.ts`],
  rules: {
    'no-restricted-syntax': [
      'error',
      {
        selector: `${anyImport}[source.value=/^\\.\\.\\u002F(${benchLayers.slice(level + 1).join('|')})\\u002F/]`,
        message: `Imports of the benchmarks point one way: ${[...benchLayers].reverse().join(' -> ')}. This is above ${layer}.`,
      },
    ],
  },
}));

export default tseslint.config(
  { ignores: ['**/node_modules/', 'dist/', 'runs/', 'bench/results/', '**/*.as.ts'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  js.configs.recommended,
  ...tseslint.configs.recommended,
  ...tseslint.configs.stylistic,
  {
    files: ['**/*.{ts,tsx}'],
    rules: {
      'max-lines': ['error', { max: 400 }],
      'no-undef': 'off', // tsc knows better
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-console': 'off',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/ban-ts-comment': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreUsingDeclarations: true },
      ],
      '@typescript-eslint/no-non-null-assertion': 'off', // an index known to be in range needs no second test
      '@typescript-eslint/consistent-type-definitions': 'off',
      '@typescript-eslint/consistent-indexed-object-style': 'off',
      '@typescript-eslint/no-empty-function': 'off',
      '@typescript-eslint/prefer-for-of': 'off', // numeric loops read better with their index
    },
  },
  {
    files: ['.config/*.mjs'],
    languageOptions: {
      globals: {
        console: 'readonly',
        process: 'readonly',
        performance: 'readonly',
        setTimeout: 'readonly',
        clearTimeout: 'readonly',
      },
    },
  },
  {
    files: ['.config/book/search.mjs'], // runs in the page
    languageOptions: { globals: { document: 'readonly' } },
  },
  ...oneWay,
  ...benchOneWay,
);
