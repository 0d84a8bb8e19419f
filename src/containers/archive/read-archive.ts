import { mkdir, open, statfs, symlink } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { INVENTORY } from '../../images/image-names.ts';
import { writeDirectory } from '../../images/rewrite/new-directory.ts';
import { native } from '../../native/index.ts';
import { checkValue } from '../../options/check.ts';
import { text } from '../../options/kinds.ts';
import { BadStream } from '../../stream/byte-input.ts';
import { LAYOUT } from '../oci/layout-directory.ts';
import type { CheckpointArchive, UnpackedCheckpointArchive } from './archive-description.ts';
import { ArchiveFacts } from './archive-facts.ts';
import { archiveFailure, untilAborted } from './archive-failure.ts';
import { IMAGES, ROOTFS_DIFF } from './archive-members.ts';
import {
  type ArchiveSource,
  archiveSource,
  type ReadArchiveOptions,
  readArchiveOptions,
} from './archive-options.ts';
import { decompressed } from './compression.ts';
import { type MemberSink, readMembers } from './read-members.ts';
import type { TarLimits } from './tar-reader.ts';
import { chunksOfFile } from './tar-writer.ts';

/**
 * Unpacks the checkpoint archive of a container, as `podman container checkpoint --export`, CRI-O and containerd's
 * CRI plugin write it, or {@link writeCheckpointArchive}. It recognises gzip and zstd by the content. zstd needs
 * Node.js 22.15, or the program `zstd`.
 *
 * Only what is known to be part of such archives is unpacked; the names of other entries are in `ignored`. The
 * archive is refused, and nothing is left, if an entry leads out of the directory, is a link or a device, comes
 * twice, or if the limits are exceeded. The changes of the root file system stay packed: see {@link applyRootfsDiff}.
 * @param source the file, or a stream of its bytes
 * @param target a directory that does not exist yet, or is empty. It is made with mode 0700, its files with 0600,
 * and appears when all is unpacked and on the disk
 * @throws CriuError ERR_CRIU_BAD_IMAGE if the archive is damaged, hostile, too large, or no checkpoint of a container;
 * ERR_CRIU_INVALID_ARGUMENT, ERR_CRIU_NOT_FOUND if zstd is missing, ERR_CRIU_SYSTEM, ERR_CRIU_ABORTED
 * @example
 * ```ts
 * const { imagesDirectory, container } = await readCheckpointArchive('web.tar.zst', '/var/lib/unpacked/web');
 * ```
 */
export async function readCheckpointArchive(
  source: ArchiveSource,
  target: string,
  options: ReadArchiveOptions = {},
): Promise<UnpackedCheckpointArchive> {
  const operation = 'readCheckpointArchive';
  checkValue(operation, 'source', archiveSource, source);
  checkValue(operation, 'target', text, target);
  const { maxBytes, maxEntries, signal } = readArchiveOptions(operation, options);
  const chunks = typeof source === 'string' ? chunksOfFile(source) : source;
  return await unpackInto(operation, shownSource(source), target, async (directory, facts) => {
    const limits = { maxBytes: maxBytes ?? (await freeSpace(directory)), maxEntries };
    const sink = directorySink(directory);
    await unpackArchive(operation, untilAborted(operation, signal, chunks), {
      limits,
      facts,
      sink,
    });
  });
}

/** Where the members of an archive go. */
export interface Unpacking {
  readonly limits: TarLimits;
  readonly facts: ArchiveFacts;
  readonly sink: MemberSink;
  /** As of {@link readMembers}. */
  readonly within?: string;
}

/** Decompresses an archive and gives its members to a sink. */
export async function unpackArchive(
  operation: string,
  chunks: AsyncIterable<Buffer>,
  { limits, facts, sink, within }: Unpacking,
): Promise<void> {
  const { compression, plain } = await decompressed(operation, chunks);
  facts.compression ??= compression;
  await readMembers(plain, limits, facts, sink, within);
}

/**
 * Makes the directory of an unpacked archive, which appears when it is complete.
 * @param what the archive, as an error names it
 */
export async function unpackInto(
  operation: string,
  what: string,
  target: string,
  unpack: (directory: string, facts: ArchiveFacts) => Promise<void>,
): Promise<UnpackedCheckpointArchive> {
  const directory = resolve(target);
  const facts = new ArchiveFacts();
  const where = { target: directory, overwrite: false, sources: [] };
  const description: CheckpointArchive = await writeDirectory(operation, where, async (staging) => {
    await unpack(staging, facts);
    if (!facts.members.some(({ name }) => name === `${IMAGES}/${INVENTORY}`)) {
      const isImage = facts.ignored.includes(LAYOUT);
      throw new BadStream(
        isImage
          ? 'it is an OCI image, which readCheckpointImage reads'
          : `it has no ${IMAGES}/${INVENTORY}`,
        0,
      );
    }
    await native().syncFiles(join(staging, IMAGES));
    return facts.describe();
  }).catch((error: unknown) => {
    throw archiveFailure(operation, what, error);
  });
  const hasDiff = description.rootfsDiffBytes !== undefined;
  return {
    ...description,
    directory,
    imagesDirectory: join(directory, IMAGES),
    rootfsDiff: hasDiff ? join(directory, ROOTFS_DIFF) : undefined,
  };
}

/** A sink that makes files of the members in a new directory. */
export function directorySink(directory: string): MemberSink {
  const made = new Set<string>();
  const makeAbove = async (name: string) => {
    const slash = name.indexOf('/');
    const above = slash < 0 ? undefined : name.slice(0, slash);
    if (above === undefined || made.has(above)) return;
    made.add(above);
    await mkdir(join(directory, above), { mode: 0o700 });
  };
  return {
    async directory(name) {
      await makeAbove(`${name}/`);
    },
    async file(name, content) {
      await makeAbove(name);
      await using file = await open(join(directory, name), 'wx', 0o600);
      for await (const chunk of content) await file.writeFile(chunk);
    },
    async parent(name) {
      await makeAbove(name);
      await symlink('../pre-checkpoint', join(directory, name));
    },
  };
}

/** Bytes that the file system of a directory has left. */
export async function freeSpace(directory: string): Promise<number> {
  const { bavail, bsize } = await statfs(directory);
  return Math.min(bavail * bsize, Number.MAX_SAFE_INTEGER);
}

/** An archive as an error names it. */
export function shownSource(source: ArchiveSource): string {
  return typeof source === 'string' ? source : 'the archive';
}
