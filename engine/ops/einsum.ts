// Einstein's summation: products of tensors whose axes are named by letters. Operands are joined two at a time as batched
// matrix products, from left to right.
import { ConfigError, ShapeError, showShape } from '../errors.ts';
import { defineComposite } from '../operation.ts';
import { sizeOf } from '../shape.ts';
import { float, listOf, text } from '../signature.ts';
import type { Tensor } from '../tensor.ts';
import { expand } from './expand.ts';
import { permute, slice } from './layout.ts';
import { matmul } from './matmul.ts';
import { sum } from './reduction.ts';
import { reshape } from './reshape.ts';

const operation = 'einsum';

/** A tensor with a letter, or the number of an axis of the ellipsis, for each axis. */
interface Term {
  readonly x: Tensor;
  readonly labels: readonly string[];
}

function refuseEquation(reason: string, expected: string, given: string): never {
  throw new ConfigError(reason, { operation, argument: 'equation', expected, given: `'${given}'` });
}

/** The letters of one side. Axes under the ellipsis are counted from the end, so that they broadcast. */
function labelsOf(part: string, hidden: number, equation: string): string[] {
  const match = /^([a-zA-Z]*)(\.\.\.)?([a-zA-Z]*)$/.exec(part);
  if (!match) refuseEquation('not an equation', "letters and '...', as in 'ij,jk->ik'", equation);
  const [, before = '', dots, after = ''] = match!;
  const ellipsis = dots ? Array.from({ length: hidden }, (_, i) => `.${hidden - i}`) : [];
  return [...before, ...ellipsis, ...after];
}

interface Parsed {
  terms: Term[];
  output: string[];
}

function parse(equation: string, tensors: readonly Tensor[]): Parsed {
  const sides = equation.replace(/\s/g, '').split('->');
  const inputs = sides[0]!.split(',');
  if (sides.length > 2) refuseEquation('not an equation', "at most one '->'", equation);
  if (inputs.length !== tensors.length) {
    refuseEquation(
      'the number of parts differs from that of the tensors',
      `${tensors.length} parts between commas`,
      equation,
    );
  }
  let widest = 0;
  const terms = inputs.map((part, i): Term => {
    const x = tensors[i]!;
    const letters = part.replace('...', '').length;
    const hidden = part.includes('...') ? x.rank - letters : 0;
    if (hidden < 0 || letters + hidden !== x.rank) {
      const details = {
        operation,
        argument: `tensors[${i}]`,
        expected: `the axes '${part}'`,
        given: showShape(x.shape),
      };
      throw new ShapeError('the number of axes differs', details);
    }
    widest = Math.max(widest, hidden);
    return { x, labels: labelsOf(part, hidden, equation) };
  });
  const all = terms.flatMap(({ labels }) => labels);
  if (sides[1] === undefined) {
    const once = [...new Set(all)].filter((label) => label[0] !== '.' && all.indexOf(label) === all.lastIndexOf(label));
    return { terms, output: [...labelsOf('...', widest, equation), ...once.sort()] };
  }
  const output = labelsOf(sides[1], widest, equation);
  const stranger = output.find((label) => label[0] !== '.' && !all.includes(label));
  if (stranger)
    refuseEquation('the result has an axis that none of the tensors has', `no '${stranger}' behind '->'`, equation);
  if (new Set(output).size < output.length)
    refuseEquation('an axis of the result is named twice', 'each once', equation);
  return { terms, output };
}

/** The size of each label; an axis of size 1 broadcasts. */
function sizesOf(terms: readonly Term[]): Map<string, number> {
  const sizes = new Map<string, number>();
  terms.forEach(({ x, labels }, i) => {
    labels.forEach((label, axis) => {
      const n = x.shape[axis]!;
      const known = sizes.get(label) ?? 1;
      if (known !== 1 && n !== 1 && known !== n) {
        const argument = `tensors[${i}]`;
        const details = {
          operation,
          argument,
          expected: `a size of ${known} for '${label}'`,
          given: showShape(x.shape),
        };
        throw new ShapeError('sizes of one axis differ', details);
      }
      sizes.set(label, known === 1 ? n : known);
    });
  });
  return sizes;
}

/** Repeated labels of one operand become one axis, its diagonal: every (n + 1)-th of n n elements. */
function diagonal({ x, labels }: Term, sizes: ReadonlyMap<string, number>): Term {
  const label = labels.find((each, i) => labels.indexOf(each) < i);
  if (label === undefined) return { x, labels };
  const first = labels.indexOf(label);
  const second = labels.indexOf(label, first + 1);
  const rest = labels.flatMap((_, axis) => (axis === first || axis === second ? [] : [axis]));
  const n = sizes.get(label)!;
  const moved = permute(x, [...rest, first, second]);
  const shape = rest.map((axis) => x.shape[axis]!);
  const square = reshape(expand(moved, [...shape, n, n]), [...shape, n * n]);
  const taken = slice(square, [...rest.map(() => null), [null, null, n + 1]]);
  return diagonal({ x: taken, labels: [...rest.map((axis) => labels[axis]!), label] }, sizes);
}

/** Sums over the labels that nothing else needs. */
function reduced({ x, labels }: Term, needed: ReadonlySet<string>): Term {
  const axes = labels.flatMap((label, axis) => (needed.has(label) ? [] : [axis]));
  return axes.length ? { x: sum(x, axes), labels: labels.filter((label) => needed.has(label)) } : { x, labels };
}

/** With its axes in the order of `labels`, all of which it has, each at its full size. */
function arranged({ x, labels }: Term, order: readonly string[], sizes: ReadonlyMap<string, number>): Tensor {
  const moved = permute(
    x,
    order.map((label) => labels.indexOf(label)),
  );
  return expand(
    moved,
    order.map((label) => sizes.get(label)!),
  );
}

function joined(a: Term, b: Term, needed: ReadonlySet<string>, sizes: ReadonlyMap<string, number>): Term {
  const left = reduced(a, new Set([...needed, ...b.labels]));
  const right = reduced(b, new Set([...needed, ...a.labels]));
  const shared = left.labels.filter((label) => right.labels.includes(label));
  const batch = shared.filter((label) => needed.has(label));
  const contracted = shared.filter((label) => !needed.has(label));
  const rows = left.labels.filter((label) => !shared.includes(label));
  const columns = right.labels.filter((label) => !shared.includes(label));
  const count = (labels: readonly string[]): number => sizeOf(labels.map((label) => sizes.get(label)!));
  const product = matmul(
    reshape(arranged(left, [...batch, ...rows, ...contracted], sizes), [count(batch), count(rows), count(contracted)]),
    reshape(arranged(right, [...batch, ...contracted, ...columns], sizes), [
      count(batch),
      count(contracted),
      count(columns),
    ]),
  );
  const labels = [...batch, ...rows, ...columns];
  return {
    x: reshape(
      product,
      labels.map((label) => sizes.get(label)!),
    ),
    labels,
  };
}

/**
 * `einsum('bij,bjk->bik', [a, b])`: multiplies the tensors along axes of the same letter and sums over the letters that the
 * result does not name. Without `->` the result has the letters that occur once, in alphabetical order. A letter twice in one
 * part takes the diagonal; `...` stands for axes that broadcast. Throws ConfigError for what is not an equation and ShapeError for
 * tensors that do not fit it.
 */
export const einsum = defineComposite(
  operation,
  (equation: string, tensors: readonly Tensor[]): Tensor => {
    if (!tensors.length) {
      throw new ConfigError('nothing to multiply', {
        operation,
        argument: 'tensors',
        expected: 'one tensor or more',
        given: 'none',
      });
    }
    const { terms, output } = parse(equation, tensors);
    const sizes = sizesOf(terms);
    const [first, ...others] = terms.map((term) => diagonal(term, sizes));
    let result = first!;
    others.forEach((term, i) => {
      const later = others.slice(i + 1).flatMap(({ labels }) => labels);
      result = joined(result, term, new Set([...output, ...later]), sizes);
    });
    return arranged(reduced(result, new Set(output)), output, sizes);
  },
  { family: 'einsum', signature: { equation: text, tensors: listOf(float) } },
);
