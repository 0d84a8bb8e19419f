import { native } from '../native/index.ts';

/** dup(2), which Node lacks. The caller closes the duplicate. */
export function duplicateFd(fd: number): number {
  const self = native().pidfdOpen(process.pid);
  try {
    return native().pidfdGetfd(self, fd);
  } finally {
    native().close(self);
  }
}
