import { close, open } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** A directory that only its owner may enter, for the socket, and for CRIU's log and statistics. */
export interface SocketDirectory extends AsyncDisposable {
  readonly path: string;
  readonly fd: number;
}

/** Makes a directory, which is removed at the end. @throws an error of the system */
export async function makeSocketDirectory(): Promise<SocketDirectory> {
  // mkdtemp makes it with the mode 0700.
  const path = await mkdtemp(join(tmpdir(), 'node-criu-stream-'));
  const fd = await promisify(open)(path, 'r');
  return {
    path,
    fd,
    async [Symbol.asyncDispose]() {
      await promisify(close)(fd);
      await rm(path, { recursive: true, force: true });
    },
  };
}
