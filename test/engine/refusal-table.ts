// What each public operation takes and what it must refuse: a call that works, and calls that do not with the argument and
// the class of the error. Refusals that follow from the signature (types, devices, released tensors) are made by the test.
import { ofImages } from './refusal-images.ts';
import { ofFace } from './refusal-face.ts';
import type { Refusals } from './refusal-rows.ts';
import { ofTensors } from './refusal-tensors.ts';

/** By the name of the exported function. */
export const refusals: Readonly<Record<string, Refusals>> = { ...ofTensors, ...ofImages, ...ofFace };
