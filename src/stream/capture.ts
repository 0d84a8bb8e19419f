import { deferred } from '../concurrency/deferred.ts';
import { SerialQueue } from '../concurrency/serial-queue.ts';
import { CriuError } from '../errors.ts';
import { formatManifest } from '../images/manifest.ts';
import { isPagesFile } from '../images/pagemap.ts';
import { treeOf } from '../images/pstree.ts';
import type { DumpImages } from '../operations/direct-images.ts';
import type { DumpManifest } from '../operations/dump-manifest.ts';
import type { CriuVersion } from '../operations/known-versions.ts';
import { type Files, localFiles } from '../process/files.ts';
import type { NotificationHandler } from '../protocol/session.ts';
import { ArchiveWriter } from './archive-writer.ts';
import { CapturedFile } from './captured-file.ts';
import type { ChunkQueue } from './chunk-queue.ts';
import { pagesLimit } from './pages-size.ts';
import type { SocketDirectory } from './socket-directory.ts';
import { StreamerSocket } from './streamer-socket.ts';

/** While more is held than this many bytes, and can be written, CRIU waits before it writes more memory. */
const MAX_WAITING = 64 << 20;

const PSTREE = 'pstree.img';

/** What the manifest is made from. */
interface ManifestSource {
  readonly manifest: DumpManifest;
  readonly criu: Promise<CriuVersion | undefined>;
}

/** How the images of a dump become a stream. */
export interface CaptureOptions {
  /** The root of the dumped tree. */
  readonly pid: number;
  readonly directory: SocketDirectory;
  /** Where the archive goes. */
  readonly queue: ChunkQueue;
  /** The most bytes that are held of images whose size is not known before their end. */
  readonly maxBufferedBytes: number;
  /** The processes survive the dump: they need not be frozen until the consumer has everything. */
  readonly survives: boolean;
  /** Called once the consumer has taken everything, before CRIU ends the processes. */
  readonly confirm: (() => unknown) | undefined;
}

/**
 * The images of a dump on their way into a stream. CRIU writes each into a pipe, and waits at its last
 * notification until the consumer has taken the whole stream; only then it ends the processes. If the consumer
 * gives up, the pipes are closed, and CRIU rolls back.
 */
export class Capture implements DumpImages {
  failure: CriuError | undefined;
  readonly isPlaced = false;
  readonly leftovers = [];
  readonly files: Files = localFiles;
  readonly #options: CaptureOptions;
  #archive: ArchiveWriter | undefined;
  #manifest: ManifestSource | undefined;
  /** The image of the process tree. */
  readonly #pstree: Buffer[] = [];
  readonly #socket: StreamerSocket;
  /** The files that CRIU has not closed yet. */
  readonly #open = new Set<CapturedFile>();
  /** Writes one file after the other into the archive. */
  readonly #writing = new SerialQueue();
  readonly #connected = deferred<void>();
  readonly #consumed = deferred<void>();
  readonly #cancelled = deferred<never>();
  #allClosed: () => void = () => {};
  readonly #paused = new Set<CapturedFile>();
  /** How many bytes are held of all files. */
  #held = 0;
  /** How many files are written, or wait for that. */
  #toWrite = 0;
  #lastPagemap = '';
  #finishing: Promise<void> | undefined;

  constructor(options: CaptureOptions) {
    this.#options = options;
    this.#cancelled.promise.catch(() => {});
    this.#socket = new StreamerSocket(options.directory.fd, {
      socket: 'streamer-capture.sock',
      connected: this.#connected.resolve,
      opened: (name, fd) => this.#capture(name, fd),
      ended: (failure) => failure && this.cancel(failure),
    });
  }

  get directory(): string {
    return this.#options.directory.path;
  }

  get fd(): number {
    return this.#options.directory.fd;
  }

  /** How many bytes the archive has, before compression and encryption. */
  get size(): number {
    return this.#archive?.size ?? 0;
  }

  /** Resolves when CRIU is connected. */
  get connected(): Promise<void> {
    return this.#connected.promise;
  }

  /** Says what the manifest is made from, before CRIU opens the first image. */
  describeBy(manifest: DumpManifest, criu: Promise<CriuVersion | undefined>): void {
    this.#manifest = { manifest, criu };
    this.#archive = new ArchiveWriter(this.#options.queue, manifest.checksum);
  }

  /** The consumer has taken the end of the stream. */
  consumed(): void {
    this.#consumed.resolve();
  }

  /** Makes the stream and the dump fail: CRIU cannot write on, and rolls back. Idempotent. */
  cancel(failure: CriuError): void {
    if (this.failure) return;
    this.failure = failure;
    this.#close();
    this.#options.queue.fail(failure);
    this.#cancelled.reject(failure);
  }

  readonly onNotification: NotificationHandler = ({ script }) =>
    script === 'post-dump' ? this.#complete().then(() => undefined) : undefined;

  async finish(): Promise<void> {
    this.#finishing ??= this.#finish();
    await this.#finishing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#close();
  }

  async #complete(): Promise<void> {
    // By now CRIU has closed all images, of which some may not have been read yet.
    this.#socket.drain();
    if (this.#open.size > 0) {
      const closed = deferred<void>();
      this.#allClosed = () => this.#open.size === 0 && closed.resolve();
      await this.#unlessCancelled(closed.promise);
    }
    if (!this.#options.survives) await this.finish();
  }

  async #finish(): Promise<void> {
    await this.#unlessCancelled(this.#writing.run(() => this.#writeManifest()));
    await this.#unlessCancelled(this.#consumed.promise);
    await this.#unlessCancelled(Promise.resolve(this.#options.confirm?.()));
  }

  async #writeManifest(): Promise<void> {
    if (!this.#archive || !this.#manifest) throw new Error('CRIU has written nothing');
    const { manifest, criu } = this.#manifest;
    const tree = treeOf(Buffer.concat(this.#pstree));
    const described = manifest.describe(this.#archive.files, tree, { criu: await criu });
    await this.#archive.finish(formatManifest(described));
  }

  async #unlessCancelled<T>(promise: Promise<T>): Promise<T> {
    return await Promise.race([promise, this.#cancelled.promise]);
  }

  #capture(name: string, fd: number): void {
    if (name.startsWith('pagemap-')) this.#lastPagemap = name;
    // CRIU opens the pages of a pagemap immediately after it.
    const pagemap = isPagesFile(name) ? this.#lastPagemap : undefined;
    const file = new CapturedFile(name, fd, {
      held: (bytes) => this.#hold(file, bytes),
      needsSize: async () =>
        pagemap === undefined ? undefined : await pagesLimit(this.#options.pid, pagemap),
      sized: (size) => this.#write(file, size),
      ended: (size) => {
        this.#open.delete(file);
        if (size !== undefined) this.#write(file, size);
        this.#allClosed();
      },
    });
    this.#open.add(file);
  }

  #hold(file: CapturedFile, bytes: number): void {
    this.#held += bytes;
    if (bytes < 0) {
      if (this.#held > MAX_WAITING) return;
      for (const paused of this.#paused) paused.resume();
      this.#paused.clear();
    } else if (this.#held > this.#options.maxBufferedBytes) {
      const message = `the images take more than ${this.#options.maxBufferedBytes} bytes (maxBufferedBytes) before the size of ${file.name} is known`;
      this.cancel(new CriuError('ERR_CRIU_FAILED', message));
    } else if (this.#held > MAX_WAITING && this.#toWrite > 0 && isPagesFile(file.name)) {
      // CRIU writes one pages file at a time, and others while it is open.
      file.pause();
      this.#paused.add(file);
    }
  }

  #write(file: CapturedFile, size: number): void {
    this.#toWrite++;
    this.#writing
      .run(async () => {
        const chunks = file.name === PSTREE ? kept(file.chunks(), this.#pstree) : file.chunks();
        if (!this.failure) await this.#archive?.write(file.name, size, chunks);
        this.#toWrite--;
      })
      .catch((cause: Error) => {
        const message = `the image ${file.name} cannot be streamed: ${cause.message}`;
        this.cancel(new CriuError('ERR_CRIU_FAILED', message, { cause }));
      });
  }

  #close(): void {
    this.#socket[Symbol.dispose]();
    for (const file of this.#open) file.close();
  }
}

/** The chunks, which are kept as well. */
async function* kept(chunks: AsyncIterable<Buffer>, all: Buffer[]): AsyncGenerator<Buffer, void> {
  for await (const chunk of chunks) {
    all.push(chunk);
    yield chunk;
  }
}
