// An entry point of a WGSL module made into JavaScript functions, with the values of its overrides. Only what the entry point reaches is
// compiled.
import { literal } from './code.ts';
import { compile, type Scope, type Signature } from './expressions.ts';
import { compileFunction, MOST_TURNS, type Surroundings } from './function.ts';
import { waitsForOthers } from './builtins.ts';
import type { Memory } from './memory.ts';
import { type MemoryVariable, Module } from './module.ts';
import * as N from './numbers.ts';
import { type FunctionDeclaration, type Place, ShaderError } from './syntax.ts';
import { sizeOfType, type Type } from './types.ts';
import { callsOf } from './walk.ts';

/** What of a module is compiled, and how. */
export interface ProgramOptions {
  /** Default `main`. */
  readonly entryPoint?: string;
  /** Values of overrides. */
  readonly constants?: Readonly<Record<string, number | boolean>>;
  /** Compiles what stops before every statement. */
  readonly isStepped?: boolean;
}

/** What an invocation is given, by the names of WGSL. */
export type Builtins = Readonly<Record<string, number | readonly number[]>>;

/** One invocation while it runs. */
export interface InvocationState {
  readonly builtins: Builtins;
  readonly privates: unknown[];
}

/** What an invocation says when it waits; `step` only where it is stepped through. */
export type Stop =
  | {
      readonly kind: 'barrier';
      readonly name: string;
      readonly scope: 'workgroup' | 'storage';
      readonly site: number;
      readonly path: number;
    }
  | {
      readonly kind: 'subgroup';
      readonly name: string;
      readonly site: number;
      readonly path: number;
      readonly value: unknown;
      readonly lane: number;
      readonly element: string;
    }
  | {
      readonly kind: 'step';
      readonly site: number;
      /** Of the function. */
      readonly name: string;
      /** The statement adds to what its place holds. */
      readonly adds: boolean;
      /** Names, numbers of types and values; type -1 is a pointer into memory. */
      variables(): [string, number, unknown][];
    };

export type Run = (state: InvocationState) => Generator<Stop, void, unknown> | undefined;

/** Called by the running shader: an index, or the nearest one inside of its array. */
export type FixIndex = (index: number, count: number, site: number) => number;

/** Of reads of a buffer whose length the shader does not know, and of all other places. */
export interface FixIndices {
  readonly overread: FixIndex;
  readonly bounds: FixIndex;
}

/** An entry point of a WGSL module, compiled to JavaScript. */
export class Program {
  readonly text: string;
  readonly entryPoint: string;
  readonly workgroupSize: readonly [number, number, number];
  /** Memory that the entry point reaches. */
  readonly memories: readonly MemoryVariable[];
  /** Places in the text by number. */
  readonly sites: readonly Place[];
  /** Types of the variables that steps show. */
  readonly types: readonly Type[];
  /** The JavaScript text. */
  readonly script: string;
  readonly #memoryNames: readonly string[];

  /** Throws ShaderError where the module cannot be compiled, RangeError for an entry point or override that it does not have. */
  constructor(text: string, { entryPoint = 'main', constants = {}, isStepped = false }: ProgramOptions = {}) {
    this.text = text;
    this.entryPoint = entryPoint;
    const module: Module = new Module(text, { constants }, (expression, within, find) =>
      compile(expression, scopeOf(within, find)),
    );
    const entry = module.declarations.get(entryPoint);
    if (entry?.kind !== 'function' || !entry.attributes.some(({ name }) => name === 'compute')) {
      const entries = [...module.declarations.values()].filter(
        (declaration) =>
          declaration.kind === 'function' && declaration.attributes.some(({ name }) => name === 'compute'),
      );
      const names = entries.map(({ name }) => name).join(', ');
      throw new RangeError(`the module has no compute entry point '${entryPoint}', but ${names || 'none at all'}`);
    }
    const types: Type[] = [];
    const around = surroundings(module, isStepped, types);
    this.workgroupSize = workgroupSizeOf(entry, module);
    const functions = reached(module, entry).map((declaration) => compileFunction(declaration, around));
    const start = startText(entry, module, around);
    this.memories = module.memories;
    this.#memoryNames = module.memories.map((_, i) => `$m${i}`);
    this.sites = module.sites;
    this.types = types;
    this.script = `'use strict';\n${module.routineText}${functions.join('')}${start}`;
  }

  /** The function that begins an invocation, on these memories, in the order of `memories`. */
  link(memories: readonly Memory[], { overread, bounds }: FixIndices): Run {
    const endless = (site: number): never => {
      const at = this.sites[site]!;
      throw new ShaderError(`a loop has not ended after ${MOST_TURNS} turns`, at);
    };
    // The text is the compiler's own: names of the shader stand in it with a number behind them, values as literals.
    const make = new Function('N', 'f', 'm', '$over', '$ix', '$endless', ...this.#memoryNames, this.script) as (
      ...given: unknown[]
    ) => Run;
    return make(N, N.f, N.m, overread, bounds, endless, ...memories);
  }

  /** Words of memory `index`, of a workgroup variable. */
  wordsOf(index: number): number {
    return sizeOfType(this.memories[index]!.type);
  }
}

/** The scope of what stands outside of functions. */
const scopeOf = (module: Module, find: Module['find']): Scope => ({
  module,
  find,
  path: undefined,
  signature: (name) => {
    throw new RangeError(`'${name}' is called where a constant is wanted`);
  },
});

function surroundings(module: Module, isStepped: boolean, types: Type[]): Surroundings {
  const signatures = new Map<string, Signature>();
  const waiting = new Map<string, boolean>();
  let count = 0;
  const around: Surroundings = {
    module,
    isStepped,
    fresh: () => count++,
    typeNumber: (type) => {
      const at = types.indexOf(type);
      return at < 0 ? types.push(type) - 1 : at;
    },
    waits: (name) => {
      const known = waiting.get(name);
      if (known !== undefined) return known;
      const declaration = module.declarations.get(name);
      if (declaration?.kind !== 'function') return waitsForOthers(name);
      // WGSL has no recursion: what is asked again on the way is asked by a function that calls itself.
      waiting.set(name, isStepped);
      const waits = isStepped || [...callsOf(declaration.body)].some((called) => around.waits(called));
      waiting.set(name, waits);
      return waits;
    },
    signature: (name) => {
      const known = signatures.get(name);
      if (known) return known;
      const declaration = module.declarations.get(name);
      if (declaration?.kind !== 'function') throw new RangeError(`'${name}' is no function`);
      const signature = {
        params: declaration.params.map((param) => module.type(param.type, module.find)),
        result: declaration.result && module.type(declaration.result, module.find),
        waits: around.waits(name),
      };
      signatures.set(name, signature);
      return signature;
    },
  };
  return around;
}

/** The functions that an entry point calls, itself the last. Throws ShaderError where one calls itself. */
function reached(module: Module, entry: FunctionDeclaration): FunctionDeclaration[] {
  const found: FunctionDeclaration[] = [];
  const open = new Set<FunctionDeclaration>();
  const visit = (declaration: FunctionDeclaration): void => {
    if (open.has(declaration)) throw new ShaderError(`'${declaration.name}' calls itself`, declaration.at);
    if (found.includes(declaration)) return;
    open.add(declaration);
    for (const name of callsOf(declaration.body)) {
      const called = module.declarations.get(name);
      if (called?.kind === 'function') visit(called);
    }
    open.delete(declaration);
    found.push(declaration);
  };
  visit(entry);
  return found;
}

function workgroupSizeOf(entry: FunctionDeclaration, module: Module): [number, number, number] {
  const sizes = entry.attributes.find(({ name }) => name === 'workgroup_size')?.args ?? [];
  if (sizes.length === 0) throw new ShaderError(`'${entry.name}' has no workgroup_size`, entry.at);
  const known = sizes.map((size) => Number(module.evaluate(compile(size, scopeOf(module, module.find)), size.at)));
  return [known[0]!, known[1] ?? 1, known[2] ?? 1];
}

/** The text of the function that begins an invocation. */
function startText(entry: FunctionDeclaration, module: Module, around: Surroundings): string {
  const { params, waits } = around.signature(entry.name);
  const args = entry.params.map((param, i) => {
    const type = params[i]!;
    if (type.kind === 'struct') {
      return `[${type.members.map(({ builtin, name }) => `$.builtins.${builtin ?? name}`).join(',')}]`;
    }
    const builtin = param.attributes.find(({ name }) => name === 'builtin')?.args[0];
    if (builtin?.kind !== 'name') throw new ShaderError(`'${param.name}' is given no value`, param.at);
    return `$.builtins.${builtin.name}`;
  });
  const privates = module.privates.map(({ declaration, type }) => {
    const { init, at } = declaration;
    if (!init) return literal(module.zero(type));
    return module.convert(compile(init, scopeOf(module, module.find)), type, at).text;
  });
  const call = `fn_${entry.name}(${['$', ...(waits ? ['0'] : []), ...args].join(',')})`;
  return `return ($)=>{$.privates.push(${privates.join(',')});return ${call};};\n`;
}
