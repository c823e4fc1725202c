// PNG of 8 bits a channel. The package that encodes it is loaded by the first picture.

/** Rows of pixels, the channels of each one behind the other: grey, or red, green and blue. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
  readonly channels: 1 | 3;
}

/** Encodes a picture as PNG. */
export async function encodePng(pixels: Pixels): Promise<Uint8Array> {
  const { encode } = await import('fast-png');
  return encode({ ...pixels, depth: 8 });
}

export const base64 = (png: Uint8Array): string => Buffer.from(png).toString('base64');
