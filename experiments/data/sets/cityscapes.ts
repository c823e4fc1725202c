// The record of Cityscapes (Cordts et al. 2016) with depth from disparity, with generated rooms as its stand-in.
import type { DataSet } from '../dataset.ts';
import { checkRooms, inspectRooms, type RoomFacts, scenesOf } from '../room-source.ts';
import type { RoomRequest, RoomScenes } from '../rooms.ts';
import { generatedRooms } from '../synthetic/room-files.ts';
import { CITYSCAPES_RANGE, cityscapesClasses, holdsCityscapes, openCityscapes } from './cityscapes-files.ts';

const facts: RoomFacts = {
  kind: 'cityscapes',
  classes: cityscapesClasses.map(({ name }) => name),
  palette: cityscapesClasses.map(({ color }) => color),
  depthRange: CITYSCAPES_RANGE,
};

/** Cityscapes: street scenes with 19 classes and disparity. */
export const cityscapes: DataSet<RoomScenes, RoomRequest> = {
  name: 'cityscapes',
  title: 'Cityscapes',
  content:
    'Street scenes with a class for each pixel and disparity (Cordts et al. 2016): 2,975 for training and 500 for validation, ' +
    '19 classes, metres up to 200: those of imbalanced-mtl.',
  licence: 'research and teaching only, after registration; the terms forbid passing the files on',
  size: '11 GB of pictures, 241 MB of labels, 3.5 GB of disparity, 2 MB of cameras',
  page: 'https://www.cityscapes-dataset.com/downloads/',
  folder: 'cityscapes',
  layouts: [
    'DIR/cityscapes/leftImg8bit/{train,val}/CITY/NAME_leftImg8bit.png',
    'DIR/cityscapes/gtFine/{train,val}/CITY/NAME_gtFine_labelIds.png   numbers of labels; the 19 classes are made from them, others are void',
    'DIR/cityscapes/disparity/{train,val}/CITY/NAME_disparity.png   16 bits: 0 for none, else 256 times the pixels, plus 1',
    'DIR/cityscapes/camera/{train,val}/CITY/NAME_camera.json   extrinsic.baseline and intrinsic.fx',
    'Depth is baseline times fx divided by the disparity, at the size of the files, at most 200 m; a disparity of 0 (a 1 in the file) has none.',
    'Each archive may lie in a folder of its name once more (camera_trainvaltest/camera); DIR may be the folder of the data set itself.',
  ],
  origins: [],
  files: {},
  byHand: [
    '1. Register on the page; what an address may download is decided there.',
    '2. Download leftImg8bit_trainvaltest.zip, gtFine_trainvaltest.zip, disparity_trainvaltest.zip and camera_trainvaltest.zip, for example by',
    '   csDownload of https://github.com/mcordts/cityscapesScripts, which checks their MD5; unzip all of them in DIR/cityscapes.',
  ],
  standInName: 'generated rooms',
  holds: holdsCityscapes,
  load: async (folder, request) =>
    scenesOf(await openCityscapes(folder), facts, request, { title: cityscapes.title, real: true }),
  standIn: generatedRooms,
  inspect: inspectRooms,
  check: (folder, progress) => checkRooms(folder, () => openCityscapes(folder), progress),
};
