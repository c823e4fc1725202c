// Pictures and maps in another size: colours by a filter, classes and depths by the nearest neighbour, which makes no new values.
import { type ColorImage, loadSharp } from './formats/png.ts';

/** Width and height in pixels. */
export type PixelSize = Pick<ColorImage, 'width' | 'height'>;

/** `640 x 480`. */
export const sizeText = ({ width, height }: PixelSize): string => `${width} x ${height}`;

/** Nearest neighbour with half-pixel centres: output pixel i takes input pixel floor((i + 1/2) from / to), along each axis. */
export function resizeNearest<T extends Uint8Array | Float32Array>(
  source: T,
  width: number,
  height: number,
  toWidth: number,
  toHeight = toWidth,
): T {
  const result = new (source.constructor as new (length: number) => T)(toWidth * toHeight);
  for (let y = 0; y < toHeight; y++) {
    const row = Math.floor(((y + 0.5) * height) / toHeight) * width;
    for (let x = 0; x < toWidth; x++)
      result[y * toWidth + x] = source[row + Math.floor(((x + 0.5) * width) / toWidth)]!;
  }
  return result;
}

/** A picture in another size, by a cubic filter that is widened where the picture shrinks. */
export async function resizePicture({ width, height, data }: ColorImage, to: PixelSize): Promise<Uint8Array> {
  if (width === to.width && height === to.height) return data;
  const picture = (await loadSharp())(data, { raw: { width, height, channels: 3 } });
  return new Uint8Array(await picture.resize(to.width, to.height, { fit: 'fill', kernel: 'cubic' }).raw().toBuffer());
}
