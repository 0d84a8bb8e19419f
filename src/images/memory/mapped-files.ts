import { join } from 'node:path';
import type { MemfdInodeEntry } from '../../generated/images/types.ts';
import { decodeImage } from '../decode-image.ts';
import { hasFile } from './has-file.ts';

/** A file that is mapped. */
export interface MappedFile {
  /** The path of the file, or the name of a memfd. */
  readonly path: string;
  /** The size at the dump, in bytes. */
  readonly size: bigint | undefined;
  /** The words of the build id of a program or library. */
  readonly buildId?: readonly number[] | undefined;
  /** The number of the shared memory that has the content of a memfd. */
  readonly shared: number | undefined;
}

/**
 * Reads what the images say of files.
 * @param ids the ids of the files that are looked for
 * @throws CriuError ERR_CRIU_BAD_IMAGE
 */
export async function readMappedFiles(
  directory: string,
  ids: ReadonlySet<number>,
): Promise<Map<number, MappedFile>> {
  const files = new Map<number, MappedFile>();
  if (ids.size === 0) return files;
  const inodes = new Map<number, bigint>();
  for await (const { message } of decodeImage(join(directory, 'files.img'), { kind: 'FILES' })) {
    const { id, reg, memfd } = message;
    if (!ids.has(id)) continue;
    if (reg) {
      const { name: path, size, build_id: buildId } = reg;
      files.set(id, { path, size, buildId, shared: undefined });
    }
    if (memfd) inodes.set(id, BigInt(memfd.inode_id));
  }
  if (inodes.size > 0) await addMemfds(directory, inodes, files);
  return files;
}

async function addMemfds(
  directory: string,
  inodes: ReadonlyMap<number, bigint>,
  files: Map<number, MappedFile>,
): Promise<void> {
  if (!(await hasFile(directory, 'memfd.img'))) return;
  const path = join(directory, 'memfd.img');
  const byInode = new Map<bigint, MappedFile>();
  for await (const { message } of decodeImage(path, { kind: 'MEMFD_INODE' })) {
    byInode.set(BigInt(message.inode_id), memfdFile(message));
  }
  for (const [id, inode] of inodes) {
    const file = byInode.get(inode);
    if (file) files.set(id, file);
  }
}

/** A memfd as a mapped file. */
export function memfdFile({ name, size, shmid }: MemfdInodeEntry): MappedFile {
  return { path: `memfd:${name}`, size, shared: shmid };
}
