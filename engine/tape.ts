// The tape: reverse-mode automatic differentiation in one file.
//
// Each differentiable operation that touches a tracked tensor leaves a node: what it computed, the edges to the nodes (or
// leaves) of its inputs, and the tensors its vjp will read. Backward walks the nodes from newest to oldest - the order of
// creation is a topological order, so no recursion is needed - and hands each node the sum of the gradients that reached
// it. vjps are written with differentiable operations: with `createGraph` they leave nodes of their own.
import { takes } from './call-check.ts';
import { during } from './during.ts';
import { DTypeError, ShapeError, showShape, UseAfterFreeError } from './errors.ts';
import { type Layer, workObserver } from './profile/work.ts';
import { currentSaver, type Saved, saveTensor } from './saved.ts';
import { disown, own, type Owned, scope, type Scope } from './scope.ts';
import { anyType, callback, flag, list, optionsWith, value } from './parameters.ts';
import { checkTensor } from './signature.ts';
import { sameShape, type Shape } from './shape.ts';
import type { Tensor } from './tensor.ts';

/** What a vjp is given. `inputs` and `outputs` hold only what the operation declared in `saves`. */
export interface VjpContext<A> {
  readonly attrs: A;
  readonly inputs: readonly Tensor[];
  readonly outputs: readonly Tensor[];
  readonly inputShapes: readonly (Shape | undefined)[];
  /** Gradients of the outputs, undefined for an output that nothing used. A single output always has one. */
  readonly gradients: readonly Tensor[];
  /** Which inputs want a gradient; computing another is wasted work. */
  readonly needs: readonly boolean[];
  /** True if the vjp itself will be differentiated, so that it may not use kernels without a gradient. */
  readonly createGraph: boolean;
}

export type Gradients = readonly (Tensor | undefined)[];
export type Vjp<A> = (context: VjpContext<A>) => Gradients;
export type GradientHook = (gradient: Tensor) => Tensor | undefined | void;

/** Where a gradient goes next: an output of an older node, or a leaf. */
type Edge = { node: TapeNode; output: number } | { leaf: Tensor };

let nextId = 0;

/** One operation on the tape. */
export class TapeNode<A = unknown> implements Owned {
  readonly id = nextId++;
  readonly name: string;
  readonly edges: readonly (Edge | undefined)[];
  readonly outputCount: number;
  /** The layer that called the operation, while a profiler watches. */
  readonly layer: Layer = workObserver()?.layer;
  owner: Scope | undefined;
  readonly #attrs: A;
  readonly #vjp: Vjp<A>;
  readonly #inputShapes: readonly (Shape | undefined)[];
  #saved: { inputs: (Saved | undefined)[]; outputs: (Saved | undefined)[] } | undefined;
  #hooks: GradientHook[][] | undefined;

  constructor(
    name: string,
    attrs: A,
    vjp: Vjp<A>,
    inputs: readonly (Tensor | undefined)[],
    outputs: readonly Tensor[],
    saves: { inputs?: readonly number[]; outputs?: readonly number[] },
  ) {
    this.name = name;
    this.#attrs = attrs;
    this.#vjp = vjp;
    this.#inputShapes = inputs.map((input) => input?.shape);
    this.outputCount = outputs.length;
    this.edges = inputs.map((input) => {
      if (input?.node) return { node: input.node, output: input.outputIndex };
      return input?.requiresGrad ? { leaf: input.leaf } : undefined;
    });
    const save = (list: readonly (Tensor | undefined)[], which: readonly number[] = []) => {
      const result: (Saved | undefined)[] = [];
      for (const i of which) {
        const tensor = list[i];
        if (tensor) result[i] = saveTensor(tensor);
      }
      return result;
    };
    // Inputs are saved first: the outputs' aliases must point at this node, which they get below.
    const savedInputs = save(inputs, saves.inputs);
    outputs.forEach((output, i) => {
      if (output.dtype !== 'float32') return;
      output.node = this as TapeNode;
      output.outputIndex = i;
    });
    this.#saved = { inputs: savedInputs, outputs: save(outputs, saves.outputs) };
    own(this);
    currentSaver()?.recorded(this as TapeNode);
  }

  hookOutput(index: number, hooks: GradientHook[]): void {
    this.#hooks ??= [];
    this.#hooks[index] = hooks;
  }

  /** What the hooks of the outputs make of their gradients. */
  hooked(gradients: readonly (Tensor | undefined)[]): readonly (Tensor | undefined)[] {
    return this.#hooks ? gradients.map((gradient, i) => applyHooks(gradient, this.#hooks?.[i])) : gradients;
  }

  /** Gradients of the inputs, given those of the outputs after their hooks. */
  run(gradients: readonly (Tensor | undefined)[], createGraph: boolean): Gradients {
    const saved = this.#saved;
    if (!saved) {
      throw new UseAfterFreeError(`the tape of '${this.name}' has already been used or its scope has ended`, {
        operation: 'backward',
        hint: 'Pass { retainGraph: true } to the first backward to walk the same graph twice',
      });
    }
    const open = (list: (Saved | undefined)[]): Tensor[] => list.map((entry) => entry?.open(this.name) as Tensor);
    return this.#vjp({
      attrs: this.#attrs,
      inputs: open(saved.inputs),
      outputs: open(saved.outputs),
      inputShapes: this.#inputShapes,
      gradients: gradients as Tensor[],
      needs: this.edges.map((edge) => edge !== undefined),
      createGraph,
    });
  }

  /** Lets go of the saved tensors. */
  dispose(): void {
    disown(this);
    const saved = this.#saved;
    this.#saved = undefined;
    for (const entry of saved ? [...saved.inputs, ...saved.outputs] : []) entry?.dispose();
  }

  /** This node and all nodes behind it. */
  *ancestors(): Iterable<TapeNode> {
    const seen = new Set<TapeNode>([this as TapeNode]);
    for (const node of seen) {
      yield node;
      for (const edge of node.edges) if (edge && 'node' in edge) seen.add(edge.node);
    }
  }
}

/** Hooks run in the order of their registration; each sees what the one before it returned. */
function applyHooks(gradient: Tensor | undefined, hooks: readonly GradientHook[] | undefined): Tensor | undefined {
  // A copy of the list: a hook may remove itself.
  for (const hook of gradient && hooks ? [...hooks] : []) {
    const replacement = hook(gradient!);
    if (!replacement) continue;
    if (!sameShape(replacement.shape, gradient!.shape)) {
      throw new ShapeError('a hook must return a gradient of the same shape', {
        operation: 'backward',
        expected: showShape(gradient!.shape),
        given: showShape(replacement.shape),
      });
    }
    gradient = replacement;
  }
  return gradient;
}

let recording = true;

export const gradEnabled = (): boolean => recording;

/** Sets whether operations leave nodes, for as long as `body` runs; a promise counts until it settles. */
export function withGradMode<T>(on: boolean, body: () => T): T {
  const before = recording;
  recording = on;
  return during(body, () => (recording = before));
}

const takesNoGrad = takes('noGrad', { body: callback });

/** Runs `body` without recording: for evaluation and for updates. */
export const noGrad = <T>(...args: [body: () => T]): T => withGradMode(false, takesNoGrad(args)[0]);

export interface BackwardOptions {
  /** Gradient of the output; ones for a scalar. */
  gradient?: Tensor;
  /** Keep the saved tensors for another backward over the same graph. */
  retainGraph?: boolean;
  /** Record the backward pass itself, for gradients of gradients. Implies retainGraph. */
  createGraph?: boolean;
}

/** How gradients are added and started; given by the operations, which this file does not import. */
export const arithmetic: {
  add(a: Tensor, b: Tensor): Tensor;
  onesLike(x: Tensor): Tensor;
  zerosLike(x: Tensor): Tensor;
} = {
  add: () => unset(),
  onesLike: () => unset(),
  zerosLike: () => unset(),
};

const unset = (): never => {
  throw new Error('engine/ops has not been loaded');
};

/** d sum(output * gradient) into the `grad` of every leaf below `output` that wants one. */
export function backward(output: Tensor, options: BackwardOptions = {}): void {
  const leaves = walk([output], [options.gradient], options);
  for (const [leaf, gradient] of leaves) {
    // The leaf owns its gradient: it must outlive the scope of the step, for accumulation over steps.
    const before = leaf.grad;
    leaf.grad = before ? attributed('accumulate', leaf, () => addHeld(before, gradient)) : gradient;
  }
}

type GradOptions = Omit<BackwardOptions, 'gradient'> & { gradOutputs?: readonly (Tensor | undefined)[] };

const takesGrad = takes('grad', {
  outputs: value,
  inputs: list,
  options: optionsWith<GradOptions>({ retainGraph: flag, createGraph: flag, gradOutputs: list }),
});

/**
 * Gradients of sum over outputs of sum(output * gradOutput) with respect to `inputs`, which may be leaves or not.
 * An input that the outputs do not depend on gets zeros.
 */
export function grad(
  ...args: [outputs: Tensor | readonly Tensor[], inputs: readonly Tensor[], options?: GradOptions]
): Tensor[] {
  const [outputs, inputs, options = {}] = takesGrad(args);
  const roots = Array.isArray(outputs) ? (outputs as readonly Tensor[]) : [outputs as Tensor];
  for (const output of roots) checkTensor('grad', 'outputs', output, anyType.dtypes, undefined);
  for (const input of inputs) checkTensor('grad', 'inputs', input, anyType.dtypes, undefined);
  const found = walk(roots, options.gradOutputs ?? [], options, inputs);
  const wanted = new Set(inputs);
  for (const [target, gradient] of found) {
    if (!wanted.has(target)) gradient.dispose();
    else if (!gradient.owner) own(gradient);
  }
  return inputs.map((input) => found.get(input) ?? arithmetic.zerosLike(input));
}

/** Runs a part of backward, for a node or for a leaf, under the eyes of the profiler if there is one. */
function attributed<T>(operation: string, source: TapeNode | Tensor, body: () => T): T {
  const observer = workObserver();
  if (!observer) return body();
  return observer.backward(operation, source instanceof TapeNode ? source.layer : source, body);
}

/** a + b outside of any scope; `a` is let go. */
function addHeld(a: Tensor, b: Tensor): Tensor {
  const sum = arithmetic.add(a, b);
  disown(sum);
  a.dispose();
  b.dispose();
  return sum;
}

/** Walks the graph from newest to oldest node; returns the gradients that reach leaves and wanted tensors, unowned. */
function walk(
  outputs: readonly Tensor[],
  gradOutputs: readonly (Tensor | undefined)[],
  { retainGraph = false, createGraph = false }: BackwardOptions,
  wanted: readonly Tensor[] = [],
): Map<Tensor, Tensor> {
  const found = new Map<Tensor, Tensor>();
  const wantedAt = new Map<TapeNode, Tensor[]>();
  for (const tensor of wanted) {
    if (tensor.node) wantedAt.set(tensor.node, [...(wantedAt.get(tensor.node) ?? []), tensor]);
  }
  // Gradients on their way are held by handles of their own, so that each is released as soon as it has been used.
  const combine = (before: Tensor | undefined, gradient: Tensor): Tensor => {
    const held = gradient.alias();
    return before ? addHeld(before, held) : held;
  };
  const pending = new Map<TapeNode, (Tensor | undefined)[]>();
  const deliver = (edge: Edge, gradient: Tensor): void => {
    if ('leaf' in edge) {
      found.set(edge.leaf, combine(found.get(edge.leaf), gradient));
    } else {
      const slots = pending.get(edge.node)!;
      slots[edge.output] = combine(slots[edge.output], gradient);
    }
  };

  const roots = outputs.map((output, i) => ({
    edge: edgeOf(output),
    gradient: attributed('start', output.node ?? output.leaf, () => startGradient(output, gradOutputs[i])),
  }));
  const nodes = reachable(roots.map((root) => root.edge));
  for (const node of nodes) pending.set(node, new Array<Tensor | undefined>(node.outputCount).fill(undefined));

  const visit = (node: TapeNode): void => {
    const arrived = pending.get(node)!;
    pending.delete(node);
    const gradients = node.hooked(arrived);
    for (const target of wantedAt.get(node) ?? []) {
      const gradient = gradients[target.outputIndex];
      if (gradient) found.set(target, combine(found.get(target), gradient));
    }
    if (gradients.every((gradient) => gradient === undefined)) return;
    const results = node.run(gradients, createGraph);
    node.edges.forEach((edge, i) => {
      const gradient = results[i];
      if (edge && gradient) deliver(edge, gradient);
    });
    for (const gradient of arrived) gradient?.dispose();
    if (!retainGraph && !createGraph) node.dispose();
  };

  const hookLeaf = (leaf: Tensor, gradient: Tensor): void => {
    const total = applyHooks(gradient, leaf.hooks)!;
    if (total === gradient) return;
    found.set(leaf, total.alias());
    gradient.dispose();
  };

  // What a recorded backward makes is part of the graph and lives on with it.
  const inScope = (body: () => void): void => {
    if (createGraph) return body();
    using temporaries = scope();
    body();
  };
  withGradMode(createGraph, () => {
    for (const root of roots) deliver(root.edge, root.gradient);
    for (const node of nodes) inScope(() => attributed(node.name, node, () => visit(node)));
    for (const [target, gradient] of found) {
      const isWanted = wanted.length === 0 || wanted.includes(target);
      if (target.hooks && !target.node && isWanted) {
        inScope(() => attributed('hook', target, () => hookLeaf(target, gradient)));
      }
    }
  });
  return found;
}

function edgeOf(output: Tensor): Edge {
  if (output.node) return { node: output.node, output: output.outputIndex };
  if (output.requiresGrad) return { leaf: output.leaf };
  throw new DTypeError('the output does not depend on any tensor that requires a gradient', {
    operation: 'backward',
    argument: 'output',
    expected: 'a tensor on the tape',
    given: output.toString(),
    hint: 'Was it computed under noGrad, or detached?',
  });
}

function startGradient(output: Tensor, gradient: Tensor | undefined): Tensor {
  if (!gradient) {
    if (output.size === 1) return arithmetic.onesLike(output);
    throw new ShapeError('only a scalar has a gradient without being told where to start', {
      operation: 'backward',
      argument: 'gradient',
      expected: 'a scalar, or a gradient to start from',
      given: showShape(output.shape),
      hint: 'Reduce the loss with mean() or sum(), or pass { gradient }',
    });
  }
  if (!sameShape(gradient.shape, output.shape)) {
    throw new ShapeError('the gradient must have the shape of the output', {
      operation: 'backward',
      argument: 'gradient',
      expected: showShape(output.shape),
      given: showShape(gradient.shape),
    });
  }
  return gradient;
}

/** All nodes below the given edges, newest first. */
function reachable(edges: readonly (Edge | undefined)[]): TapeNode[] {
  const seen = new Set<TapeNode>();
  for (const edge of edges) if (edge && 'node' in edge) seen.add(edge.node);
  // A Set visits members that are added while it is walked, so this is a worklist without recursion.
  for (const node of seen) for (const edge of node.edges) if (edge && 'node' in edge) seen.add(edge.node);
  return [...seen].sort((a, b) => b.id - a.id);
}
