import { RateLimit } from '../../concurrency/rate-limit.ts';
import type { ImagePart__Output } from '../../generated/types/node_criu/ImagePart.ts';

/** What a server receives of all migrations together: counted, and limited in rate. */
export class Traffic {
  /** Pages and images received so far, in bytes. */
  received = 0;
  /** How much of it is on the disk now. */
  stored = 0;
  readonly maxStored: number;
  /** Undefined if there is no limit. */
  readonly limit: RateLimit | undefined;

  constructor(bytesPerSecond?: number, maxStored = Number.POSITIVE_INFINITY) {
    this.maxStored = maxStored;
    this.limit = bytesPerSecond === undefined ? undefined : new RateLimit(bytesPerSecond);
  }
}

/** The size of the image data in a message, in bytes. */
export function imageBytes({ data, whole }: ImagePart__Output): number {
  const images = whole?.images ?? [];
  return images.reduce((total, image) => total + image.data.length, data?.length ?? 0);
}
