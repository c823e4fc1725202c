// The sweep suite: one convolution varied along every axis, so that no corner of the shapes is much slower than the best. Every
// point is measured in turn with the convolution that the sweep starts from.
import { addGroup, directionsOf, withCeilings } from './kernel.ts';
import type { Group } from '../report/document.ts';
import { groupText, sweepText } from '../report/tables.ts';
import type { Session } from './session.ts';
import { type ConvShape, convTitle } from '../networks/shapes.ts';

const start = { batch: 8, channels: 64, kernel: 3, stride: 1, dilation: 1 };
export type SweepPoint = typeof start;

const SIDE = 64;
const axes = {
  batch: [1, 2, 4, 8, 16, 32, 64],
  channels: [16, 32, 64, 128, 256, 512],
  kernel: [1, 3, 7],
  stride: [1, 2],
  dilation: [1, 2, 4],
} as const;

/** Batch and channels one at a time, and every window with every stride and dilation. */
export function sweepPoints(): SweepPoint[] {
  const points = [
    ...axes.batch.map((batch) => ({ ...start, batch })),
    ...axes.channels.map((channels) => ({ ...start, channels })),
    ...axes.kernel.flatMap((kernel) =>
      axes.stride.flatMap((stride) => axes.dilation.map((dilation) => ({ ...start, kernel, stride, dilation }))),
    ),
  ];
  return [...new Map(points.map((point) => [JSON.stringify(point), point])).values()];
}

export function sweepShape({ batch, channels, kernel, stride, dilation }: SweepPoint): ConvShape {
  const padding = (dilation * (kernel - 1)) / 2;
  const sizes = { batch, inChannels: channels, height: SIDE, width: SIDE, outChannels: channels };
  return { ...sizes, kernel, stride, padding, dilation };
}

/** Measures all points. */
export async function sweepSuite(session: Session): Promise<void> {
  const groups: Group[] = [];
  await withCeilings(session, async (ceilings) => {
    for (const point of sweepPoints()) {
      const title = convTitle(sweepShape(point));
      const head = { name: `sweep ${title}`, title, networks: [], point };
      const group = await addGroup(session, head, directionsOf(sweepShape(point)), ceilings);
      session.show(groupText(group, session.width));
      groups.push(group);
    }
  });
  session.show(sweepText(groups));
}
