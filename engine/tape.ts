// The tape: reverse-mode automatic differentiation in one file.
//
// Each differentiable operation that touches a tracked tensor leaves a node: what it computed, the edges to the nodes (or
// leaves) of its inputs, and the tensors its vjp will read. Backward walks the nodes from newest to oldest - the order of
// creation is a topological order, so no recursion is needed - and hands each node the sum of the gradients that reached
// it. vjps are written with differentiable operations: with `createGraph` they leave nodes of their own.
import { takes } from './call-check.ts';
import { during } from './during.ts';
import { DTypeError, UseAfterFreeError } from './errors.ts';
import { arithmetic, carry, checkGradient, letGo, startGradient } from './gradients.ts';
import { applyHooks, type OutputHooks } from './hooks.ts';
import { backwardWork, type Layer, workObserver } from './profile/work.ts';
import { currentSaver, isChanged, openReads, type Saved, saveReads, type Saves } from './saved.ts';
import { beginScope, disown, own, type Owned, type Scope } from './scope.ts';
import { anyType, callback, flag, list, optionsWith, value } from './parameters.ts';
import { checkTensor } from './signature.ts';
import type { Shape } from './shape.ts';
import type { Tensor } from './tensor.ts';

/** What a vjp is given. `inputs` and `outputs` hold only what `saves` declares for the gradients that are needed. */
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

/** One gradient per input; undefined where there is none. */
export type Gradients = readonly (Tensor | undefined)[];
/** The product of a vector with the Jacobian: gradients of the inputs from those of the outputs. */
export type Vjp<A> = (context: VjpContext<A>) => Gradients;

/** Where a gradient goes next: an output of an older node, or a leaf. */
export type Edge = { node: TapeNode; output: number } | { leaf: Tensor };

let nextId = 0;

/** One operation on the tape. */
export class TapeNode<A = unknown> implements Owned {
  readonly id = nextId++;
  readonly name: string;
  readonly edges: readonly (Edge | undefined)[];
  readonly outputCount: number;
  /** The layer that called the operation, while a profiler watches. */
  readonly layer: Layer = workObserver()?.layer;
  /** Outputs whose gradient backward leaves in their `grad`. */
  retained: Set<Tensor> | undefined;
  /** Those of its outputs, where there are any. */
  hooks: OutputHooks | undefined;
  owner: Scope | undefined;
  readonly #attrs: A;
  readonly #vjp: Vjp<A>;
  readonly #inputShapes: readonly (Shape | undefined)[];
  readonly #saves: Saves;
  #inputs: readonly (Saved | undefined)[] = [];
  #outputs: readonly (Saved | undefined)[] = [];
  #released = false;

  constructor(
    name: string,
    attrs: A,
    vjp: Vjp<A>,
    inputs: readonly (Tensor | undefined)[],
    outputs: readonly Tensor[],
    saves: Saves,
  ) {
    this.name = name;
    this.#attrs = attrs;
    this.#vjp = vjp;
    this.#inputShapes = inputs.map((input) => input?.shape);
    this.outputCount = outputs.length;
    this.edges = inputs.map((input) => input && edgeTo(input));
    own(this);
    this.#saves = saves;
    // Inputs are saved first: the outputs' aliases must point at this node, which they get below.
    this.#inputs = saveReads(inputs, saves.inputs, this.edges);
    outputs.forEach((output, i) => {
      if (output.dtype !== 'float32') return;
      output.node = this as TapeNode;
      output.outputIndex = i;
    });
    this.#outputs = saveReads(outputs, saves.outputs, this.edges);
    currentSaver()?.recorded(this as TapeNode);
  }

  /** Gradients of the inputs that need one, given those of the outputs after their hooks. */
  run(gradients: readonly (Tensor | undefined)[], needs: readonly boolean[], createGraph: boolean): Gradients {
    if (this.#released) {
      throw new UseAfterFreeError(`the tape of '${this.name}' has already been used or its scope has ended`, {
        operation: 'backward',
        hint: 'Pass { retainGraph: true } to the first backward to walk the same graph twice',
      });
    }
    const { inputs, outputs, either } = this.#saves;
    const byOutputs = either && isChanged(this.#inputs);
    const results = this.#vjp({
      attrs: this.#attrs,
      inputs: byOutputs ? [] : openReads(this.#inputs, inputs, needs, this.name),
      outputs: either && !byOutputs ? [] : openReads(this.#outputs, outputs, needs, this.name),
      inputShapes: this.#inputShapes,
      gradients: gradients as Tensor[],
      needs,
      createGraph,
    });
    for (let i = 0; i < needs.length; i++) {
      const gradient = results[i];
      if (needs[i] && gradient) checkGradient(this.name, i, gradient, this.#inputShapes[i]!);
    }
    return results;
  }

  /** Lets go of what has been recomputed for this node and could be once more. */
  forget(): void {
    for (const saved of this.#inputs) saved?.forget?.();
    for (const saved of this.#outputs) saved?.forget?.();
  }

  /** Lets go of the saved tensors. A node without any serves on, as its vjp has all that it reads. */
  dispose(): void {
    disown(this);
    this.#released = this.#inputs.length + this.#outputs.length > 0;
    for (const saved of this.#inputs) saved?.dispose();
    for (const saved of this.#outputs) saved?.dispose();
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

function edgeTo({ node, outputIndex, requiresGrad, leaf }: Tensor): Edge | undefined {
  if (node) return { node, output: outputIndex };
  return requiresGrad ? { leaf } : undefined;
}

let recording = true;

/** Whether operations write on the tape: false inside noGrad. */
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

/** How a backward walk treats the graph. */
export interface BackwardOptions {
  /** Gradient of the output; ones for a scalar. */
  gradient?: Tensor;
  /** Keep the saved tensors for another backward over the same graph. */
  retainGraph?: boolean;
  /** Record the backward pass itself, for gradients of gradients. Implies retainGraph. */
  createGraph?: boolean;
}

/** d sum(output * gradient) into the `grad` of every leaf below `output` that wants one. */
export function backward(output: Tensor, options: BackwardOptions = {}): void {
  const totals = walk([output], [options.gradient], options, everywhere, (found) => {
    for (const [tensor, gradient] of found) {
      const { grad } = tensor;
      if (grad)
        found.set(
          tensor,
          backwardWork('accumulate', tensor, () => carry(gradient, grad)),
        );
    }
  });
  for (const [tensor, total] of totals) {
    // The tensor owns its gradient: it must outlive the scope of the step, for accumulation over steps.
    tensor.grad?.dispose();
    tensor.grad = total;
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
  const list: readonly Tensor[] = Array.isArray(outputs) ? outputs : [outputs as Tensor];
  for (const output of list) checkTensor('grad', 'outputs', output, anyType.dtypes, undefined);
  for (const input of inputs) checkTensor('grad', 'inputs', input, anyType.dtypes, undefined);
  const targets = inputs.map((input) => (input.node ? input : input.leaf));
  const found = walk(list, options.gradOutputs ?? [], options, routeTo(targets), (gradients) => {
    for (const target of targets) {
      if (!gradients.has(target)) gradients.set(target, arithmetic.zerosLike(target).alias());
    }
  });
  for (const gradient of found.values()) own(gradient);
  return targets.map((target) => found.get(target)!);
}

/** Which way a walk goes: the edges that it follows, and the outputs of a node whose gradient is wanted. */
interface Route {
  follows(edge: Edge | undefined): edge is Edge;
  wantedOf(node: TapeNode): Iterable<Tensor>;
}

const none: readonly Tensor[] = [];

/** To every leaf that is still there, past the results that keep their gradient. */
const everywhere = (): Route => ({
  follows: (edge): edge is Edge => edge !== undefined && !('leaf' in edge && edge.leaf.disposed),
  wantedOf: ({ retained }) => (retained ? [...retained].filter((result) => !result.disposed) : none),
});

/** To some leaves and results alone, among `nodes`, newest first. */
const routeTo =
  (targets: readonly Tensor[]) =>
  (nodes: readonly TapeNode[]): Route => {
    const leaves = new Set(targets.filter((target) => !target.node));
    const results = new Map<TapeNode, Set<Tensor>>();
    for (const target of targets) {
      if (target.node) results.set(target.node, (results.get(target.node) ?? new Set()).add(target));
    }
    const passed = new Set<TapeNode>();
    const follows = (edge: Edge | undefined): edge is Edge =>
      edge !== undefined && ('leaf' in edge ? leaves.has(edge.leaf) : passed.has(edge.node));
    for (const node of nodes.toReversed()) if (results.has(node) || node.edges.some(follows)) passed.add(node);
    return { follows, wantedOf: (node) => results.get(node) ?? none };
  };

/**
 * Walks the graph from newest to oldest node; returns the gradients of what the route leads to, carried, after `finish` has
 * had its way with them. If anything throws, nothing that was made is left.
 */
function walk(
  outputs: readonly Tensor[],
  gradOutputs: readonly (Tensor | undefined)[],
  { retainGraph = false, createGraph = false }: BackwardOptions,
  route: (nodes: readonly TapeNode[]) => Route,
  finish: (found: Map<Tensor, Tensor>) => void,
): Map<Tensor, Tensor> {
  const roots = outputs.map(rootOf);
  const nodes = reachable(roots);
  const { follows, wantedOf } = route(nodes);
  const found = new Map<Tensor, Tensor>();
  const pending = new Map<TapeNode, (Tensor | undefined)[]>();

  const deliver = (edge: Edge, gradient: Tensor): void => {
    if ('leaf' in edge) {
      found.set(edge.leaf, carry(found.get(edge.leaf), gradient));
      return;
    }
    const { node, output } = edge;
    const slots = pending.get(node) ?? new Array<Tensor | undefined>(node.outputCount).fill(undefined);
    pending.set(node, slots);
    slots[output] = carry(slots[output], gradient);
  };

  const visit = (node: TapeNode): void => {
    const arrived = pending.get(node);
    if (!arrived) return;
    const gradients = node.hooks?.apply(arrived) ?? arrived;
    for (const target of wantedOf(node)) {
      const gradient = gradients[target.outputIndex];
      if (gradient) found.set(target, carry(found.get(target), gradient));
    }
    const needs = node.edges.map(follows);
    if (needs.includes(true)) {
      const results = node.run(gradients, needs, createGraph);
      node.edges.forEach((edge, i) => {
        const gradient = results[i];
        if (follows(edge) && gradient) deliver(edge, gradient);
      });
      if (!retainGraph && !createGraph) node.dispose();
    }
    pending.delete(node);
    letGo(arrived);
  };

  const hookLeaf = (leaf: Tensor, gradient: Tensor): void => {
    const total = applyHooks(gradient, leaf.hooks);
    if (total === gradient) return;
    found.set(leaf, total.alias());
    gradient.dispose();
  };

  // What a recorded backward makes is part of the graph and lives on with it.
  const inScope = (body: () => void): void => {
    using made = beginScope();
    body();
    if (createGraph) made.passOn();
  };
  const run = (): void => {
    roots.forEach((edge, i) => {
      const { layer } = 'node' in edge ? edge.node : { layer: edge.leaf };
      const gradient = backwardWork('start', layer, () => startGradient(outputs[i]!, gradOutputs[i]));
      if (follows(edge)) deliver(edge, gradient);
    });
    for (const node of nodes) inScope(() => backwardWork(node.name, node.layer, () => visit(node)));
    for (const [leaf, gradient] of found) {
      if (leaf.hooks) inScope(() => backwardWork('hook', leaf, () => hookLeaf(leaf, gradient)));
    }
    finish(found);
  };
  try {
    inScope(() => withGradMode(createGraph, run));
    return found;
  } catch (error) {
    letGo(found.values());
    for (const slots of pending.values()) letGo(slots);
    for (const node of nodes) node.forget();
    throw error;
  }
}

function rootOf(output: Tensor): Edge {
  const edge = edgeTo(output);
  if (edge) return edge;
  throw new DTypeError('the output does not depend on any tensor that requires a gradient', {
    operation: 'backward',
    argument: 'output',
    expected: 'a tensor on the tape',
    given: output.toString(),
    hint: 'Was it computed under noGrad, or detached?',
  });
}

/** All nodes below the given edges, newest first. */
function reachable(edges: readonly Edge[]): TapeNode[] {
  const seen = new Set<TapeNode>();
  for (const edge of edges) if ('node' in edge) seen.add(edge.node);
  // A Set visits members that are added while it is walked, so this is a worklist without recursion.
  for (const node of seen) for (const edge of node.edges) if (edge && 'node' in edge) seen.add(edge.node);
  return [...seen].sort((a, b) => b.id - a.id);
}
