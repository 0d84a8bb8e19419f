import { mkdir, mkdtemp, rm, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asCriuError } from '../errors.ts';

/** Directories that are needed while a program is started or a copy is restored. */
export interface Scratch extends AsyncDisposable {
  /** For CRIU's log and statistics. */
  readonly path: string;
  /** An empty directory, on which the root of the copy is mounted. */
  readonly root: string;
  /** Another one, for the shared memory of the copy. */
  readonly sharedMemory: string;
}

/** Makes them, with access for their owner only. @throws CriuError ERR_CRIU_SYSTEM */
export async function makeScratch(operation: string): Promise<Scratch> {
  try {
    const path = await mkdtemp(join(tmpdir(), 'node-criu-copy-'));
    const scratch = { path, root: join(path, 'root'), sharedMemory: join(path, 'shm') };
    await Promise.all([mkdir(scratch.root), mkdir(scratch.sharedMemory)]);
    return {
      ...scratch,
      async [Symbol.asyncDispose]() {
        // Not recursive: whatever could be mounted on them is not ours to remove.
        await Promise.all([scratch.root, scratch.sharedMemory].map(removeEmpty));
        await rm(path, { recursive: true, force: true });
      },
    };
  } catch (error) {
    throw asCriuError(operation, error);
  }
}

/** Removes a directory, which somebody who cleans up temporary files may have done before. */
async function removeEmpty(path: string): Promise<void> {
  await rmdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
}
