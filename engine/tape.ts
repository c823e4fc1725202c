// The tape: reverse-mode automatic differentiation in one file. Where a walk starts and what it leads to stands in backward.ts.
//
// Each differentiable operation that touches a tracked tensor leaves a node: what it computed, the edges to the nodes (or
// leaves) of its inputs, and the tensors its vjp will read. Backward walks the nodes from newest to oldest - the order of
// creation is a topological order, so no recursion is needed - and hands each node the sum of the gradients that reached
// it. vjps are written with differentiable operations: with `createGraph` they leave nodes of their own.
import { withGradMode } from './grad-mode.ts';
import { carry, checkGradient, letGo, offTheTape, startGradient } from './gradients.ts';
import { applyLeafHooks, type OutputHooks } from './hooks.ts';
import { backwardWork, type Layer, workObserver } from './profile/work.ts';
import { currentSaver, SavedReads, type Saves } from './saved.ts';
import { beginScope, disown, own, type Owned, type Scope } from './scope.ts';
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
  /** Which call of a compiled step made it, and in which run (compile/tracer.ts). */
  trace = -1;
  readonly saved: SavedReads;
  readonly #attrs: A;
  readonly #vjp: Vjp<A>;
  readonly #inputShapes: readonly (Shape | undefined)[];

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
    this.saved = new SavedReads(saves, inputs, this.edges);
    own(this);
    outputs.forEach((output, i) => {
      if (output.dtype !== 'float32') return;
      output.node = this as TapeNode;
      output.outputIndex = i;
    });
    this.saved.keepOutputs(outputs, this.edges);
    currentSaver()?.recorded(this as TapeNode);
  }

  /** Gradients of the inputs that need one, given those of the outputs after their hooks. */
  run(gradients: readonly (Tensor | undefined)[], needs: readonly boolean[], createGraph: boolean): Gradients {
    const { inputs, outputs } = this.saved.open(needs, this.name);
    const results = this.#vjp({
      attrs: this.#attrs,
      inputs,
      outputs,
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

  /** Lets go of the saved tensors. A node without any serves on, as its vjp has all that it reads. */
  dispose(): void {
    disown(this);
    this.saved.dispose();
  }
}

function edgeTo({ node, outputIndex, requiresGrad, leaf }: Tensor): Edge | undefined {
  if (node) return { node, output: outputIndex };
  return requiresGrad ? { leaf } : undefined;
}

/** How a walk treats the graph. */
export interface WalkOptions {
  /** Keep the saved tensors for another backward over the same graph. */
  retainGraph?: boolean;
  /** Record the backward pass itself, for gradients of gradients. Implies retainGraph. */
  createGraph?: boolean;
}

/** Which way a walk goes: the edges that it follows, and the outputs of a node whose gradient is wanted. */
export interface Route {
  follows(edge: Edge | undefined): edge is Edge;
  wantedOf(node: TapeNode): Iterable<Tensor>;
}

/**
 * Walks the graph from newest to oldest node; returns the gradients of what the route leads to, carried, after `finish` has
 * changed them. If anything throws, nothing that was made is left.
 */
export function walk(
  outputs: readonly Tensor[],
  gradOutputs: readonly (Tensor | undefined)[],
  { retainGraph = false, createGraph = false }: WalkOptions,
  route: (nodes: readonly TapeNode[]) => Route,
  finish: (found: Map<Tensor, Tensor>) => void,
): Map<Tensor, Tensor> {
  const roots = outputs.map(rootOf);
  const nodes = [...nodesBehind(roots)].sort((a, b) => b.id - a.id);
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
      if (leaf.hooks) inScope(() => backwardWork('hook', leaf, () => found.set(leaf, applyLeafHooks(leaf, gradient))));
    }
    finish(found);
  };
  try {
    inScope(() => withGradMode(createGraph, run));
    return found;
  } catch (error) {
    letGo(found.values());
    for (const slots of pending.values()) letGo(slots);
    for (const node of nodes) node.saved.forget();
    throw error;
  }
}

function rootOf(output: Tensor): Edge {
  const edge = edgeTo(output);
  if (!edge) throw offTheTape(output);
  return edge;
}

/** The nodes that edges lead to, and all behind them. */
export function nodesBehind(edges: readonly (Edge | undefined)[]): Set<TapeNode> {
  const seen = new Set<TapeNode>();
  const addAll = (edges: readonly (Edge | undefined)[]): void => {
    for (const edge of edges) if (edge && 'node' in edge) seen.add(edge.node);
  };
  addAll(edges);
  // A Set visits members that are added while it is walked, so this is a worklist without recursion.
  for (const node of seen) addAll(node.edges);
  return seen;
}
