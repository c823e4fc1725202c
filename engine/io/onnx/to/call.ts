// One traced operation on its way to nodes: its inputs by the names that they have in the graph, and where its outputs are announced.
import type { DType } from '../../../../kernels/index.ts';
import { ConfigError } from '../../../errors.ts';
import { sameShape, type Shape } from '../../../shape.ts';
import { type AttributeValue, type ConstantValues, constantOf, dataTypes, type Graph, longs } from '../graph.ts';
import type { Source, Traced, TracedCall, Use } from '../trace.ts';

/** A value in the graph: its name there, and the shape and type under which it stands. */
export interface Named {
  readonly name: string;
  readonly shape: Shape;
  readonly dtype: DType;
}

type Attributes = Readonly<Record<string, AttributeValue>>;

/** The values that the graph has so far. */
export class NamedValues {
  readonly #names = new Map<Traced, Named | (() => Named)>();
  readonly #views = new Map<string, string>();
  readonly #graph: Graph;

  constructor(graph: Graph) {
    this.#graph = graph;
  }

  set(value: Traced, named: Named | (() => Named)): void {
    this.#names.set(value, named);
  }

  /** A value as it stands in the graph. One that is announced only is made now. */
  get(value: Traced): Named | undefined {
    const named = this.#names.get(value);
    if (typeof named !== 'function') return named;
    const made = named();
    this.#names.set(value, made);
    return made;
  }

  /** The name of a value under a shape and type. */
  read(base: Named, shape: Shape, dtype: DType, by: { layer: string; operation: string }): string {
    const view = (key: string, make: () => string): string => {
      const known = this.#views.get(key) ?? make();
      this.#views.set(key, known);
      return known;
    };
    let { name } = base;
    if (!sameShape(base.shape, shape)) {
      const options = { ...by, target: shape, from: base.shape };
      name = view(`${name} [${shape}]`, () => this.#graph.add('Reshape', [base.name], options)[0]!);
    }
    if (base.dtype === dtype) return name;
    const from = name;
    const attributes = { to: dataTypes[dtype] };
    return view(`${name} ${dtype}`, () => this.#graph.add('Cast', [from], { ...by, attributes })[0]!);
  }
}

/** What `translate` functions work with. */
export class Call {
  readonly opset: number;
  readonly #call: TracedCall;
  readonly #graph: Graph;
  readonly #values: NamedValues;
  readonly #used: ReadonlySet<Traced>;
  readonly #make: (value: Traced) => Named;

  constructor(
    call: TracedCall,
    context: {
      opset: number;
      graph: Graph;
      values: NamedValues;
      used: ReadonlySet<Traced>;
      make: (value: Traced) => Named;
    },
  ) {
    this.opset = context.opset;
    this.#call = call;
    this.#graph = context.graph;
    this.#values = context.values;
    this.#used = context.used;
    this.#make = context.make;
  }

  /** The attributes, of the type that the operation declares. */
  attrs<A>(): A {
    return this.#call.attrs as A;
  }

  has(i: number): boolean {
    return this.#call.inputs[i] !== undefined;
  }

  get count(): number {
    return this.#call.inputs.length;
  }

  #use(i: number): Use {
    return this.#call.inputs[i]!;
  }

  /** The shape in which the operation reads an input. */
  shape(i = 0): Shape {
    return this.#use(i).shape;
  }

  /** Where an input comes from. */
  source(i: number): Source {
    return this.#use(i).value.source;
  }

  /** An input as it stands in the graph, which may be in another shape. */
  base(i = 0): Named {
    const { value } = this.#use(i);
    return this.#values.get(value) ?? this.#make(value);
  }

  /** The name of an input under the shape in which the operation reads it, or another. */
  in(i = 0, shape: Shape = this.shape(i)): string {
    return this.read(this.#use(i), shape);
  }

  /** The name of what another operation reads, under a shape. */
  read({ value, dtype }: Use, shape: Shape): string {
    return this.#values.read(this.#values.get(value) ?? this.#make(value), shape, dtype, this.#by());
  }

  /** Adds a node of one output. */
  node(op: string, inputs: readonly string[], attributes: Attributes = {}): string {
    return this.#graph.add(op, inputs, { ...this.#by(), attributes })[0]!;
  }

  /** Adds a node of several outputs. */
  nodes(op: string, inputs: readonly string[], count: number, attributes: Attributes = {}): readonly string[] {
    return this.#graph.add(op, inputs, { ...this.#by(), attributes, count });
  }

  /** Adds a node whose last input is a shape: Reshape, Expand, ConstantOfShape. */
  shaped(op: string, inputs: readonly string[], target: Shape, from: Shape = [], attributes: Attributes = {}): string {
    return this.#graph.add(op, inputs, { ...this.#by(), attributes, target, from })[0]!;
  }

  /** A float32 constant. */
  floats(values: number | ArrayLike<number>, dims: Shape = []): string {
    const list = typeof values === 'number' ? Float32Array.of(values) : Float32Array.from(values);
    return this.#constant(constantOf(list, dims, 'float32'));
  }

  /** A scalar of a type. */
  scalar(value: number, dtype: DType): string {
    return this.#constant(constantOf(Float64Array.of(value), [], dtype));
  }

  /** One zero, as ConstantOfShape takes it. */
  zero(dtype: DType): ConstantValues {
    return constantOf(Float64Array.of(0), [1], dtype);
  }

  /** Whole numbers: axes, places. */
  longs(values: readonly (number | bigint)[]): string {
    return this.#constant(longs(values));
  }

  long(value: number): string {
    return this.#constant(longs([value], []));
  }

  #constant(value: ConstantValues): string {
    return this.node('Constant', [], { value });
  }

  cast(name: string, dtype: DType): string {
    return this.node('Cast', [name], { to: dataTypes[dtype] });
  }

  /** Whether something reads an output. */
  isUsed(output: number): boolean {
    return this.#used.has(this.#call.outputs[output]!);
  }

  outShape(output = 0): Shape {
    return this.#call.outputs[output]!.shape;
  }

  /** Announces an output, under its own shape unless another is given. */
  out(name: string, { output = 0, shape = this.outShape(output) }: { output?: number; shape?: Shape } = {}): void {
    const value = this.#call.outputs[output]!;
    this.#values.set(value, { name, shape, dtype: value.dtype });
  }

  /** Announces an output that is made where something reads it. */
  later(make: () => string, output = 0): void {
    const value = this.#call.outputs[output]!;
    this.#values.set(value, () => ({ name: make(), shape: value.shape, dtype: value.dtype }));
  }

  /** The number of which an input consists, if it was filled with one. */
  filledWith(i: number): number | undefined {
    const source = this.source(i);
    return source.kind === 'filled' ? source.with : undefined;
  }

  refuse(reason: string, hint?: string): never {
    const { operation, layer } = this.#call;
    throw new ConfigError(`'${operation}' ${reason}`, {
      operation: 'exportOnnx',
      expected: 'operations that ONNX has too',
      given: layer ? `it is called in the layer '${layer}'` : 'it is called in the module itself',
      hint,
    });
  }

  #by() {
    return { layer: this.#call.layer, operation: this.#call.operation };
  }
}

/** Writes one operation as nodes. */
export type Translate = (call: Call) => void;
