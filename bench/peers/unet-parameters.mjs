// Names, shapes and starting values of the parameters of the dMTL U-Net (torch_steps.py), for peers that build it themselves.
import { fixedValues, sizeOf } from './protocol.mjs';

const FIRST_PARAMETER_SEED = 10;
export const LEVELS = 5;
export const EPSILON = 1e-5;

/** In the order of their names, which decides their seeds. */
function parameterShapes(classes, width) {
  const c = Array.from({ length: LEVELS }, (_, level) => width << level);
  const shapes = {};
  const layer = (name, weight, bias) => Object.assign(shapes, { [`${name}.weight`]: weight, [`${name}.bias`]: [bias] });
  const double = (name, inputs, outputs) => {
    layer(`${name}.conv1`, [outputs, inputs, 3, 3], outputs);
    layer(`${name}.bn1`, [outputs], outputs);
    layer(`${name}.conv2`, [outputs, outputs, 3, 3], outputs);
    layer(`${name}.bn2`, [outputs], outputs);
  };
  for (let level = 0; level < LEVELS; level++) double(`enc${level}`, level === 0 ? 1 : c[level - 1], c[level]);
  for (let level = LEVELS - 2; level >= 0; level--) {
    layer(`up${level}`, [c[level + 1], c[level], 2, 2], c[level]);
    double(`dec${level}`, c[level + 1], c[level]);
  }
  layer('depth', [1, c[0], 1, 1], 1);
  layer('fc1', [256, c[LEVELS - 1]], 256);
  layer('fc2', [64, 256], 64);
  layer('fc3', [classes, 64], classes);
  return Object.entries(shapes).sort(([a], [b]) => (a < b ? -1 : 1));
}

/** [name, { shape, values }] of each, values as fixed as the seeds. */
export const unetParameters = ({ classes, baseWidth }) =>
  parameterShapes(classes, baseWidth).map(([name, shape], i) => {
    const scale = 1 / Math.sqrt(sizeOf(shape.slice(1)));
    return [
      name,
      { shape, values: fixedValues(sizeOf(shape), FIRST_PARAMETER_SEED + i).map((value) => scale * value) },
    ];
  });

/** One row per image, classes in turn. */
export function oneHotLabels({ batch, classes }) {
  const labels = new Float32Array(batch * classes);
  for (let i = 0; i < batch; i++) labels[i * classes + (i % classes)] = 1;
  return labels;
}

/** What the bench checks: how many numbers are trained, and the losses of the first steps. */
export async function checkedLosses(parameters, checkedSteps, update) {
  const results = [[parameters.reduce((sum, [, { shape }]) => sum + sizeOf(shape), 0)]];
  for (let i = 0; i < checkedSteps; i++) results.push([await update()]);
  return results;
}
