// Figure 3: the two functions of the toy problem over z from 0 to 1 with the points of a seed, and what a network makes of f2; drawn point
// by point, so that every machine draws the same.
import { base64, encodePng } from '../../report/png.ts';
import type { Picture } from '../../runner/paper.ts';

const [WIDTH, HEIGHT, BORDER] = [360, 240, 8];
type Colour = readonly [number, number, number];
const colours = { f1: [170, 170, 170], f2: [0, 0, 0], network: [200, 30, 30] } as const satisfies Record<
  string,
  Colour
>;

/** A point of a curve: z and the value there. */
type Point = readonly [z: number, value: number];

/** What a panel shows. */
export interface ToyPanel {
  readonly caption: string;
  readonly f1: { readonly curve: readonly Point[]; readonly points: readonly Point[] };
  readonly f2: { readonly curve: readonly Point[]; readonly points: readonly Point[] };
  /** f2 as the network predicts it. */
  readonly network: readonly Point[];
}

function draw({ f1, f2, network }: ToyPanel): Promise<Uint8Array> {
  const data = new Uint8Array(3 * WIDTH * HEIGHT).fill(255);
  const values = [...f1.curve, ...f2.curve].map(([, value]) => value);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const column = (z: number): number => Math.round(BORDER + z * (WIDTH - 1 - 2 * BORDER));
  const row = (value: number): number =>
    Math.round(BORDER + ((high - value) / (high - low)) * (HEIGHT - 1 - 2 * BORDER));
  const dot = (x: number, y: number, colour: Colour): void => {
    if (x >= 0 && x < WIDTH && y >= 0 && y < HEIGHT) data.set(colour, 3 * (y * WIDTH + x));
  };
  const line = (curve: readonly Point[], colour: Colour): void => {
    curve.slice(1).forEach(([z, value], i) => {
      const [fromX, fromY] = [column(curve[i]![0]), row(curve[i]![1])];
      const [toX, toY] = [column(z), row(value)];
      const steps = Math.max(1, Math.abs(toX - fromX), Math.abs(toY - fromY));
      for (let k = 0; k <= steps; k++) {
        const share = k / steps;
        dot(Math.round(fromX + share * (toX - fromX)), Math.round(fromY + share * (toY - fromY)), colour);
      }
    });
  };
  const crosses = (points: readonly Point[], colour: Colour): void => {
    for (const [z, value] of points) {
      for (const k of [-2, -1, 0, 1, 2]) {
        dot(column(z) + k, row(value), colour);
        dot(column(z), row(value) + k, colour);
      }
    }
  };
  crosses(f1.points, colours.f1);
  line(f1.curve, colours.f1);
  crosses(f2.points, colours.f2);
  line(f2.curve, colours.f2);
  line(network, colours.network);
  return encodePng({ width: WIDTH, height: HEIGHT, data, channels: 3 });
}

/** One sample with a panel for each network. */
export async function toyPicture(panels: readonly ToyPanel[]): Promise<Picture> {
  const images = panels.map(async (panel) => ({ caption: panel.caption, png: base64(await draw(panel)) }));
  return { label: 'z from 0 to 1', images: await Promise.all(images) };
}
