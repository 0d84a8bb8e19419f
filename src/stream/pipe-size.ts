import { native } from '../native/index.ts';

/** How many bytes a pipe is to hold: the larger, the less often CRIU and this process wait for each other. */
const SIZES = [1 << 24, 1 << 22, 1 << 20];

/** Makes a pipe as large as this user may. */
export function enlargePipe(fd: number): void {
  SIZES.some((size) => native().setPipeSize(fd, size));
}
