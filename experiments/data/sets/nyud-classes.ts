// What is fixed about NYUDv2: the 40 classes of Gupta et al. 2013 with the object names of the labelled set that belong to each of them
// (their classMapping40), their colours, and the official training pictures (appendices A and B of the specification).

/** The 40 classes in the order of the labels. */
// prettier-ignore
export const nyudClasses = [
  'wall', 'floor', 'cabinet', 'bed', 'chair', 'sofa', 'table', 'door', 'window', 'bookshelf', 'picture', 'counter', 'blinds',
  'desk', 'shelves', 'curtain', 'dresser', 'pillow', 'mirror', 'floor mat', 'clothes', 'ceiling', 'books', 'refrigerator',
  'television', 'paper', 'towel', 'shower curtain', 'box', 'whiteboard', 'person', 'night stand', 'toilet', 'sink', 'lamp',
  'bathtub', 'bag', 'otherstructure', 'otherfurniture', 'otherprop',
] as const;

/** Red, green and blue of each class: the colours that ScanNet's tools have for NYU's 40 classes. */
// prettier-ignore
export const nyudPalette = [
  [174, 199, 232], [152, 223, 138], [31, 119, 180], [255, 187, 120], [188, 189, 34], [140, 86, 75], [255, 152, 150],
  [214, 39, 40], [197, 176, 213], [148, 103, 189], [196, 156, 148], [23, 190, 207], [178, 76, 76], [247, 182, 210],
  [66, 188, 102], [219, 219, 141], [140, 57, 197], [202, 185, 52], [51, 176, 203], [200, 54, 131], [92, 193, 61],
  [78, 71, 183], [172, 114, 82], [255, 127, 14], [91, 163, 138], [153, 98, 156], [140, 153, 101], [158, 218, 229],
  [100, 125, 154], [178, 127, 135], [120, 185, 128], [146, 111, 194], [44, 160, 44], [112, 128, 144], [96, 207, 209],
  [227, 119, 194], [213, 92, 176], [94, 106, 211], [82, 84, 163], [100, 85, 144],
] as const;

/** Object names of the labelled set, 1 to this; 0 is none. */
export const NYUD_NAMES = 894;

/** The one object name of each of the first 37 classes. */
// prettier-ignore
const own = [
  21, 11, 3, 157, 5, 83, 19, 28, 59, 88, 64, 7, 80, 36, 42, 89, 169, 119, 122, 143, 141, 4, 85, 17, 172, 15, 135, 123, 26, 45,
  331, 158, 124, 24, 144, 136, 55,
];
/** The object names of `otherstructure` and `otherfurniture`; all others are `otherprop`. */
// prettier-ignore
const [structures, furniture] = [[
  8, 25, 33, 38, 51, 53, 57, 58, 62, 65, 79, 94, 104, 112, 134, 153, 215, 216, 223, 225, 238, 241, 242, 256, 295, 301, 339,
  342, 354, 363, 372, 380, 392, 408, 412, 453, 456, 463, 477, 497, 541, 550, 553, 567, 573, 582, 591, 609, 612, 615, 642, 645,
  657, 658, 659, 663, 667, 668, 686, 700, 702, 777, 778, 782, 850, 861, 868, 874,
], [
  12, 43, 48, 50, 87, 106, 111, 161, 163, 174, 183, 204, 214, 219, 221, 224, 236, 262, 278, 291, 298, 313, 343, 344, 356, 359,
  373, 393, 401, 414, 418, 419, 430, 443, 444, 447, 448, 457, 458, 460, 462, 475, 479, 485, 486, 493, 494, 498, 499, 509, 510,
  515, 521, 524, 540, 549, 551, 554, 556, 558, 576, 580, 608, 625, 703, 734, 770, 772, 797, 800, 803, 804, 813, 814, 815, 820,
  829, 835, 858, 863, 882, 892,
]];

/** Class of each object name, `NYUD_NAMES` + 1 of them; 255 for none. */
export const nyudClassOfName: Uint8Array = (() => {
  const classes = new Uint8Array(NYUD_NAMES + 1).fill(nyudClasses.indexOf('otherprop'));
  classes[0] = 255;
  own.forEach((name, label) => (classes[name] = label));
  for (const name of structures) classes[name] = nyudClasses.indexOf('otherstructure');
  for (const name of furniture) classes[name] = nyudClasses.indexOf('otherfurniture');
  return classes;
})();

/** Pictures of the labelled set. */
export const NYUD_PICTURES = 1449;

/** Numbers of the training pictures, counted from 1: single ones, and first and last of a run. */
const trainRuns = `
  3-8,10-13,19-20,22-27,44-45,48-55,58,64-75,80-83,92-116,120-124,130,135-136,138-152,156-166,170,177-179,203-206,
  213-219,223-249,251-263,265-270,274-278,286-295,303-309,313-314,318-324,336-350,353-354,365-383,391-394,398-410,
  415-429,436-440,449-461,467-468,478-507,514,527-530,534-536,540-548,552-554,572-578,584-590,595-602,608-611,614-616,
  622-632,639-643,646-649,652-655,659-662,665-667,674-675,682-685,691-692,695-696,700-705,714-716,719-723,729-730,
  735-742,745-758,788-799,805-809,815-820,824-832,847-849,853-856,863-868,872-905,909-916,920-925,929-931,936-944,
  948-958,963-964,968-969,978-990,996-1000,1005-1009,1013-1020,1024-1031,1035-1037,1040-1047,1050-1051,1054-1056,
  1059-1074,1085-1087,1097,1105,1110-1116,1120-1122,1132-1134,1137-1143,1159-1161,1168-1169,1172-1173,1177-1178,
  1185-1191,1197-1200,1213-1215,1221-1225,1231-1232,1236-1246,1251-1253,1266-1274,1281-1284,1296,1300-1301,1309-1313,
  1316-1328,1333-1334,1341-1346,1350-1352,1357-1363,1366-1367,1370-1383,1392-1393,1402-1406,1415-1420,1425-1429,
  1434-1440
`;

/** Numbers of the 795 training pictures, counted from 1; the 654 others are the test. */
export const nyudTrainNumbers: readonly number[] = trainRuns
  .trim()
  .split(',')
  .flatMap((run) => {
    const [first, last = first] = run.split('-').map(Number) as [number, number?];
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
