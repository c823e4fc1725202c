// The frames of a cohort, decoded when asked for and kept while there is room.
import { type Frame, type FrameList, type FramePair, readFrame } from '../../data/sets/kitti-depth.ts';

/** Bytes of decoded frames to keep. All generated scenes fit, the frames of KITTI do not. */
const CACHE_BYTES = 256e6;

const bytesOf = ({ color, depth }: Frame): number => color.byteLength + depth.byteLength;

export class Frames {
  readonly pairs: readonly FramePair[];
  readonly #kept: (Frame | undefined)[] = [];
  #room = CACHE_BYTES;

  constructor({ pairs }: Pick<FrameList, 'pairs'>) {
    this.pairs = pairs;
  }

  get count(): number {
    return this.pairs.length;
  }

  /** Frame number `index`. Rejects with DataError where its files are damaged. */
  async read(index: number): Promise<Frame> {
    const kept = this.#kept[index];
    if (kept) return kept;
    const frame = await readFrame(this.pairs[index]!);
    if (!this.#kept[index] && bytesOf(frame) <= this.#room) {
      this.#room -= bytesOf(frame);
      this.#kept[index] = frame;
    }
    return frame;
  }
}
