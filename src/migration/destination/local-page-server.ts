import { readSync } from 'node:fs';
import type { StoredPages } from '../../images/page-chain.ts';
import { native } from '../../native/index.ts';
import { MAX_BUFFERED_BYTES } from '../../postcopy/page-protocol.ts';
import { duplicateFd } from '../../process/duplicate-fd.ts';
import { LeasedFd } from '../protocol/leased-fd.ts';
import type { PageConnection } from './held-copy.ts';

const MAX_REASON_BYTES = 4096;

/**
 * Gives the pages of rounds to a lazy-pages daemon, which does not read the images of parents itself. The daemon
 * asks as it asks the source of a lazy dump. A thread answers until the daemon has ended; after a lazy dump it asks
 * the source for the other pages.
 */
export class LocalPageServer implements PageConnection, Disposable {
  /** The end of the connection for the daemon. */
  readonly criuFd: LeasedFd;
  /** Resolves when no more pages are served, with the reason if the daemon may still ask. Never rejects. */
  readonly ended: Promise<string>;
  readonly #keepAliveFd: LeasedFd;
  /** Undefined once closed: then the time limit has begun. */
  #limitFd: number | undefined;

  /**
   * @param stored by the pids in the images, in ascending order of addresses
   * @param limitMs how long the daemon may ask for nothing once {@link expectRequests} was called, in milliseconds
   * @param sourceFd the connection to the source of a lazy dump, which is duplicated
   */
  constructor(
    stored: ReadonlyMap<number, readonly StoredPages[]>,
    limitMs: number,
    sourceFd?: number,
  ) {
    const [socket, criuFd] = native().streamPair(MAX_BUFFERED_BYTES);
    const [statusFd, status] = native().pipe();
    const [limit, limitFd] = native().pipe();
    this.#limitFd = limitFd;
    const keepAliveFd = duplicateFd(socket);
    this.criuFd = new LeasedFd(criuFd, () => native().close(criuFd));
    this.#keepAliveFd = new LeasedFd(keepAliveFd, () => native().close(keepAliveFd));
    const source = sourceFd === undefined ? undefined : duplicateFd(sourceFd);
    const sockets = source === undefined ? [socket] : [socket, source];
    for (const fd of sockets) native().setBlocking(fd);
    for (const fd of [...sockets, status, limit]) native().release(fd);
    const descriptors = { socket, source: source ?? -1, status, limit };
    native().servePages({ ...descriptors, limitMs, ...tableOf(stored) });
    this.ended = readReason(statusFd);
  }

  /** Calls `user` with the other end of the connection. */
  async useLocalFd<T>(user: (fd: number) => Promise<T>): Promise<T> {
    return await this.#keepAliveFd.use(user);
  }

  expectRequests(): void {
    if (this.#limitFd !== undefined) native().close(this.#limitFd);
    this.#limitFd = undefined;
  }

  /** Ends the connection, unless a daemon has it. */
  [Symbol.dispose](): void {
    this.expectRequests();
    for (const fd of [this.criuFd, this.#keepAliveFd])
      fd.close(() => new Error('the server is closed'));
  }
}

/** The pages as the addon takes them: see {@link Native.servePages}. */
function tableOf(stored: ReadonlyMap<number, readonly StoredPages[]>) {
  const paths = new Map<string, number>();
  let length = 0;
  const placeOf = (path: string) => {
    const known = paths.get(path);
    if (known !== undefined) return known;
    const place = length;
    paths.set(path, place);
    length += Buffer.byteLength(path) + 1;
    return place;
  };
  const numbers = [...stored]
    .sort(([one], [other]) => one - other)
    .flatMap(([pid, pages]) =>
      pages.flatMap(({ start, count, path, offset }) => [pid, start, count, placeOf(path), offset]),
    );
  const records = new Uint8Array(BigUint64Array.from(numbers, BigInt).buffer);
  return {
    stored: records,
    paths: Buffer.from([...paths.keys()].map((path) => `${path}\0`).join('')),
  };
}

/** Reads what is written to a pipe until it is closed. */
function readReason(fd: number): Promise<string> {
  return new Promise((resolve) => {
    let reason = '';
    const watch = native().watch(fd, () => {
      const buffer = Buffer.alloc(MAX_REASON_BYTES);
      const size = readSync(fd, buffer);
      reason += buffer.toString('utf8', 0, size);
      if (size > 0) return;
      watch.close();
      native().close(fd);
      resolve(reason);
    });
  });
}
