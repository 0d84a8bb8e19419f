import { close, constants, write } from 'node:fs';
import { promisify } from 'node:util';
import { invalid, systemFailure } from '../errors.ts';
import { readFdInfo } from '../procfs/fdinfo.ts';
import type { Notified } from '../protocol/session.ts';

/** The part of a descriptor's flags that says what it is open for. */
const O_ACCMODE = 3;

/**
 * runc's statusFd. Closed however the operation ends, so that who waits at the other end is not left
 * waiting; but of an operation that is refused for its options it stays the caller's.
 */
export interface StatusFd extends AsyncDisposable {
  /** Tells by one zero byte that the lazy page server is ready. */
  readonly notified: Notified;
}

/** @throws CriuError ERR_CRIU_INVALID_ARGUMENT if nothing can be written to it */
export async function openStatusFd(
  operation: string,
  fd: number | undefined,
): Promise<StatusFd | undefined> {
  if (fd === undefined) return undefined;
  if (!(await isWritable(operation, fd))) {
    throw invalid(operation, 'statusFd', 'a descriptor that is open for writing', fd);
  }
  let closed = false;
  const closeOnce = async () => {
    if (closed) return;
    closed = true;
    // If the caller has closed it meanwhile, the better: nobody waits for it.
    await promisify(close)(fd).catch(() => {});
  };
  return {
    async notified({ script }) {
      if (script === 'status-ready') {
        await promisify(write)(fd, new Uint8Array(1)).finally(closeOnce);
      }
      return undefined;
    },
    [Symbol.asyncDispose]: closeOnce,
  };
}

async function isWritable(operation: string, fd: number): Promise<boolean> {
  try {
    const info = await readFdInfo('self', fd);
    return info !== undefined && (info.flags & O_ACCMODE) !== constants.O_RDONLY;
  } catch (error) {
    const exhausted = systemFailure(operation, error);
    if (exhausted) throw exhausted;
    return false;
  }
}
