// One weight under several names: counted, stepped and released once, saved and loaded under each name, as in torch.
import t from 'tap';
import * as w from '../../engine/index.ts';
import { nn, type Tensor } from '../../engine/index.ts';

const device = await w.createDevice('reference');
w.setDefaultDevice(device);
t.teardown(() => device.dispose());

/** A module in two places. */
class SameModule extends nn.Module {
  readonly first = new nn.Linear(2, 2, { bias: false });
  readonly second = this.first;

  forward(x: Tensor): Tensor {
    return this.second.forward(w.tanh(this.first.forward(x)));
  }
}

/** One parameter in two modules, one of which has a bias. */
class SameParameter extends nn.Module {
  readonly first = new nn.Linear(2, 2, { bias: false });
  readonly second = new nn.Linear(2, 2);

  constructor() {
    super();
    this.second.weight.dispose();
    Object.assign(this.second, { weight: this.first.weight });
  }

  forward(x: Tensor): Tensor {
    return this.second.forward(w.tanh(this.first.forward(x)));
  }
}

const values = async (x: Tensor): Promise<number[]> => [...(await x.array())];

t.test('counted once, under the first of its names', async (t) => {
  const modules = [new SameModule(), new SameParameter()] as const;
  const [module, parameter] = modules;
  t.same(
    [...module.namedParameters()].map(([name]) => name),
    ['first.weight'],
  );
  t.same(
    [...parameter.namedParameters()].map(([name]) => name),
    ['first.weight', 'second.bias'],
  );
  t.same(
    modules.map((each) => each.parameters().length),
    [1, 2],
  );
  t.same(
    modules.map((each) => each.parameterCount()),
    [4, 6],
  );
  t.same([...(await module.stateDict()).keys()], ['first.weight', 'second.weight']);
  t.same([...(await parameter.stateDict()).keys()], ['first.weight', 'second.weight', 'second.bias']);
  for (const each of modules) each.dispose();
  t.equal(w.liveTensorCount(), 0, 'and released');
});

t.test('an optimiser steps it once, however often it is given', async (t) => {
  for (const parametersOf of [
    (net: SameParameter) => net.parameters(),
    ({ first, second }: SameParameter) => [...first.parameters(), ...second.parameters(), first.weight],
  ]) {
    const net = new SameParameter();
    const before = await values(net.first.weight);
    const optimizer = new w.SGD(parametersOf(net), { lr: 0.5, momentum: 0.9 });
    {
      using _ = w.scope();
      w.sum(net.forward(w.tensor([[1, 2]]))).backward();
      const gradient = await values(net.first.weight.grad!);
      optimizer.step();
      t.same(
        await values(net.first.weight),
        before.map((value, i) => value - 0.5 * gradient[i]!),
      );
    }
    t.same([...(await optimizer.stateDict()).keys()].sort(), ['0.momentum', '0.step', '1.momentum', '1.step']);
    optimizer.zeroGrad();
    t.equal(net.second.weight.grad, undefined);
    optimizer.dispose();
    net.dispose();
  }
  t.equal(w.liveTensorCount(), 0);
});

t.test('its gradient and its share of the norm are those of all its uses', async (t) => {
  const net = new SameModule();
  {
    using _ = w.scope();
    w.sum(net.forward(w.tensor([[1, -1]]))).backward();
    const gradient = await values(net.first.weight.grad!);
    const norm = w.clipGradNorm([...net.first.parameters(), ...net.second.parameters()], 1e9);
    t.ok(Math.abs((await norm.item()) - Math.hypot(...gradient)) < 1e-12);
  }
  net.dispose();
});

t.test('saved and loaded under each of its names', async (t) => {
  const [net, other] = [new SameParameter(), new SameParameter()];
  const { state } = w.readStateDict(w.writeStateDict(await net.stateDict()), 'tied.safetensors');
  t.same(other.loadStateDict(state), { missing: [], unexpected: [] });
  t.equal(other.second.weight, other.first.weight, 'still one');
  t.same((await values(other.first.weight)).map(Math.fround), (await values(net.first.weight)).map(Math.fround));

  state.delete('second.weight');
  t.throws(() => other.loadStateDict(state), /second\.weight/);
  t.same(other.loadStateDict(state, { strict: false }).missing, ['second.weight']);
  net.dispose();
  other.dispose();
});

t.test('functionalCall replaces it under all its names', async (t) => {
  for (const net of [new SameModule(), new SameParameter()]) {
    using _ = w.scope();
    const own = net.first.weight;
    const x = w.tensor([[1, 2]]);
    const twice = w.tensor([1, 2, 3, 4], [2, 2], { requiresGrad: true });
    const y = nn.functionalCall(net, { 'first.weight': twice }, () => net.forward(x));
    const bias = net instanceof SameParameter ? net.second.bias : undefined;
    t.same(await values(y), await values(w.linear(w.tanh(w.linear(x, twice)), twice, bias)));
    t.equal(net.first.weight, own);
    t.equal(net.second.weight, own);
    t.throws(() => nn.functionalCall(net, { 'third.weight': twice }, () => y), /no such parameter/);
    net.dispose();
  }
  const net = new SameParameter();
  using _ = w.scope();
  const [one, zero] = [w.tensor([1, 0, 0, 1], [2, 2]), w.zeros([2, 2])];
  const y = nn.functionalCall(net, { 'first.weight': one, 'second.weight': zero }, () => net.forward(w.ones([1, 2])));
  t.same(await values(y), await values(net.second.bias!), 'and leaves a name that has an entry of its own');
  net.dispose();
});
