import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { newChecksumMethod } from '../../src/images/checksum.ts';
import { type CheckpointManifest, formatManifest } from '../../src/images/manifest.ts';
import { ArchiveWriter } from '../../src/stream/archive-writer.ts';
import { ChunkQueue } from '../../src/stream/chunk-queue.ts';
import type { StreamEncryption } from '../../src/stream/encryption.ts';
import { receiveStream } from '../../src/stream/receive-stream.ts';
import { holdings } from './own-resources.ts';

/** What a manifest says besides its checksums. */
const described: Omit<CheckpointManifest, 'checksum' | 'files'> = {
  ...{ formatVersion: 1, kind: 'dump', createdAt: '2026-01-01T00:00:00.000Z' },
  host: { name: 'here', architecture: 'x64', kernel: '6.18', bootId: 'b', pageSize: 4096 },
  ...{ pid: 7, processes: [{ pid: 7 }], options: {}, bytes: 0 },
  restore: { options: {}, external: [], namespaces: [] },
};

/** The archive of these files, as a stream. */
export function archiveOf(
  files: Readonly<Record<string, Buffer>>,
  manifest: Partial<CheckpointManifest> = {},
): AsyncIterable<Buffer> {
  const queue = new ChunkQueue(() => {});
  const checksum = newChecksumMethod();
  const archive = new ArchiveWriter(queue, checksum);
  const writing = async () => {
    for (const [name, content] of Object.entries(files)) {
      await archive.write(name, content.length, [content]);
    }
    await archive.finish(
      formatManifest({
        ...described,
        checksum,
        ...manifest,
        files: Object.fromEntries(archive.files),
      }),
    );
  };
  writing().catch((error) => queue.fail(error));
  return queue;
}

/** Everything that a stream has, in one piece. */
export async function wholeOf(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts);
}

/** Reads a stream as a restore does; resolves with the content of its files. */
export async function receive(
  bytes: Uint8Array,
  options: { encryption?: StreamEncryption; maxBytes?: number; chunk?: number } = {},
): Promise<Record<string, Buffer>> {
  const { chunk = 1000, ...given } = options;
  const { files } = await receiveStream('restoreStream', inPieces(bytes, chunk), given);
  return Object.fromEntries([...files].map(([name, chunks]) => [name, Buffer.concat(chunks)]));
}

/** A stream that delivers bytes in pieces of this size. */
export async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Buffer, void> {
  for (let at = 0; at < bytes.length; at += size) yield Buffer.from(bytes.subarray(at, at + size));
}

/** Gives the tests of a file a directory of their own for temporary files, so that {@link remains} sees no others. */
export function useOwnTemporaryDirectory(): void {
  const { TMPDIR } = process.env;
  beforeAll(async () => {
    process.env.TMPDIR = await mkdtemp(join(tmpdir(), 'streams-'));
  });
  afterAll(async () => {
    await rm(tmpdir(), { recursive: true });
    if (TMPDIR === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = TMPDIR;
  });
}

/** What a stream could leave behind in this process. */
export async function remains() {
  const names = await readdir(tmpdir());
  return {
    ...(await holdings()),
    directories: names.filter((name) => name.startsWith('node-criu-stream-')),
  };
}
