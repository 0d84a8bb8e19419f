import { Socket } from 'node:net';
import { basename, dirname, join } from 'node:path';
import type { Cancellation } from '../concurrency/cancellation.ts';
import { invalid } from '../errors.ts';
import {
  countLazyPages,
  type LazyMemory,
  lacksPages,
  lazyMemoryIn,
} from '../images/lazy-memory.ts';
import { lazyPagesDaemon } from '../native/built-files.ts';
import { native } from '../native/index.ts';
import type { Client } from '../operations/client.ts';
import { makeBlocking } from '../options/page-connection.ts';
import { CriuChild } from '../worker/child.ts';
import { startFailure } from '../worker/worker-session.ts';
import { LazyPages } from './lazy-pages.ts';
import { IMAGES_OPTION, KEEP_ALIVE_FD, SOCKET_NAME, STATUS_FD } from './lazy-pages-command.ts';
import {
  type DaemonDirectories,
  findDaemonPlace,
  type LazyPagesContext,
} from './lazy-pages-start.ts';
import { MAX_BUFFERED_BYTES } from './page-protocol.ts';

// The other numbers that descriptors have in the daemon, and what stands for no file: see its lazy-pages.h.
const TABLE_FD = 4;
const SOURCE_FD = 5;
const IMAGES_FD = 6;
const NO_FILE = 2n ** 64n - 1n;
/** How many numbers a range has. */
const NUMBERS = 6;
const WIPED = 1n;
const FIRST = 2n;
/** How many numbers a run of pages has that threads have waited for. */
const WAITED_NUMBERS = 3;

/** What the daemon of this package serves, and to whom. */
export interface OwnLazyPagesOptions extends DaemonDirectories {
  /** Where the memory is, if the images do not say it. */
  readonly memory?: LazyMemory | undefined;
  /** The connection to the source of a lazy dump, for pages that are in no file. */
  readonly sourceFd?: number | undefined;
  /** A descriptor of the images directory, if no path leads to it without this process. */
  readonly directoryFd?: number | undefined;
  /**
   * Called at the end with the stored pages that threads have waited for: three numbers for each run of pages, the pid and the
   * address in the images, and how many.
   */
  readonly onWaited?: ((pages: BigUint64Array) => void) | undefined;
}

/**
 * Starts the lazy-pages daemon of this package, which does what CRIU's does for the restore, and more: it reads the
 * images of parents, requests pages that a process waits for before others and several at once, and keeps track
 * of memory that the process moves or gives up while its pages are on the way.
 * @returns undefined if it cannot read the images, because they are compressed
 */
export async function startOwnLazyPages(
  client: Client,
  { memory: known, sourceFd, directoryFd, onWaited, ...directories }: OwnLazyPagesOptions,
  { operation, outer, keepAliveFd }: LazyPagesContext & { operation: string; outer: Cancellation },
): Promise<LazyPages | undefined> {
  const start = performance.now();
  const { images, work } = await findDaemonPlace(operation, client, directories, undefined, outer);
  makeBlocking(operation, sourceFd);
  const memory = known ?? (await lazyMemoryIn(operation, images));
  if (!memory) return undefined;
  if (sourceFd === undefined && lacksPages(memory)) {
    const takes = 'the source of the lazy dump, because pages are missing from the images';
    throw invalid(operation, 'pageServer', takes, undefined);
  }
  const isInherited = (path: string) => directoryFd !== undefined && dirname(path) === images;
  const table = tableOf(memory, (path) =>
    isInherited(path) ? `/proc/self/fd/${IMAGES_FD}/${basename(path)}` : path,
  );
  outer.throwIfRequested();
  const path = lazyPagesDaemon();
  const [statusFd, daemonStatusFd] = native().pipe();
  const [tableFd, daemonTableFd] = native().streamPair(MAX_BUFFERED_BYTES);
  try {
    native().setBlocking(daemonTableFd);
    const child = await CriuChild.start({
      path,
      args: [
        ...[IMAGES_OPTION, images, '--work-dir', work],
        ...(sourceFd === undefined ? [] : ['--source']),
      ],
      inherited: [
        [STATUS_FD, daemonStatusFd],
        [TABLE_FD, daemonTableFd],
        ...(sourceFd === undefined ? [] : [[SOURCE_FD, sourceFd] as const]),
        ...(directoryFd === undefined ? [] : [[IMAGES_FD, directoryFd] as const]),
        ...(keepAliveFd === undefined ? [] : [[KEEP_ALIVE_FD, keepAliveFd] as const]),
      ],
    });
    const sent = sendTable(tableFd, table, onWaited);
    return new LazyPages({
      ...{ child, statusFd, start, limits: {}, pages: countLazyPages(memory) },
      onRestored: () => sent.end(),
      socketPath: join(work, SOCKET_NAME),
    });
  } catch (error) {
    for (const fd of [statusFd, tableFd]) native().close(fd);
    throw startFailure(operation, { path }, error);
  } finally {
    for (const fd of [daemonStatusFd, daemonTableFd]) native().close(fd);
  }
}

/** Sends the table on a socket whose end allows the daemon to deliver pages in the background. */
function sendTable(
  fd: number,
  table: Buffer,
  onWaited: OwnLazyPagesOptions['onWaited'] = () => {},
): Socket {
  native().release(fd);
  const socket = new Socket({ fd, readable: true, writable: true });
  // A daemon that has ended is reported by its exit.
  socket.on('error', () => {});
  const waited: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => void waited.push(chunk));
  socket.once('end', () => onWaited(numbersIn(Buffer.concat(waited))));
  socket.write(table);
  return socket.unref();
}

/** What has arrived whole. */
function numbersIn(bytes: Buffer): BigUint64Array {
  const whole = bytes.length - (bytes.length % (WAITED_NUMBERS * 8));
  return new BigUint64Array(new Uint8Array(bytes.subarray(0, whole)).buffer);
}

/**
 * How many ranges and bytes of paths; for each range, by pids and addresses, its struct page_range; the paths.
 * @param pathInDaemon the path of a file as the daemon is to open it
 */
function tableOf(memory: LazyMemory, pathInDaemon: (path: string) => string): Buffer {
  const paths = new Map<string, bigint>();
  let length = 0;
  const placeOf = (given: string) => {
    const path = pathInDaemon(given);
    const place = paths.get(path) ?? BigInt(length);
    if (!paths.has(path)) length += Buffer.byteLength(path) + 1;
    paths.set(path, place);
    return place;
  };
  const byPid = [...memory].sort(([one], [other]) => one - other);
  const ranges = byPid.flatMap(([pid, places]) =>
    places.flatMap((place) => [
      ...[pid, place.start, place.count].map(BigInt),
      ...(place.path === undefined ? [NO_FILE, 0n] : [placeOf(place.path), BigInt(place.offset)]),
      (place.isWiped ? WIPED : 0n) | (place.isFirst ? FIRST : 0n),
    ]),
  );
  const sizes = [ranges.length / NUMBERS, length].map(BigInt);
  const numbers = BigUint64Array.from([...sizes, ...ranges]);
  const names = [...paths.keys()].map((path) => `${path}\0`).join('');
  return Buffer.concat([new Uint8Array(numbers.buffer), Buffer.from(names)]);
}
