// The two ways into the tape: `backward` leaves gradients in the leaves, `grad` returns those that it is asked for. Both walk it with
// `walk`, to different places.
import { takes } from './call-check.ts';
import { currentTracer } from './compile/tracer.ts';
import { arithmetic, carry } from './gradients.ts';
import { anyType, flag, list, optionsWith, value } from './parameters.ts';
import { backwardWork } from './profile/work.ts';
import { own } from './scope.ts';
import { checkTensor } from './signature.ts';
import { type Edge, type Route, type TapeNode, walk, type WalkOptions } from './tape.ts';
import type { Tensor } from './tensor.ts';

/** How a backward walk treats the graph, and where it starts. */
export interface BackwardOptions extends WalkOptions {
  /** Gradient of the output; ones for a scalar. */
  gradient?: Tensor;
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

/** d sum(output * gradient) into the `grad` of every leaf below `output` that wants one. */
export function backward(output: Tensor, options: BackwardOptions = {}): void {
  const tracer = currentTracer();
  if (tracer) tracer.backward(output, options, () => accumulate(output, options));
  else accumulate(output, options);
}

/** Returns the gradients that it leaves, by their tensors. */
function accumulate(output: Tensor, options: BackwardOptions): Map<Tensor, Tensor> {
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
  return totals;
}

type GradOptions = WalkOptions & { gradOutputs?: readonly (Tensor | undefined)[] };

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
