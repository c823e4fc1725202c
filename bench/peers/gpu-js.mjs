// gpu.js on WebAssembly. It compiles a JavaScript function to a kernel; the function here is the plain convolution. Leaves
// out gradients, which it has none of. The image is padded before the clock starts.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { completed, fixedValues, serve } from './protocol.mjs';

const require = createRequire(import.meta.url);

/** (C, H, W) maps with a border of zeros. */
function withBorder(values, maps, height, width, border) {
  const [rows, columns] = [height + 2 * border, width + 2 * border];
  const padded = new Float32Array(maps * rows * columns);
  for (let map = 0; map < maps; map++) {
    for (let y = 0; y < height; y++) {
      const from = (map * height + y) * width;
      padded.set(values.subarray(from, from + width), (map * rows + y + border) * columns + border);
    }
  }
  return padded;
}

async function open() {
  const { GPU, input } = require('gpu.js');
  const gpu = new GPU({ mode: 'webasm' });
  const { version } = JSON.parse(readFileSync(require.resolve('gpu.js/package.json'), 'utf8'));
  const forward = (shape) => {
    const { batch, inChannels, height, width, outChannels, kernel, stride, dilation, groups, ...rest } =
      completed(shape);
    if (groups > 1) throw new Error('the kernel written here has no groups');
    const [border, images] = [rest.padding, batch * inChannels];
    const x = withBorder(fixedValues(images * height * width, 1), images, height, width, border);
    const w = fixedValues(outChannels * inChannels * kernel * kernel, 2);
    const run = gpu
      .createKernel(function (image, weight) {
        const n = Math.floor(this.thread.z / this.constants.outChannels);
        const o = this.thread.z - n * this.constants.outChannels;
        let sum = 0;
        for (let c = 0; c < this.constants.inChannels; c++) {
          for (let i = 0; i < this.constants.kernel; i++) {
            for (let j = 0; j < this.constants.kernel; j++) {
              sum +=
                image[n * this.constants.inChannels + c][
                  this.thread.y * this.constants.stride + i * this.constants.dilation
                ][this.thread.x * this.constants.stride + j * this.constants.dilation] *
                weight[o * this.constants.inChannels + c][i][j];
            }
          }
        }
        return sum;
      })
      .setConstants({ inChannels, outChannels, kernel, stride, dilation })
      .setOutput([rest.outW, rest.outH, batch * outChannels]);
    const image = input(x, [width + 2 * border, height + 2 * border, images]);
    const weight = input(w, [kernel, kernel, outChannels * inChannels]);
    let last;
    return {
      launch: () => (last = run(image, weight)),
      results: async () => [Float32Array.from(last.flat(2).flatMap((row) => [...row]))],
    };
  };
  return { name: 'gpu.js', version, details: gpu.mode, cases: { 'conv2d.forward': forward } };
}

await serve(open);
