// The step of the dMTL U-Net (torch_steps.py) in jax-js: the same weights, data, losses and SGD. `.ref` keeps an array alive that
// a call would consume. Leaves out running statistics of batch norm, which a step does not use.
import { fixedValues, sizeOf } from './protocol.mjs';
import { checkedLosses, EPSILON, LEVELS, oneHotLabels, unetParameters } from './unet-parameters.mjs';

export function unetStep(jax, shape) {
  const { numpy: np, lax, nn, valueAndGrad, tree } = jax;
  const { batch, size, classes, learningRate, momentum, weightDecay, checkedSteps } = shape;
  const starting = unetParameters(shape);
  const upload = (shape, seed) => np.array(fixedValues(sizeOf(shape), seed), { shape });
  let parameters = Object.fromEntries(starting.map(([name, { shape, values }]) => [name, np.array(values, { shape })]));
  let velocity;
  const input = upload([batch, 1, size, size], 1);
  const target = upload([batch, 1, size, size], 2);
  const labels = np.array(oneHotLabels(shape), { shape: [batch, classes] });

  const perChannel = (x) => x.reshape([1, -1, 1, 1]);
  const conv = (p, name, x, padding) =>
    lax
      .convGeneralDilated(
        x,
        p[`${name}.weight`],
        [1, 1],
        [
          [padding, padding],
          [padding, padding],
        ],
      ) // prettier-ignore
      .add(perChannel(p[`${name}.bias`]));
  const norm = (p, name, x) => {
    const centred = x.ref.sub(np.mean(x, [0, 2, 3], { keepdims: true }));
    const variance = np.mean(np.square(centred.ref), [0, 2, 3], { keepdims: true });
    const scaled = centred.div(np.sqrt(variance.add(EPSILON)));
    return scaled.mul(perChannel(p[`${name}.weight`])).add(perChannel(p[`${name}.bias`]));
  };
  const double = (p, name, x) => {
    const y = nn.relu(norm(p, `${name}.bn1`, conv(p, `${name}.conv1`, x, 1)));
    return nn.relu(norm(p, `${name}.bn2`, conv(p, `${name}.conv2`, y, 1)));
  };
  const halve = (x) => {
    const [n, c, h, w] = x.shape;
    return np.max(x.reshape([n, c, h / 2, 2, w / 2, 2]), [3, 5]);
  };
  const linear = (p, name, x) => np.matmul(x, p[`${name}.weight`].transpose()).add(p[`${name}.bias`]);
  const up = (p, name, x) => {
    const options = { transposeKernel: true };
    return lax.convTranspose(x, p[`${name}.weight`], [2, 2], 'VALID', options).add(perChannel(p[`${name}.bias`]));
  };
  const lossOf = (p) => {
    const features = [double(p, 'enc0', input.ref)];
    for (let level = 1; level < LEVELS; level++) features.push(double(p, `enc${level}`, halve(features.at(-1).ref)));
    const pooled = np.mean(features.at(-1).ref, [2, 3]);
    let d = features.pop();
    for (let level = LEVELS - 2; level >= 0; level--) {
      d = double(p, `dec${level}`, np.concatenate([features.pop(), up(p, `up${level}`, d)], 1));
    }
    const depthLoss = np.mean(np.square(conv(p, 'depth', d, 0).sub(target.ref)));
    const logits = linear(p, 'fc3', nn.relu(linear(p, 'fc2', nn.relu(linear(p, 'fc1', pooled)))));
    const classLoss = np.sum(nn.logSoftmax(logits, -1).mul(labels.ref)).mul(-1 / batch);
    return classLoss.add(depthLoss);
  };
  const step = () => {
    const [loss, gradients] = valueAndGrad(lossOf)(tree.ref(parameters));
    const moved = {};
    const moving = {};
    for (const [name, parameter] of Object.entries(parameters)) {
      const gradient = gradients[name].add(parameter.ref.mul(weightDecay));
      moving[name] = velocity ? velocity[name].mul(momentum).add(gradient) : gradient;
      moved[name] = parameter.sub(moving[name].ref.mul(learningRate));
    }
    [parameters, velocity] = [moved, moving];
    return loss;
  };
  const finish = () => jax.blockUntilReady(Object.values(parameters).map((array) => array.ref));
  const update = async () => {
    const loss = step();
    await finish();
    return (await loss.data())[0];
  };
  return {
    launch: async () => void (await update()),
    check: () => checkedLosses(starting, checkedSteps, update),
  };
}
