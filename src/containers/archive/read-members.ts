import { BadStream } from '../../stream/byte-input.ts';
import type { ArchiveFacts } from './archive-facts.ts';
import { memberOf, plainPath, shownPath } from './archive-members.ts';
import { readTar, type TarLimits } from './tar-reader.ts';

/** Is given the members of an archive. */
export interface MemberSink {
  directory(name: string): Promise<void>;
  file(name: string, content: AsyncIterable<Buffer>): Promise<void>;
  /** Links the images to those of the pre-checkpoint. */
  parent(name: string): Promise<void>;
}

/** How many unknown members are listed by name. */
const MAX_IGNORED = 100;

/**
 * Reads an archive, and collects what its members say.
 * @param within the directory of the archive that its entries are in, with a slash; empty for most
 * @throws BadStream if it is damaged, hostile or too large
 */
export async function readMembers(
  chunks: AsyncIterable<Buffer>,
  limits: TarLimits,
  facts: ArchiveFacts,
  sink: MemberSink,
  within = '',
): Promise<void> {
  const found = new Set<string>();
  await readTar(chunks, limits, async (entry, content) => {
    const path = entry.path.startsWith('/') ? entry.path : `${within}${entry.path}`;
    const member = memberOf({ ...entry, path });
    if (member === undefined) {
      const name = plainPath(path);
      if (name !== '' && facts.ignored.length < MAX_IGNORED) {
        facts.ignored.push(Buffer.from(name, 'latin1').toString());
      }
      return;
    }
    const { name, kind } = member;
    if (kind === 'directory') {
      // Writers may name a directory more than once.
      if (!found.has(name)) await sink.directory(name);
      found.add(name);
      return;
    }
    if (found.has(name)) throw new BadStream(`${shownPath(name)} is in it twice`, 0);
    found.add(name);
    if (kind === 'parent') return await sink.parent(name);
    facts.members.push({ name, bytes: entry.size });
    await sink.file(name, kept(facts, name, entry.size, content));
  });
}

/** The content of a member, of which the beginning is kept if it says something. */
async function* kept(
  facts: ArchiveFacts,
  name: string,
  size: number,
  content: AsyncIterable<Buffer>,
): AsyncGenerator<Buffer, void> {
  const wanted = facts.wanted(name, size);
  const parts: Buffer[] = [];
  let left = wanted;
  for await (const chunk of content) {
    if (left > 0) parts.push(Buffer.from(chunk.subarray(0, left)));
    left -= Math.min(left, chunk.length);
    yield chunk;
  }
  if (wanted > 0) facts.keep(name, Buffer.concat(parts));
}

/** A sink that only reads. */
export const noSink: MemberSink = {
  directory: async () => {},
  async file(_, content) {
    for await (const _ of content);
  },
  parent: async () => {},
};
