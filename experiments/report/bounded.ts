// What of a table is large, made small enough to be tracked and mailed: pictures and curves. What fits is left as it is, so that
// doing it again changes nothing.
import type { CurvesView, PanelView } from './view.ts';

/** Most characters of the pictures of a table, in base64; pictures and curves together stay below 300 KB. */
const PANEL_CHARACTERS = 200_000;
const CURVE_CHARACTERS = 80_000;

/** Larger sides of pictures to try, in pixels. */
const SIDES = [384, 256, 192, 128, 96, 64];

/** Digits of a curve to try. It is drawn: more would only make the file larger. */
const DIGITS = [6, 5, 4, 3];

const sizeOf = (panels: readonly PanelView[]): number =>
  panels.reduce((sum, { images }) => sum + images.reduce((size, { png }) => size + png.length, 0), 0);

/** Width and height of a PNG in base64, from its header. */
export function pngSize(png: string): readonly [width: number, height: number] {
  const header = Buffer.from(png.slice(0, 32), 'base64');
  return [header.readUInt32BE(16), header.readUInt32BE(20)];
}

async function shrink(png: string, side: number): Promise<string> {
  if (Math.max(...pngSize(png)) <= side) return png;
  const { default: sharp } = await import('sharp');
  const resized = sharp(Buffer.from(png, 'base64')).resize({ width: side, height: side, fit: 'inside' });
  return (await resized.png({ compressionLevel: 9 }).toBuffer()).toString('base64');
}

/** The first pictures that fit. */
function firstOf(panels: readonly PanelView[], most: number): PanelView[] {
  let left = most;
  return panels.flatMap(({ label, images }) => {
    const kept = images.filter(({ png }) => (left -= png.length) >= 0);
    return kept.length > 0 ? [{ label, images: kept }] : [];
  });
}

/** Sample pictures of a table: all in a size at which they fit; below 64 pixels the last ones are left out instead. */
export async function boundedPanels(
  panels: readonly PanelView[],
  most: number = PANEL_CHARACTERS,
): Promise<readonly PanelView[]> {
  let smaller = panels;
  for (const side of SIDES) {
    if (sizeOf(smaller) <= most) return smaller;
    smaller = await Promise.all(
      panels.map(async ({ label, images }) => ({
        label,
        images: await Promise.all(images.map(async (image) => ({ ...image, png: await shrink(image.png, side) }))),
      })),
    );
  }
  return firstOf(smaller, most);
}

type Lines = readonly Omit<CurvesView['lines'][number], 'quantity'>[];

const rounded = (lines: Lines, digits: number): Lines =>
  lines.map(({ label, bySeed }) => ({
    label,
    bySeed: bySeed.map(({ seed, values }) => ({
      seed,
      values: values.map((value) => Number(value.toPrecision(digits))),
    })),
  }));

/** Curves with as many digits as fit, and at last without their last seeds. */
export function boundedCurves(lines: Lines, most: number = CURVE_CHARACTERS): Lines {
  let smaller = lines;
  for (const digits of DIGITS) {
    smaller = rounded(lines, digits);
    if (JSON.stringify(smaller).length <= most) return smaller;
  }
  let seeds = Math.max(...lines.map(({ bySeed }) => bySeed.length));
  while (seeds > 1 && JSON.stringify(smaller).length > most) {
    seeds--;
    smaller = smaller.map(({ label, bySeed }) => ({ label, bySeed: bySeed.slice(0, seeds) }));
  }
  return smaller;
}
