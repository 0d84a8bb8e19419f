import { Readable } from 'node:stream';
import { Cancellation } from '../concurrency/cancellation.ts';
import { asCriuError } from '../errors.ts';
import { treeOf } from '../images/pstree.ts';
import type { Client } from '../operations/client.ts';
import { restore } from '../operations/restore.ts';
import type { RestoredProcess } from '../operations/restored-process.ts';
import { DumpStream } from './dump-stream.ts';
import { assertSource, receiveStream, type StreamSource } from './receive-stream.ts';
import { ServedImages } from './served-images.ts';
import { makeSocketDirectory } from './socket-directory.ts';
import {
  type RestoreStreamOptions,
  readRestoreOptions,
  streamingClient,
} from './stream-options.ts';
import { requireStreaming } from './streaming-criu.ts';

const OPERATION = 'restoreStream';

/** Reads a stream to its end, verifies it, and restores the processes in it. */
export async function restoreStream(
  givenClient: Client,
  source: StreamSource,
  given: RestoreStreamOptions,
): Promise<RestoredProcess> {
  const { own, forRestore } = readRestoreOptions(OPERATION, given);
  assertSource(OPERATION, source);
  const client = streamingClient(givenClient, 'restore');
  await requireStreaming(OPERATION, client, 'restore', forRestore);
  const { signal, deadlineMs } = forRestore;
  const start = performance.now();
  using cancellation = new Cancellation(OPERATION, { signal, deadlineMs });
  const reading = receiveStream(OPERATION, source, own);
  reading.catch(() => {});
  const received = await Promise.race([reading, cancellation.requested]);
  if (!received) {
    // It may never deliver another byte.
    if (source instanceof Readable) source.destroy();
    throw cancellation.reason;
  }

  // On the same host, the processes have their pids until CRIU has ended them.
  if (source instanceof DumpStream) await source.result;
  await using directory = await makeSocketDirectory().catch((error) => {
    throw asCriuError(OPERATION, error);
  });
  const { files, manifest } = received;
  const left = forRestore.manifest === false ? {} : manifest.restore.options;
  const tree = treeOf(Buffer.concat(files.get('pstree.img') ?? []));
  using _images = new ServedImages(directory, files);
  const remaining = deadlineMs && Math.max(0, Math.round(deadlineMs - (performance.now() - start)));
  return await restore(
    { ...client, defaults: { ...left, ...client.defaults } },
    {
      ...forRestore,
      ...(remaining !== undefined && { deadlineMs: remaining }),
      stream: true,
      imagesDirectory: directory.path,
    },
    { streamed: tree },
  );
}
