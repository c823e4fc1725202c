// A function of WGSL to a JavaScript function: statements, loops and variables. One that waits for other invocations is a generator,
// which yields at barriers and where subgroups exchange values; to be stepped through, every function yields before each statement.
import { type Binding, type Code, literal } from './code.ts';
import { binary, compile, compileAs, compileValue, read, type Scope, type Signature } from './expressions.ts';
import type { Module } from './module.ts';
import {
  type Assignment,
  type Block,
  type Expression,
  type ForLoop,
  type FunctionDeclaration,
  type Place,
  type PlainLoop,
  ShaderError,
  type Statement,
  type Switch,
  type Variable,
} from './syntax.ts';
import { bool, showType, type Type } from './types.ts';
import { addressed, callsOf, isAccumulation } from './walk.ts';

/** Turns after which a loop is taken to have no end. */
export const MOST_TURNS = 50_000_000;

/** What the functions of a program know of each other. */
export interface Surroundings {
  readonly module: Module;
  readonly isStepped: boolean;
  signature(name: string): Signature;
  /** Whether a function, built in or not, waits for other invocations. */
  waits(name: string): boolean;
  /** The number of a type, for the viewer of variables. */
  typeNumber(type: Type): number;
  /** A number that no other name has. */
  fresh(): number;
}

interface Labels {
  readonly break: string;
  readonly continue: string | undefined;
}

/** The labels of a loop, and the path outside of it. */
interface Turns extends Labels {
  readonly outer: string | undefined;
}

class FunctionCompiler implements Scope {
  readonly module: Module;
  path: string | undefined;
  readonly #around: Surroundings;
  readonly #declaration: FunctionDeclaration;
  readonly #signature: Signature;
  readonly #addressed: ReadonlySet<string>;
  readonly #scopes: Map<string, Code>[] = [];
  readonly #labels: Labels[] = [];
  readonly #lines: string[] = [];

  constructor(declaration: FunctionDeclaration, around: Surroundings) {
    this.module = around.module;
    this.#around = around;
    this.#declaration = declaration;
    this.#signature = around.signature(declaration.name);
    this.#addressed = addressed(declaration.body);
    this.path = this.#signature.waits ? 'path' : undefined;
  }

  signature(name: string): Signature {
    return this.#around.signature(name);
  }

  readonly find = (name: string): Binding | undefined => {
    for (let i = this.#scopes.length - 1; i >= 0; i--) {
      const code = this.#scopes[i]!.get(name);
      if (code) return { kind: 'code', code };
    }
    return this.module.find(name);
  };

  #here(): Scope {
    const { module, find, path } = this;
    return { module, find, path, signature: (name) => this.signature(name) };
  }

  text(): string {
    const { name, params, body } = this.#declaration;
    const scope = new Map<string, Code>();
    this.#scopes.push(scope);
    const names = params.map((param, i) => {
      const text = this.#name(param.name);
      scope.set(param.name, { text, type: this.#signature.params[i]!, isFresh: false, isConstant: false });
      return text;
    });
    this.#block(body);
    const { waits } = this.#signature;
    const head = ['$', ...(waits ? ['path'] : []), ...names].join(',');
    return `function${waits ? '*' : ''} fn_${name}(${head}){\n${this.#lines.join('\n')}\n}\n`;
  }

  #name(name: string): string {
    return `${name}_${this.#around.fresh()}`;
  }

  #emit(text: string): void {
    this.#lines.push(text);
  }

  #declare(name: string, code: Code): void {
    this.#scopes.at(-1)!.set(name, code);
  }

  /** `behind` is compiled with the variables of the block still in scope. */
  #block({ body }: Block, behind?: () => void): void {
    this.#scopes.push(new Map());
    this.#emit('{');
    for (const statement of body) this.#statement(statement);
    this.#emit('}');
    behind?.();
    this.#scopes.pop();
  }

  #statement(statement: Statement): void {
    switch (statement.kind) {
      case 'block':
        return this.#block(statement);
      case 'if':
        return this.#if(statement);
      case 'for':
        return this.#for(statement);
      case 'while': {
        const { condition, body, at } = statement;
        return this.#for({ kind: 'for', condition, body, at });
      }
      case 'loop':
        return this.#loop(statement);
      case 'switch':
        return this.#switch(statement);
      default:
        if (statement.kind !== 'const') this.#step(statement.at, isAccumulation(statement));
        return this.#simple(statement);
    }
  }

  /** To be stepped through, a function stops here and shows the variables that there are. */
  #step(at: Place, adds = false): void {
    if (!this.#around.isStepped) return;
    const shown = new Map<string, Code>();
    for (const scope of this.#scopes) for (const [name, code] of scope) if (!code.isConstant) shown.set(name, code);
    const variables = [...shown].map(([name, { type, text }]) => {
      const pointed = type.kind === 'pointer' ? (type.space === 'function' ? type.of : undefined) : type;
      if (!pointed) return `['${name}',-1,0]`;
      const value = type.kind === 'pointer' ? `${text}[0][${text}[1]]` : text;
      return `['${name}',${this.#around.typeNumber(pointed)},${value}]`;
    });
    const fields = `site:${this.module.site(at)},name:'${this.#declaration.name}',adds:${adds}`;
    this.#emit(`yield {kind:'step',${fields},variables:()=>[${variables.join(',')}]};`);
  }

  #simple(statement: Statement): void {
    switch (statement.kind) {
      case 'assign':
        return this.#assign(statement);
      case 'call-statement':
        return this.#emit(`${compile(statement.call, this).text};`);
      case 'return':
        return this.#return(statement.value, statement.at);
      case 'break': {
        const label = this.#labels.at(-1)?.break;
        if (label === undefined) throw new ShaderError('a break outside of loops', statement.at);
        return this.#emit(`break ${label};`);
      }
      case 'continue': {
        const label = this.#labels.findLast((labels) => labels.continue !== undefined)?.continue;
        if (label === undefined) throw new ShaderError('a continue outside of loops', statement.at);
        return this.#emit(`break ${label};`);
      }
      case 'var':
      case 'let':
      case 'const':
        return this.#variable(statement);
      default:
        throw new ShaderError(`'${statement.kind}' cannot stand here`, statement.at);
    }
  }

  #return(returned: Expression | undefined, at: Place): void {
    const { result } = this.#signature;
    if (!returned || !result) {
      if (returned || result) throw new ShaderError(`expected ${result ? showType(result) : 'no value'} to return`, at);
      return this.#emit('return;');
    }
    this.#emit(`return ${this.module.kept(compileAs(returned, result, this))};`);
  }

  #variable(variable: Variable): void {
    const { kind, name, type, init, at } = variable;
    const { module } = this;
    if (kind === 'const') return this.#declare(name, module.constant(variable, this.find));
    const given = init && compileValue(init, this);
    const wanted = type ? module.type(type, this.find) : given && module.concrete(given.type);
    if (!wanted || (kind === 'let' && !given)) throw new ShaderError(`'${name}' has no value`, at);
    const initial = given ? module.kept(module.convert(given, wanted, init.at)) : literal(module.zero(wanted));
    const text = this.#name(name);
    if (kind === 'let') {
      this.#emit(`var ${text}=${initial};`);
      return this.#declare(name, { text, type: wanted, isFresh: false, isConstant: false });
    }
    const isBoxed = this.#addressed.has(name);
    this.#emit(`var ${text}=${isBoxed ? `[${initial}]` : initial};`);
    const local = { type: wanted, isFresh: false, isConstant: false };
    if (!isBoxed) return this.#declare(name, { ...local, text, reference: { kind: 'local' } });
    this.#declare(name, { ...local, text: `${text}[0]`, reference: { kind: 'local', container: text, key: '0' } });
  }

  #assign({ op, target, value: assigned, at }: Assignment): void {
    const { module } = this;
    if (!target) return this.#emit(`${compileValue(assigned, this).text};`);
    const place = compile(target, { ...this.#here(), reading: this });
    const { reference, type } = place;
    if (!reference) throw new ShaderError('no variable is assigned to', target.at);
    if (op === '') return this.#write(place, module.convert(compileValue(assigned, this), type, at), at);
    // The place is worked out once.
    const names = [this.#around.fresh(), this.#around.fresh()].map((number) => `t_${number}`);
    const [a, b] = names as [string, string];
    let once = place;
    this.#emit('{');
    if (reference.kind === 'memory') {
      const { memory, address, whole } = reference;
      this.#emit(`const ${a}=${whole ? whole.address : address};`);
      if (whole) this.#emit(`const ${b}=${whole.component};`);
      const same = whole
        ? { address: `${a}+${b}`, whole: { address: a, words: whole.words, component: b } }
        : { address: a };
      once = { ...place, reference: { kind: 'memory', memory, ...same } };
    } else if (reference.container !== undefined) {
      this.#emit(`const ${a}=${reference.container},${b}=${reference.key};`);
      once = { ...place, text: `${a}[${b}]`, reference: { kind: 'local', container: a, key: b } };
    }
    const result = binary(op, read(once, at, module), compileValue(assigned, this), at, module);
    this.#write(once, module.convert(result, type, at), at);
    this.#emit('}');
  }

  #write({ text, type, reference }: Code, code: Code, at: Place): void {
    const { module } = this;
    if (reference?.kind === 'memory') {
      return this.#emit(`${module.store(type, reference, code.text, module.site(at))};`);
    }
    // Pointers may point into it; no pointer points at a component of a vector.
    const stays = reference?.container !== undefined && ['array', 'struct', 'matrix'].includes(type.kind);
    this.#emit(stays ? `N.assign(${text},${module.kept(code)});` : `${text}=${module.kept(code)};`);
  }

  #if(statement: Statement & { kind: 'if' }): void {
    this.#step(statement.at);
    this.#emit(`if(${compileAs(statement.condition, bool, this).text})`);
    this.#block(statement.then);
    if (!statement.else) return;
    this.#emit('else{');
    this.#statement(statement.else);
    this.#emit('}');
  }

  #for({ init, condition, update, body, at }: ForLoop): void {
    this.#scopes.push(new Map());
    this.#emit('{');
    if (init) this.#statement(init);
    const turns = this.#beginTurns(body, at);
    if (condition) {
      this.#step(at);
      this.#emit(`if(!${compileAs(condition, bool, this).text})break ${turns.break};`);
    }
    this.#body(body, turns);
    if (update) this.#simple(update);
    this.#endTurns(turns);
    this.#emit('}');
    this.#scopes.pop();
  }

  #loop({ body, continuing, breakIf, at }: PlainLoop): void {
    const turns = this.#beginTurns(body, at);
    this.#body(body, turns, () => {
      if (!continuing) return;
      this.#block(continuing, () => {
        if (breakIf) this.#emit(`if(${compileAs(breakIf, bool, this).text})break ${turns.break};`);
      });
    });
    this.#endTurns(turns);
  }

  /** The beginning of a loop. Where it waits for others, the path tells its turns apart. */
  #beginTurns(body: Block, at: Place): Turns {
    const number = this.#around.fresh();
    const labels = { break: `L_${number}`, continue: `C_${number}`, outer: this.path };
    const waits = this.path !== undefined && [...callsOf(body)].some((name) => this.#around.waits(name));
    this.#emit(`var turn_${number}=0;`);
    this.#emit(`${labels.break}:for(;;){`);
    this.#emit(`if(++turn_${number}>${MOST_TURNS})$endless(${this.module.site(at)});`);
    if (waits) {
      this.path = `path_${number}`;
      this.#emit(`var ${this.path}=N.mix(N.mix(${labels.outer},${this.module.site(at)}),turn_${number});`);
    }
    return labels;
  }

  #body(body: Block, turns: Turns, behind?: () => void): void {
    this.#labels.push(turns);
    this.#emit(`${turns.continue}:`);
    this.#block(body, () => {
      this.#labels.pop();
      behind?.();
    });
  }

  #endTurns(turns: Turns): void {
    this.#emit('}');
    this.path = turns.outer;
  }

  #switch({ on, cases, at }: Switch): void {
    this.#step(at);
    const { module } = this;
    const selected = compileValue(on, this);
    const type = module.concrete(selected.type);
    const label = `S_${this.#around.fresh()}`;
    this.#emit(`${label}:switch(${module.convert(selected, type, at).text}){`);
    this.#labels.push({ break: label, continue: undefined });
    for (const { selectors, body } of cases) {
      for (const selector of selectors) {
        if (!selector) this.#emit('default:');
        else {
          const known = module.evaluate(compileAs(selector, type, this), selector.at);
          this.#emit(`case ${literal(known)}:`);
        }
      }
      this.#block(body);
      this.#emit('break;');
    }
    this.#labels.pop();
    this.#emit('}');
  }
}

/** The text of a function. Throws ShaderError where it is not WGSL, or not of the part that is known. */
export const compileFunction = (declaration: FunctionDeclaration, around: Surroundings): string =>
  new FunctionCompiler(declaration, around).text();
