import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { checkValue } from '../../options/check.ts';
import { BadStream } from '../../stream/byte-input.ts';
import type { CheckpointArchive } from './archive-description.ts';
import { ArchiveFacts } from './archive-facts.ts';
import { archiveFailure, untilAborted } from './archive-failure.ts';
import { memberOf } from './archive-members.ts';
import {
  type ArchiveSource,
  archiveSource,
  type ReadArchiveOptions,
  readArchiveOptions,
} from './archive-options.ts';
import { shownSource, unpackArchive } from './read-archive.ts';
import { noSink } from './read-members.ts';
import { PLAIN } from './tar-entry.ts';
import { chunksOfFile } from './tar-writer.ts';

/**
 * Tells what is in the checkpoint archive of a container, without unpacking it.
 * @param source the file, a stream of its bytes, or a directory that it was unpacked into
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
    if (typeof source === 'string' && (await stat(source)).isDirectory()) {
      await inspectDirectory(source, facts);
    } else {
      const chunks = typeof source === 'string' ? chunksOfFile(source) : source;
      const limits = { maxBytes, maxEntries };
      const aborted = untilAborted(operation, signal, chunks);
      await unpackArchive(operation, aborted, { limits, facts, sink: noSink });
    }
    return facts.describe();
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

/** The known members that are files in a directory, by name. @throws BadStream if one is no regular file */
export async function membersIn(directory: string): Promise<string[]> {
  const names: string[] = [];
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const inner = entry.isDirectory()
      ? await readdir(join(directory, entry.name), { withFileTypes: true })
      : [];
    const inside = inner.map((one) => ({ name: `${entry.name}/${one.name}`, entry: one }));
    for (const found of [{ name: entry.name, entry }, ...inside]) {
      if (found.entry.isDirectory()) continue;
      const isMember = memberOf({ ...PLAIN, path: found.name }) !== undefined;
      if (!isMember || found.name === 'checkpoint/parent') continue;
      if (!found.entry.isFile()) throw new BadStream(`${found.name} is not a regular file`, 0);
      names.push(found.name);
    }
  }
  return names.sort();
}
