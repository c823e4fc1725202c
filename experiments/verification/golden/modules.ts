// Fixtures of small networks: built from their attributes, with the fixture's tensors in the place of their parameters.
import { nn, relu, type Tensor } from '../../../engine/index.ts';
import {
  BasicBlock,
  Bottleneck,
  CrossStitch,
  DenseBlock,
  DoubleConv,
  MBConv,
  type MBConvConfig,
  PyramidPooling,
  SegNetStage,
  Transition,
  UNetUp,
} from '../../../models/index.ts';
import type { Adapter, Attributes, Inputs, Outputs } from './adapter.ts';

/** DenseNet block and transition, under the names of the fixture. */
class Dense extends nn.Module {
  readonly denseblock: DenseBlock;
  readonly transition: Transition;

  constructor(layers: number, inputs: number, growthRate: number, bnSize: number) {
    super();
    const width = inputs + layers * growthRate;
    this.denseblock = new DenseBlock(layers, inputs, growthRate, bnSize);
    this.transition = new Transition(width, Math.floor(width / 2));
  }

  forward(x: Tensor): Tensor {
    return this.transition.forward(this.denseblock.forward(x));
  }
}

/** Branches of conv 3x3, cross-stitch, relu, conv 1x1 on one input. */
class CrossStitchNet extends nn.Module {
  readonly first: nn.ModuleList<nn.Conv2d>;
  readonly stitch: CrossStitch;
  readonly last: nn.ModuleList<nn.Conv2d>;

  constructor(tasks: number, inputs: number, width: number, outputs: number, perChannel: boolean) {
    super();
    const branches = Array.from({ length: tasks });
    this.first = new nn.ModuleList(branches.map(() => new nn.Conv2d(inputs, width, 3, { padding: 1 })));
    this.stitch = new CrossStitch(tasks, perChannel ? width : undefined);
    this.last = new nn.ModuleList(branches.map(() => new nn.Conv2d(width, outputs, 1)));
  }

  forward(x: Tensor): Tensor[] {
    const maps = this.stitch.forward([...this.first].map((conv) => conv.forward(x)));
    return maps.map((y, i) => this.last.at(i).forward(relu(y)));
  }
}

/** A network of the fixtures from their attributes, and how it is called on their tensors. */
export type Build = (
  a: Record<string, number>,
  attributes: Attributes,
) => { net: nn.Module; run: (t: Inputs) => Tensor | Tensor[] };

const onX = <M extends nn.Module & { forward(x: Tensor): Tensor | Tensor[] }>(net: M) => ({
  net,
  run: (t: Inputs) => net.forward(t.x!),
});

export const moduleBuilders: Readonly<Record<string, Build>> = {
  basic_block: (a) => onX(new BasicBlock(a.inputs!, a.planes!, { stride: a.stride! })),
  bottleneck: (a) => onX(new Bottleneck(a.inputs!, a.planes!, { stride: a.stride!, dilation: a.dilation! })),
  dense: (a) => onX(new Dense(a.layers!, a.inputs!, a.growth_rate!, a.bn_size!)),
  mbconv(_, attributes) {
    // The fixture holds more than the configuration.
    const { fused, expand, kernel, stride, inputs, outputs } = attributes as unknown as MBConvConfig;
    return onX(new MBConv({ fused, expand, kernel, stride, inputs, outputs }));
  },
  double_conv: (a) => onX(new DoubleConv(a.inputs!, a.outputs!, { bias: false })),
  unet_up: (a, { mode }) => {
    const net = new UNetUp(a.inputs!, a.skip!, a.outputs!, mode as 'transpose');
    return { net, run: (t) => net.forward(t.x!, t.skip!) };
  },
  pyramid_pooling: (a, { bins, align_corners }) =>
    onX(new PyramidPooling(a.inputs!, a.outputs!, bins as number[], align_corners as boolean)),
  segnet_stage: (a) => onX(new SegNetStage(a.inputs!, a.width!, a.outputs!)),
  cross_stitch: (a) => {
    const net = new CrossStitch(a.tasks!, a.channels ?? undefined);
    return { net, run: (t) => net.forward(Array.from({ length: a.tasks! }, (_, i) => t[`x${i}`]!)) };
  },
  cross_stitch_net: (a, { per_channel }) =>
    onX(new CrossStitchNet(a.tasks!, a.inputs!, a.width!, a.outputs!, per_channel as boolean)),
};

function adapt(build: Build): Adapter {
  return (inputs, attributes) => {
    const { net, run } = build(attributes as Record<string, number>, attributes);
    net.train(attributes.training as boolean);
    const state: Record<string, Tensor> = {};
    for (const [key, value] of Object.entries(inputs)) if (key.startsWith('state.')) state[key.slice(6)] = value;
    const result = nn.functionalCall(net, state, () => run(inputs));
    net.dispose();
    const outputs: Outputs = {};
    if (Array.isArray(result)) result.forEach((y, i) => (outputs[`y${i}`] = y));
    else outputs.y = result;
    if (attributes.training) for (const [key, value] of Object.entries(state)) outputs[`after.${key}`] = value;
    return outputs;
  };
}

export const moduleAdapters: Readonly<Record<string, Adapter>> = Object.fromEntries(
  Object.entries(moduleBuilders).map(([name, build]) => [`module.${name}`, adapt(build)]),
);
