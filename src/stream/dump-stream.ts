import { Readable } from 'node:stream';
import { deferred } from '../concurrency/deferred.ts';
import { asCriuError, CriuError } from '../errors.ts';
import type { Client } from '../operations/client.ts';
import { type DumpResult, dump } from '../operations/dump.ts';
import { DumpManifest } from '../operations/dump-manifest.ts';
import { versionOnce } from '../operations/probe.ts';
import { survivesDump } from '../operations/staging.ts';
import { checkValue } from '../options/check.ts';
import { pid as positiveInteger } from '../options/kinds.ts';
import { Capture } from './capture.ts';
import { ChunkQueue } from './chunk-queue.ts';
import { compress } from './compression.ts';
import { seal } from './encryption.ts';
import { makeSocketDirectory } from './socket-directory.ts';
import { type DumpStreamOptions, readDumpOptions, streamingClient } from './stream-options.ts';
import { requireStreaming } from './streaming-criu.ts';

const OPERATION = 'dumpStream';

/** The result of a dump into a stream. */
export interface DumpStreamResult extends Omit<DumpResult, 'imagesDirectory' | 'restored'> {
  /** How many bytes the archive has, before compression and encryption. */
  readonly archiveBytes: number;
}

/**
 * The images of a dump, as a tar archive. The processes are frozen until it has been read to its end: do not
 * stop reading without `destroy()`, with which the dump is rolled back.
 */
export class DumpStream extends Readable {
  /**
   * Resolves when CRIU has ended the processes, or has let them run on. Rejects with the error that the stream is
   * destroyed with, whose `workload` is the state of the processes. A caller who handles the errors of the
   * stream may ignore it.
   */
  readonly result: Promise<DumpStreamResult>;
  readonly #chunks: AsyncIterator<Buffer>;
  readonly #abandon: (cause: unknown) => void;

  /** @internal */
  constructor(
    chunks: AsyncIterable<Buffer>,
    result: Promise<DumpStreamResult>,
    abandon: (cause: unknown) => void,
  ) {
    super();
    this.#chunks = chunks[Symbol.asyncIterator]();
    this.result = result;
    this.#abandon = abandon;
  }

  /** @internal */
  override _read(): void {
    this.#chunks.next().then(
      ({ done, value }) => this.push(done ? null : value),
      (error) => this.destroy(error),
    );
  }

  /** @internal */
  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (!this.readableEnded) this.#abandon(error);
    callback(error);
  }
}

/** Dumps a process tree into a stream. Resolves once CRIU is about to begin. */
export async function dumpStream(
  givenClient: Client,
  pid: number,
  given: DumpStreamOptions,
): Promise<DumpStream> {
  const { own, forDump } = readDumpOptions(OPERATION, given);
  checkValue(OPERATION, 'pid', positiveInteger, pid);
  const client = streamingClient(givenClient, 'dump');
  await requireStreaming(OPERATION, client, 'dump', forDump);
  const directory = await makeSocketDirectory().catch((error) => {
    throw asCriuError(OPERATION, error);
  });
  const abandon = (cause: unknown) => {
    const why = cause instanceof Error ? `: ${cause.message}` : '';
    const message = `the stream was closed before its end${why}`;
    capture.cancel(new CriuError('ERR_CRIU_CLOSED', message, { operation: OPERATION, cause }));
  };
  const queue = new ChunkQueue(() => abandon(undefined));
  const capture = new Capture({
    ...{ pid, directory, queue, confirm: own.confirm, maxBufferedBytes: own.maxBufferedBytes },
    survives: survivesDump({ ...client.defaults, ...forDump }),
  });
  const options = { ...forDump, stream: true, imagesDirectory: directory.path };
  const dumping = dump(client, 'dump', pid, options, {
    openImages: async ({ cancellation, effective }) => {
      const manifest = await DumpManifest.of('dump', pid, effective);
      capture.describeBy(manifest, versionOnce(client, cancellation));
      cancellation.requested.then(() => capture.cancel(cancellation.reason as CriuError));
      return capture;
    },
  });
  const failed = deferred<CriuError>();
  const result = dumping
    .then(
      ({ imagesDirectory, restored, ...rest }) => ({ ...rest, archiveBytes: capture.size }),
      (error: CriuError) => {
        capture.cancel(error);
        failed.resolve(error);
        throw error;
      },
    )
    .finally(() => directory[Symbol.asyncDispose]());
  result.catch(() => {});
  await Promise.race([capture.connected, result]);

  const compressed = compress(queue, own.compression);
  const stream = new DumpStream(
    own.encryption ? seal(compressed, own.encryption) : compressed,
    result,
    abandon,
  );
  stream.once('end', () => capture.consumed());
  failed.promise.then((error) => stream.destroy(error));
  return stream;
}
