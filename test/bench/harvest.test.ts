// Layer shapes: what the networks launch at both sizes, shapes from a file, and the points of the sweep.
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { convolutionsOf, harvest, largestOf, launchesOf } from '../../bench/networks/harvest.ts';
import { networks } from '../../bench/networks/index.ts';
import { completed, convFlops, convParams, convTitle, readShapes, shapeOf } from '../../bench/networks/shapes.ts';
import { sweepPoints, sweepShape } from '../../bench/suites/sweep.ts';
import { UNet } from '../../models/index.ts';
import { createDevice, setDefaultDevice } from '../../engine/index.ts';

const unet = networks.find(({ name }) => name === 'dmtl')!;

t.test('every network has convolutions, whose shapes survive the way there and back', async (t) => {
  for (const network of networks) {
    const launches = await launchesOf(network, network.sizes.small[0]!);
    const shapes = convolutionsOf(launches);
    t.ok(shapes.length >= 7, `${network.name}: ${shapes.length} convolutions`);
    t.ok(largestOf(launches).length >= 5, `${network.name}: other kernels`);
    for (const shape of shapes) t.same(shapeOf(convParams(shape)), completed(shape), convTitle(shape));
  }
});

t.test("the paper's U-Net has its first layer, its up-convolution and its last", async (t) => {
  const [shape] = unet.sizes.paper;
  const titles = convolutionsOf(await launchesOf(unet, shape!)).map(convTitle);
  for (const title of [
    '3x3, 4x1x256x256 to 64',
    '1x1, 4x64x256x256 to 1',
    '2x2, 4x512x32x32 to 1024, stride 2',
    '3x3, 4x1024x16x16 to 1024',
  ]) {
    // An up-convolution is the gradient of the convolution that goes down.
    t.ok(
      titles.some((each) => each.startsWith(title)),
      title,
    );
  }
  const device = await createDevice('meta');
  setDefaultDevice(device);
  const count = [...new UNet().namedParameters()].filter(([name, { rank }]) => rank === 4 && name).length;
  t.ok(titles.length <= count, `${titles.length} distinct of ${count}`);
  device.dispose();
});

t.test('a harvest names the networks of a shape once', async (t) => {
  const stitched = networks.filter(({ name }) => name.startsWith('cross-stitch'));
  const { convolutions } = await harvest(stitched, 'small');
  t.equal(new Set(convolutions.map(({ what }) => JSON.stringify(what))).size, convolutions.length);
  const shared = convolutions.find(({ networks: names }) => names.length === stitched.length);
  t.ok(shared, 'all five have a shape in common');
  const single = await harvest(stitched, 'small', 1);
  t.ok(
    single.convolutions.every(({ what }) => what.batch === 1),
    'a batch of another size',
  );
});

t.test('arithmetic and sizes', async (t) => {
  const shape = { batch: 2, inChannels: 8, height: 9, width: 7, outChannels: 4, kernel: 3, stride: 2, groups: 2 };
  t.match(convParams(shape), { outH: 5, outW: 4, padH: 1 });
  t.equal(convFlops(shape), 2 * 2 * 4 * 5 * 4 * 4 * 9);
  t.equal(convTitle(shape), '3x3, 2x8x9x7 to 4, stride 2, 2 groups');
  t.equal(shapeOf({ ...convParams(shape), kernelW: 5 }), undefined);
});

t.test('the sweep keeps the size at stride 1 and has no point twice', async (t) => {
  const points = sweepPoints();
  t.equal(new Set(points.map((point) => JSON.stringify(point))).size, points.length);
  for (const point of points) {
    const { outH } = convParams(sweepShape(point));
    t.equal(outH, 64 / point.stride, JSON.stringify(point));
  }
});

t.test('files of shapes', async (t) => {
  const folder = t.testdir();
  const read = (content: string): Promise<unknown> => {
    const file = path.join(folder, 'shapes.json');
    writeFileSync(file, content);
    return readShapes(file);
  };
  const shape = { batch: 1, inChannels: 2, height: 4, width: 4, outChannels: 2, kernel: 3 };
  t.same(await read(JSON.stringify([shape])), [shape]);
  await t.rejects(read('nonsense'), { name: 'DataError', message: /cannot be read as JSON/ });
  await t.rejects(read('[]'), { name: 'DataError', message: /not a list of convolutions/ });
  await t.rejects(read(JSON.stringify([{ ...shape, kernel: 0 }])), { name: 'DataError', message: /entry 0 kernel/ });
  await t.rejects(read(JSON.stringify([{ ...shape, kernal: 1 }])), { name: 'DataError', message: /kernal/ });
  await t.rejects(read(JSON.stringify([{ ...shape, kernel: 9, padding: 0 }])), { name: 'ConfigError' });
  await t.rejects(read(JSON.stringify([{ ...shape, groups: 3 }])), { name: 'ConfigError' });
  await t.rejects(readShapes(path.join(folder, 'none')), { name: 'DataError', message: /ENOENT/ });
});
