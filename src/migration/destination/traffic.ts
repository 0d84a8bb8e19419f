import type { ImagePart__Output } from '../../generated/types/node_criu/ImagePart.ts';
import { RateLimit } from '../../postcopy/rate-limit.ts';

/** What a server receives of all migrations together: counted, and limited in rate. */
export class Traffic {
  /** Pages and images received so far, in bytes. */
  received = 0;
  /** Undefined if there is no limit. */
  readonly limit: RateLimit | undefined;

  constructor(bytesPerSecond: number | undefined) {
    this.limit = bytesPerSecond === undefined ? undefined : new RateLimit(bytesPerSecond);
  }
}

/** The size of the image data in a message, in bytes. */
export function imageBytes({ data, whole }: ImagePart__Output): number {
  const images = whole?.images ?? [];
  return images.reduce((total, image) => total + image.data.length, data?.length ?? 0);
}
