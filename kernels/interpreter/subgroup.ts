// What the functions of a subgroup give: to each of its invocations that takes part, from the values of all that do.
import { f, m } from './numbers.ts';

/** What an invocation says when it calls a function of its subgroup. */
export interface SubgroupCall {
  readonly name: string;
  readonly value: unknown;
  readonly lane: number;
  readonly element: string;
}

type Combine = (a: number, b: number) => number;

/** A number or the components of a vector. */
function zip(a: unknown, b: unknown, combine: Combine): unknown {
  if (Array.isArray(a)) return a.map((part, i) => zip(part, (b as unknown[])[i], combine));
  return combine(a as number, b as number);
}

function combineOf(name: string, element: string): Combine {
  const wrap = (value: number): number => (element === 'f32' ? f(value) : element === 'i32' ? value | 0 : value >>> 0);
  switch (name) {
    case 'Add':
      return (a, b) => wrap(a + b);
    case 'Mul':
      return (a, b) => (element === 'f32' ? f(a * b) : wrap(m(a, b)));
    case 'Min':
      return Math.min;
    case 'Max':
      return Math.max;
    case 'And':
      return (a, b) => wrap(a & b);
    case 'Or':
      return (a, b) => wrap(a | b);
    default:
      return (a, b) => wrap(a ^ b);
  }
}

const fill = (value: unknown, number: number): unknown =>
  Array.isArray(value) ? value.map((part) => fill(part, number)) : number;

/** Running totals in the order of lanes, of the lanes before (`Ex`) or up to (`In`) each. */
function running(values: readonly unknown[], kind: string, combine: Combine, start: number): unknown[] {
  let total = fill(values[0], start);
  return values.map((value) => {
    const before = total;
    total = zip(total, value, combine);
    return kind === 'Ex' ? before : total;
  });
}

/**
 * The results of the calls of the lanes that take part, in the order of `lanes`. A value of a lane that does not take part is
 * not defined by WGSL; it is then the asking lane's own.
 */
export function subgroupResults(lanes: readonly number[], calls: readonly SubgroupCall[]): unknown[] {
  const { name, element } = calls[0]!;
  const values = calls.map((call) => call.value);
  const from = (lane: number, own: unknown): unknown => {
    const at = lanes.indexOf(lane);
    return at < 0 ? own : values[at];
  };
  const all = (value: unknown): unknown[] => lanes.map(() => value);
  switch (name.slice('subgroup'.length)) {
    case 'Broadcast':
    case 'Shuffle':
      return calls.map(({ lane, value }) => from(lane, value));
    case 'BroadcastFirst':
      return all(values[0]);
    case 'ShuffleXor':
      return calls.map(({ lane, value }, i) => from(lanes[i]! ^ lane, value));
    case 'ShuffleUp':
      return calls.map(({ lane, value }, i) => from(lanes[i]! - lane, value));
    case 'ShuffleDown':
      return calls.map(({ lane, value }, i) => from(lanes[i]! + lane, value));
    case 'Elect':
      return lanes.map((_, i) => i === 0);
    case 'All':
      return all(values.every(Boolean));
    case 'Any':
      return all(values.some(Boolean));
    case 'Ballot': {
      const words = [0, 0, 0, 0];
      lanes.forEach((lane, i) => {
        if (values[i]) words[lane >> 5] = (words[lane >> 5]! | (1 << (lane & 31))) >>> 0;
      });
      return all(words);
    }
    default: {
      const [, kind, operation] = /^(?:(Ex|In)clusive)?(\w+)$/.exec(name.slice('subgroup'.length))!;
      const combine = combineOf(operation!, element);
      if (kind) return running(values, kind, combine, operation === 'Mul' ? 1 : 0);
      return all(values.reduce((total, value) => zip(total, value, combine)));
    }
  }
}
