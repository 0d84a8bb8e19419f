import { stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkValue } from '../../options/check.ts';
import { LAYOUT } from '../oci/layout-directory.ts';
import { isLayout, withLayout } from '../oci/layouts.ts';
import { unpackImage } from '../oci/unpack-image.ts';
import type { CheckpointArchive } from './archive-description.ts';
import { ArchiveFacts } from './archive-facts.ts';
import { archiveFailure, untilAborted } from './archive-failure.ts';
import {
  type ArchiveSource,
  archiveSource,
  type ReadArchiveOptions,
  readArchiveOptions,
} from './archive-options.ts';
import { membersIn } from './packed-members.ts';
import { shownSource, unpackArchive } from './read-archive.ts';
import { noSink } from './read-members.ts';
import { chunksOfFile } from './tar-writer.ts';

/**
 * Tells what is in the checkpoint archive of a container, without unpacking it.
 * @param source the file, a stream of its bytes, or a directory that it was unpacked into; or the layout of an OCI
 * image of a checkpoint, which may be a tar archive
 * @throws CriuError ERR_CRIU_BAD_IMAGE if it is damaged, hostile, or no checkpoint of a container;
 * ERR_CRIU_INVALID_ARGUMENT, ERR_CRIU_NOT_FOUND if zstd is missing, ERR_CRIU_SYSTEM, ERR_CRIU_ABORTED
 * @example
 * ```ts
 * const { kind, container, image, imagesBytes } = await inspectCheckpointArchive('web.tar.zst');
 * ```
 */
export async function inspectCheckpointArchive(
  source: ArchiveSource,
  options: ReadArchiveOptions = {},
): Promise<CheckpointArchive> {
  const operation = 'inspectCheckpointArchive';
  checkValue(operation, 'source', archiveSource, source);
  const read = readArchiveOptions(operation, options);
  const { maxBytes = Number.MAX_SAFE_INTEGER, maxEntries, signal } = read;
  const facts = new ArchiveFacts();
  try {
    const limits = { maxBytes, maxEntries };
    const inspectImage = async (layout: string) => {
      const unpacking = { limits, facts: new ArchiveFacts(), sink: noSink };
      const beside = { beside: tmpdir(), limits, signal };
      await withLayout(operation, layout, undefined, beside, (image) =>
        unpackImage(operation, image, unpacking),
      );
      return unpacking.facts.describe();
    };
    if (typeof source === 'string' && (await stat(source)).isDirectory()) {
      if (await isLayout(source)) return await inspectImage(source);
      await inspectDirectory(source, facts);
      return facts.describe();
    }
    const chunks = typeof source === 'string' ? chunksOfFile(source) : source;
    const aborted = untilAborted(operation, signal, chunks);
    await unpackArchive(operation, aborted, { limits, facts, sink: noSink });
    const isImage = facts.members.length === 0 && facts.ignored.includes(LAYOUT);
    return isImage && typeof source === 'string' ? await inspectImage(source) : facts.describe();
  } catch (error) {
    throw archiveFailure(operation, shownSource(source), error);
  }
}

async function inspectDirectory(directory: string, facts: ArchiveFacts): Promise<void> {
  for (const name of await membersIn(directory)) {
    const { size } = await stat(join(directory, name));
    facts.members.push({ name, bytes: size });
    const wanted = facts.wanted(name, size);
    if (wanted === 0) continue;
    const parts: Buffer[] = [];
    for await (const chunk of chunksOfFile(join(directory, name), wanted)) parts.push(chunk);
    facts.keep(name, Buffer.concat(parts));
  }
}
