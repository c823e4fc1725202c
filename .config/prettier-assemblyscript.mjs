// Lets prettier format *.as.ts. AssemblyScript puts decorators on functions, which TypeScript's grammar forbids:
// each one, on a line of its own, is read as a comment and written back as a decorator.
import { printers as estreePrinters } from 'prettier/plugins/estree';
import { parsers as typescriptParsers } from 'prettier/plugins/typescript';

const mark = '//decorator ';
const { estree } = estreePrinters;

export const parsers = {
  assemblyscript: {
    ...typescriptParsers.typescript,
    astFormat: 'assemblyscript',
    preprocess: (text) => text.replace(/^([ \t]*)@(?=\w+(?:\(.*\))?[ \t]*$)/gm, `$1${mark}@`),
  },
};

export const printers = {
  assemblyscript: {
    ...estree,
    printComment(path, options) {
      const text = options.originalText.slice(options.locStart(path.node), options.locEnd(path.node));
      return text.startsWith(mark) ? text.slice(mark.length).trim() : estree.printComment(path, options);
    },
  },
};
