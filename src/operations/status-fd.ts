import { close, constants, write } from 'node:fs';
import { promisify } from 'node:util';
import { invalid, systemFailure } from '../errors.ts';
import { readFdInfo } from '../procfs/fdinfo.ts';
import type { NotificationHandler } from '../protocol/session.ts';

/** The mask of the access mode in the flags of a descriptor. */
const O_ACCMODE = 3;

/**
 * The option `statusFd`. The descriptor is closed however the operation ends, so that a reader of
 * the other end does not wait forever. It stays open only if the options are refused.
 */
export interface StatusFd extends AsyncDisposable {
  /** Writes one zero byte when the lazy page server is ready. */
  readonly onNotification: NotificationHandler;
}

/** Takes ownership of the descriptor. @throws CriuError ERR_CRIU_INVALID_ARGUMENT */
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
    // The caller may have closed it already.
    await promisify(close)(fd).catch(() => {});
  };
  return {
    onNotification: ({ script }) =>
      script === 'status-ready'
        ? promisify(write)(fd, new Uint8Array(1))
            .then(() => undefined)
            .finally(closeOnce)
        : undefined,
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
