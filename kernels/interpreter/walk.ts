// Visits of a syntax tree: every expression of a statement, and what follows from them.
import type { Expression, Statement } from './syntax.ts';

type Visit = (expression: Expression) => void;

function visitExpression(expression: Expression | undefined, visit: Visit): void {
  if (!expression) return;
  visit(expression);
  switch (expression.kind) {
    case 'call':
      for (const arg of expression.args) visitExpression(arg, visit);
      break;
    case 'index':
      visitExpression(expression.base, visit);
      visitExpression(expression.index, visit);
      break;
    case 'member':
      visitExpression(expression.base, visit);
      break;
    case 'unary':
      visitExpression(expression.of, visit);
      break;
    case 'binary':
      visitExpression(expression.a, visit);
      visitExpression(expression.b, visit);
      break;
    default:
  }
}

/** Calls `visit` for every expression in a statement. */
export function visitStatement(statement: Statement | undefined, visit: Visit): void {
  if (!statement) return;
  switch (statement.kind) {
    case 'block':
      for (const each of statement.body) visitStatement(each, visit);
      break;
    case 'assign':
      visitExpression(statement.target, visit);
      visitExpression(statement.value, visit);
      break;
    case 'call-statement':
      visitExpression(statement.call, visit);
      break;
    case 'if':
      visitExpression(statement.condition, visit);
      visitStatement(statement.then, visit);
      visitStatement(statement.else, visit);
      break;
    case 'for':
      visitStatement(statement.init, visit);
      visitExpression(statement.condition, visit);
      visitStatement(statement.update, visit);
      visitStatement(statement.body, visit);
      break;
    case 'while':
      visitExpression(statement.condition, visit);
      visitStatement(statement.body, visit);
      break;
    case 'loop':
      visitStatement(statement.body, visit);
      visitStatement(statement.continuing, visit);
      visitExpression(statement.breakIf, visit);
      break;
    case 'switch':
      visitExpression(statement.on, visit);
      for (const { body } of statement.cases) visitStatement(body, visit);
      break;
    case 'return':
      visitExpression(statement.value, visit);
      break;
    case 'break':
    case 'continue':
      break;
    default:
      visitExpression(statement.init, visit);
  }
}

/** Names of the functions that a statement calls. */
export function callsOf(statement: Statement): Set<string> {
  const names = new Set<string>();
  visitStatement(statement, (expression) => {
    if (expression.kind === 'call') names.add(expression.callee.name);
  });
  return names;
}

/** The variable that a place is part of; undefined where it is reached through a pointer. */
export function rootOf(place: Expression): string | undefined {
  if (place.kind === 'name') return place.name;
  return place.kind === 'index' || place.kind === 'member' ? rootOf(place.base) : undefined;
}

/** Names of variables of which a statement takes the address. */
export function addressed(statement: Statement): Set<string> {
  const names = new Set<string>();
  visitStatement(statement, (expression) => {
    const root = expression.kind === 'unary' && expression.op === '&' ? rootOf(expression.of) : undefined;
    if (root !== undefined) names.add(root);
  });
  return names;
}

/** The name that a place or the place under a pointer is called by. */
const nameUnder = (place: Expression): string | undefined =>
  place.kind === 'unary' && place.op === '*'
    ? nameUnder(place.of)
    : place.kind === 'index' || place.kind === 'member'
      ? nameUnder(place.base)
      : rootOf(place);

/** Whether an assignment adds to what its place holds: `a += b`, `a = fma(x, y, a)`, `a = max(a, b)`. */
export function isAccumulation(statement: Statement): boolean {
  if (statement.kind !== 'assign' || !statement.target) return false;
  const isCounter = statement.value.kind === 'number';
  if (statement.op !== '') return !isCounter && ['+', '-', '*'].includes(statement.op);
  if (statement.value.kind !== 'call' && statement.value.kind !== 'binary') return false;
  // Once is the target itself.
  return countOf(statement, nameUnder(statement.target)) > 1;
}

function countOf(statement: Statement, name: string | undefined): number {
  let count = 0;
  visitStatement(statement, (expression) => {
    if (expression.kind === 'name' && expression.name === name) count++;
  });
  return count;
}
