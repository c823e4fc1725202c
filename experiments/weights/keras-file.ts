// Weights of Keras in HDF5: a group for each layer and in it, once more under the layer's name, its arrays (`conv1_conv/conv1_conv/
// kernel:0`), in files of save_weights and, below `model_weights`, of whole models. Kernels come out in PyTorch's order of axes.
import { DataError, type StateDict, type StateEntry } from '../../engine/index.ts';
import type * as H5wasm from 'h5wasm/node';
import type { Dataset, Group } from 'h5wasm/node';
import { withHdf5 } from '../data/formats/hdf5.ts';

/** (H, W, I, O) of a convolution and (I, O) of a dense layer to (O, I, H, W) and (O, I); (H, W, C, 1) of a depthwise one to (C, 1, H, W). */
function kernelOf(shape: readonly number[], values: Float32Array, isDepthwise: boolean): StateEntry {
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
  return { shape: shape.length === 4 ? [outputs, inputs, h, w] : [outputs, inputs], values: result };
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

function* datasetsOf(group: Group, library: typeof H5wasm): Iterable<Dataset> {
  for (const key of group.keys()) {
    const member = group.get(key);
    if (member instanceof library.Group) yield* datasetsOf(member, library);
    else if (member instanceof library.Dataset) yield member;
  }
}

/**
 * The arrays of a file by layer and variable (`conv1_bn/gamma`), float32. `isDepthwise` tells kernels of depthwise convolutions by
 * that name. Throws DataError for a file that cannot be read, or is not of this form.
 */
export const readKerasWeights = (file: string, isDepthwise: (name: string) => boolean): Promise<StateDict> =>
  withHdf5(file, (library) => {
    const state: StateDict = new Map();
    const opened = new library.File(file, 'r');
    try {
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
        state.set(key, isKernel ? kernelOf(shape, values, isDepthwise(key)) : { shape, values });
      }
    } finally {
      opened.close();
    }
    return state;
  });
