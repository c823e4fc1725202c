// Statements and declarations of WGSL: the text of a module to its syntax tree.
import { ExpressionParser } from './parse-expression.ts';
import type {
  Assignment,
  Attribute,
  Block,
  Case,
  Declaration,
  Expression,
  Field,
  FunctionDeclaration,
  NumberLiteral,
  Place,
  Statement,
  Variable,
} from './syntax.ts';

const COMPOUND = /^(\+|-|\*|\/|%|&|\||\^|<<|>>)=$/;

class Parser extends ExpressionParser {
  module(): Declaration[] {
    const declarations: Declaration[] = [];
    while (this.token.kind !== 'end') {
      if (this.skip(';')) continue;
      if (this.is('enable') || this.is('requires') || this.is('diagnostic')) {
        while (!this.skip(';')) this.take();
      } else declarations.push(this.#declaration());
    }
    return declarations;
  }

  #declaration(): Declaration {
    const attributes = this.#attributes();
    const { at, text } = this.token;
    switch (text) {
      case 'fn':
        return this.#function(attributes);
      case 'struct': {
        this.take();
        const name = this.name();
        this.expect('{');
        return { kind: 'struct', name, fields: this.#fields('}'), at };
      }
      case 'alias': {
        this.take();
        const name = this.name();
        this.expect('=');
        const type = this.typeName();
        this.expect(';');
        return { kind: 'alias', name, type, at };
      }
      case 'var':
      case 'const':
      case 'override': {
        const variable = this.#variable(attributes);
        this.expect(';');
        return variable;
      }
      default:
        return this.fail('a declaration');
    }
  }

  #attributes(): Attribute[] {
    const attributes: Attribute[] = [];
    while (this.is('@')) {
      const { at } = this.take();
      const name = this.name();
      attributes.push({ name, args: this.is('(') ? this.args() : [], at });
    }
    return attributes;
  }

  #fields(end: string): Field[] {
    const fields: Field[] = [];
    while (!this.skip(end)) {
      const attributes = this.#attributes();
      const { at } = this.token;
      const name = this.name();
      this.expect(':');
      fields.push({ name, type: this.typeName(), attributes, at });
      if (!this.is(end)) this.expect(',');
    }
    return fields;
  }

  #function(attributes: Attribute[]): FunctionDeclaration {
    const { at } = this.expect('fn');
    const name = this.name();
    this.expect('(');
    const params = this.#fields(')');
    let result;
    if (this.skip('->')) {
      this.#attributes();
      result = this.typeName();
    }
    return { kind: 'function', name, params, result, attributes, body: this.#block(), at };
  }

  #variable(attributes: Attribute[] = []): Variable {
    const { at, text } = this.take();
    let space;
    let access;
    if (text === 'var' && this.skip('<')) {
      space = this.name();
      if (this.skip(',')) access = this.name();
      this.expect('>');
    }
    const name = this.name();
    const type = this.skip(':') ? this.typeName() : undefined;
    const init = this.skip('=') ? this.expression() : undefined;
    return { kind: text as Variable['kind'], name, space, access, type, init, attributes, at };
  }

  #block(): Block {
    const { at } = this.expect('{');
    const body: Statement[] = [];
    while (!this.skip('}')) {
      if (!this.skip(';')) body.push(this.#statement());
    }
    return { kind: 'block', body, at };
  }

  #statement(): Statement {
    const { at, text } = this.token;
    switch (text) {
      case '{':
        return this.#block();
      case 'if':
        return this.#if();
      case 'for':
        return this.#for();
      case 'while': {
        this.take();
        const condition = this.expression();
        return { kind: 'while', condition, body: this.#block(), at };
      }
      case 'loop':
        return this.#loop();
      case 'switch':
        return this.#switch();
      default: {
        const statement = this.#simple(at);
        this.expect(';');
        return statement;
      }
    }
  }

  #simple(at: Place): Statement {
    switch (this.token.text) {
      case 'var':
      case 'let':
      case 'const':
        return this.#variable();
      case 'return': {
        this.take();
        return { kind: 'return', value: this.is(';') ? undefined : this.expression(), at };
      }
      case 'break':
      case 'continue':
        return { kind: this.take().text as 'break' | 'continue', at };
      default:
        return this.#assignmentOrCall(at);
    }
  }

  #assignmentOrCall(at: Place): Statement {
    const target = this.is('_') ? undefined : this.expression();
    if (!target) this.take();
    if (target?.kind === 'call') return { kind: 'call-statement', call: target, at };
    const one = (): NumberLiteral => ({ kind: 'number', value: 1, suffix: '', isFloat: false, at });
    if (this.skip('++')) return { kind: 'assign', op: '+', target, value: one(), at };
    if (this.skip('--')) return { kind: 'assign', op: '-', target, value: one(), at };
    const { text, tokens } = this.operator();
    const op = text === '=' ? '' : COMPOUND.exec(text)?.[1];
    if (op === undefined) return this.fail('an assignment');
    this.advance(tokens);
    return { kind: 'assign', op, target, value: this.expression(), at } satisfies Assignment;
  }

  #if(): Statement {
    const { at } = this.expect('if');
    const condition = this.expression();
    const then = this.#block();
    if (!this.skip('else')) return { kind: 'if', condition, then, at };
    return { kind: 'if', condition, then, else: this.is('if') ? this.#if() : this.#block(), at };
  }

  #for(): Statement {
    const { at } = this.expect('for');
    this.expect('(');
    const init = this.is(';') ? undefined : this.#simple(this.token.at);
    this.expect(';');
    const condition = this.is(';') ? undefined : this.expression();
    this.expect(';');
    const update = this.is(')') ? undefined : this.#simple(this.token.at);
    this.expect(')');
    return { kind: 'for', init, condition, update, body: this.#block(), at };
  }

  #loop(): Statement {
    const { at } = this.expect('loop');
    const start = this.expect('{').at;
    const body: Statement[] = [];
    let continuing: Block | undefined;
    let breakIf: Expression | undefined;
    while (!this.skip('}')) {
      if (this.skip(';')) continue;
      if (!this.is('continuing')) {
        body.push(this.#statement());
        continue;
      }
      this.take();
      const last: Statement[] = [];
      const open = this.expect('{').at;
      while (!this.skip('}')) {
        if (this.skip(';')) continue;
        if (this.is('break')) {
          this.take();
          this.expect('if');
          breakIf = this.expression();
          this.expect(';');
        } else last.push(this.#statement());
      }
      continuing = { kind: 'block', body: last, at: open };
    }
    return { kind: 'loop', body: { kind: 'block', body, at: start }, continuing, breakIf, at };
  }

  #switch(): Statement {
    const { at } = this.expect('switch');
    const on = this.expression();
    const cases: Case[] = [];
    this.expect('{');
    while (!this.skip('}')) {
      const selectors: (Expression | undefined)[] = [];
      if (this.skip('default')) selectors.push(undefined);
      else {
        this.expect('case');
        while (!this.is(':') && !this.is('{')) {
          selectors.push(this.skip('default') ? undefined : this.expression());
          if (!this.is(':') && !this.is('{')) this.expect(',');
        }
      }
      this.skip(':');
      cases.push({ selectors, body: this.#block() });
    }
    return { kind: 'switch', on, cases, at };
  }
}

/** The declarations of a module in the order of the text. Throws ShaderError where it is no WGSL of the part that is known. */
export const parseModule = (text: string): Declaration[] => new Parser(text).module();
