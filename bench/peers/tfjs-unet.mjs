// The step of the dMTL U-Net (torch_steps.py) in TensorFlow.js: the same weights, data, losses and SGD, images as NHWC. Leaves out
// running statistics of batch norm, which a step does not use.
import { fixedValues, permute, sizeOf } from './protocol.mjs';
import { checkedLosses, EPSILON, LEVELS, oneHotLabels, unetParameters } from './unet-parameters.mjs';

/** Of weights [out, in, height, width], and of images NCHW. */
const FILTER_AXES = [2, 3, 1, 0];
const IMAGE_AXES = [0, 2, 3, 1];

/** `finish` waits for the device. */
export function unetStep(tf, shape, finish) {
  const { batch, size, classes, learningRate, momentum, weightDecay, checkedSteps } = shape;
  const parameters = unetParameters(shape);
  const upload = (values, shape, axes) =>
    axes
      ? tf.tensor(
          permute(values, shape, axes),
          axes.map((axis) => shape[axis]),
        )
      : tf.tensor(values, shape);
  const p = Object.fromEntries(
    parameters.map(([name, { shape, values }]) => [
      name,
      tf.variable(upload(values, shape, shape.length === 4 ? FILTER_AXES : undefined)),
    ]),
  );
  const trained = Object.values(p);
  let velocities;
  const image = [batch, 1, size, size];
  const input = upload(fixedValues(sizeOf(image), 1), image, IMAGE_AXES);
  const target = upload(fixedValues(sizeOf(image), 2), image, IMAGE_AXES);
  const labels = upload(oneHotLabels(shape), [batch, classes]);

  const conv = (name, x, pad) => tf.add(tf.conv2d(x, p[`${name}.weight`], 1, pad), p[`${name}.bias`]);
  const norm = (name, x) => {
    const { mean, variance } = tf.moments(x, [0, 1, 2]);
    return tf.batchNorm(x, mean, variance, p[`${name}.bias`], p[`${name}.weight`], EPSILON);
  };
  const double = (name, x) => {
    const y = tf.relu(norm(`${name}.bn1`, conv(`${name}.conv1`, x, 'same')));
    return tf.relu(norm(`${name}.bn2`, conv(`${name}.conv2`, y, 'same')));
  };
  const linear = (name, x) => tf.add(tf.matMul(x, p[`${name}.weight`], false, true), p[`${name}.bias`]);
  const up = (name, x) => {
    const weight = p[`${name}.weight`];
    const [n, h, w] = x.shape;
    const y = tf.conv2dTranspose(x, weight, [n, 2 * h, 2 * w, weight.shape[2]], 2, 'valid');
    return tf.add(y, p[`${name}.bias`]);
  };
  const lossOf = () => {
    const features = [double('enc0', input)];
    for (let level = 1; level < LEVELS; level++) {
      features.push(double(`enc${level}`, tf.maxPool(features.at(-1), 2, 2, 'valid')));
    }
    const pooled = tf.mean(features.at(-1), [1, 2]);
    let d = features.pop();
    for (let level = LEVELS - 2; level >= 0; level--) {
      d = double(`dec${level}`, tf.concat([features.pop(), up(`up${level}`, d)], 3));
    }
    const depthLoss = tf.mean(tf.square(tf.sub(conv('depth', d, 'valid'), target)));
    const logits = linear('fc3', tf.relu(linear('fc2', tf.relu(linear('fc1', pooled)))));
    const classLoss = tf.mul(tf.sum(tf.mul(tf.logSoftmax(logits), labels)), -1 / batch);
    return tf.add(classLoss, depthLoss);
  };
  const step = () =>
    tf.tidy(() => {
      const { value, grads } = tf.variableGrads(lossOf, trained);
      const moving = trained.map((parameter, i) => {
        const gradient = tf.add(grads[parameter.name], tf.mul(parameter, weightDecay));
        return tf.keep(velocities ? tf.add(tf.mul(velocities[i], momentum), gradient) : gradient);
      });
      trained.forEach((parameter, i) => parameter.assign(tf.sub(parameter, tf.mul(moving[i], learningRate))));
      tf.dispose(velocities);
      velocities = moving;
      return value;
    });
  const update = async () => {
    const loss = step();
    await finish();
    const [value] = await loss.data();
    loss.dispose();
    return value;
  };
  return {
    launch: async () => void (await update()),
    check: () => checkedLosses(parameters, checkedSteps, update),
  };
}
