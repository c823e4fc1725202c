// The data sets, by name: a new one is a record in a file of its own, and a line here.
import type { DataSetRecord } from '../dataset.ts';
import { cityscapes } from './cityscapes.ts';
import { kitti } from './kitti.ts';
import { mnist } from './mnist.ts';
import { nyud } from './nyud.ts';
import { oxfordPets } from './oxford-pets.ts';
import { redwood } from './redwood.ts';

/** The data sets by name. */
export const dataSets: Readonly<Record<string, DataSetRecord>> = Object.fromEntries(
  [mnist, kitti, oxfordPets, redwood, nyud, cityscapes].map((set: DataSetRecord) => [set.name, set]),
);
