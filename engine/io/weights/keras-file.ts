// Weights of Keras in HDF5: a group for each layer and in it, once more under the layer's name, its arrays (`conv1_conv/conv1_conv/
// kernel:0`), in files of save_weights and, below `model_weights`, of whole models. Kernels come out in PyTorch's order of axes.
import type { Dataset, Group } from 'h5wasm';
import { DataError, type SafetensorsEntry } from '../../index.ts';
import { type Hdf5Library, withHdf5Bytes } from './hdf5.ts';

const float32 = (shape: readonly number[], data: Float32Array): SafetensorsEntry => ({ dtype: 'F32', shape, data });

/**
 * (H, W, I, O) of a convolution and (I, O) of a dense layer to (O, I, H, W) and (O, I); (H, W, C, M) of a depthwise one to
 * (C M, 1, H, W).
 */
function kernelOf(shape: readonly number[], values: Float32Array, isDepthwise: boolean): SafetensorsEntry {
  const [h, w, i, o] =
    shape.length === 4
      ? (shape as [number, number, number, number])
      : ([1, 1, ...shape] as [number, number, number, number]);
  const [outputs, inputs] = isDepthwise ? [i, o] : [o, i];
  const result = new Float32Array(values.length);
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      for (let a = 0; a < i; a++) {
        for (let b = 0; b < o; b++) {
          const [output, input] = isDepthwise ? [a, b] : [b, a];
          result[((output * inputs + input) * h + y) * w + x] = values[((y * w + x) * i + a) * o + b]!;
        }
      }
    }
  }
  if (shape.length === 2) return float32([outputs, inputs], result);
  return float32(isDepthwise ? [outputs * inputs, 1, h, w] : [outputs, inputs, h, w], result);
}

/** `conv1_conv/kernel` of `conv1_conv/conv1_conv/kernel:0`; the oldest files have `conv1/conv` in the place of `conv1_conv`. */
function layerAndVariable(path: string): string {
  const parts = path.replace(/^\/?(model_weights\/)?/, '').split('/');
  const variable = parts.pop()!.replace(/:\d+$/, '');
  const half = parts.length / 2;
  const isTwice = Number.isInteger(half) && parts.slice(0, half).join() === parts.slice(half).join();
  const layer = isTwice ? parts.slice(half).join('_') : parts.at(-1);
  return `${layer}/${variable}`;
}

function* datasetsOf(group: Group, library: Hdf5Library): Iterable<Dataset> {
  for (const key of group.keys()) {
    const member = group.get(key);
    if (member instanceof library.Group) yield* datasetsOf(member, library);
    else if (member instanceof library.Dataset) yield member;
  }
}

/** Keras 2 says so in the name of the variable, Keras 3 in that of the layer alone. */
const looksDepthwise = (path: string): boolean => /depthwise|dwconv/.test(path);

/**
 * The arrays of a file by layer and variable (`conv1_bn/gamma`), as float32. Throws DataError for a file that cannot be read, or
 * is not of this form. `file` is its name, for messages.
 */
export const readKerasWeights = (bytes: Uint8Array, file: string): Promise<Map<string, SafetensorsEntry>> =>
  withHdf5Bytes(bytes, file, (opened, library) => {
    const tensors = new Map<string, SafetensorsEntry>();
    for (const dataset of datasetsOf(opened, library)) {
      if (/\/vars\/\d+$/.test(dataset.path)) {
        throw new DataError(`${file}: weights in the form of Keras 3, which has no names of layers`, {
          hint: "Save the whole model: model.save('model.h5')",
        });
      }
      const name = layerAndVariable(dataset.path);
      const { shape, value } = dataset;
      if (!shape || !(value instanceof Float32Array || value instanceof Float64Array)) continue;
      const values = Float32Array.from(value);
      const isKernel = /\/(depthwise_)?kernel$/.test(name) && (shape.length === 4 || shape.length === 2);
      const key = name.replace('/depthwise_kernel', '/kernel');
      tensors.set(key, isKernel ? kernelOf(shape, values, looksDepthwise(name)) : float32(shape, values));
    }
    return tensors;
  });
