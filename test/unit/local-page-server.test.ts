import { writeFile } from 'node:fs/promises';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { finished } from 'node:stream/promises';
import { expect, test } from 'vitest';
import type { StoredPages } from '../../src/images/page-chain.ts';
import { LocalPageServer } from '../../src/migration/destination/local-page-server.ts';
import { native } from '../../src/native/index.ts';
import {
  addMessage,
  commandOf,
  endMessage,
  MAX_BUFFERED_BYTES,
  MESSAGE_SIZE,
  requestedPages,
} from '../../src/postcopy/page-protocol.ts';
import { duplicateFd } from '../../src/process/duplicate-fd.ts';
import { temporaryDirectory } from '../helpers/workload.ts';

const PAGE = 4096;
const GET = 7;
const PRESENT = 4;

/** A server, and what its daemon asks and gets. */
async function startServer(
  stored: ReadonlyMap<number, readonly StoredPages[]>,
  { sourceFd, limitMs = 60_000 }: { readonly sourceFd?: number; readonly limitMs?: number } = {},
) {
  const server = new LocalPageServer(stored, limitMs, sourceFd);
  const fd = await server.criuFd.use(async (own) => duplicateFd(own));
  server[Symbol.dispose]();
  native().release(fd);
  const daemon = new Socket({ fd, readable: true, writable: true });
  const bytes = daemon[Symbol.asyncIterator]();
  let rest = Buffer.alloc(0);
  const read = async (size: number) => {
    while (rest.length < size) {
      const { value, done } = await bytes.next();
      if (done) break;
      rest = Buffer.concat([rest, value]);
    }
    const taken = rest.subarray(0, size);
    rest = rest.subarray(size);
    return taken;
  };
  const get = async (pid: number, page: number, count: number) => {
    const request = addMessage(pid, [page * PAGE, count, 0]);
    request.writeUInt32LE(GET, 0);
    daemon.write(request);
    const header = await read(MESSAGE_SIZE);
    if (header.length < MESSAGE_SIZE) return undefined;
    const answered = Number(header.readBigUInt64LE(8));
    expect(header).toEqual(addMessage(pid, [page * PAGE, answered, PRESENT]));
    const pages = await read(answered * PAGE);
    return Array.from(Array(answered), (_, index) => pages[index * PAGE]);
  };
  return { server, daemon, read, get };
}

/** Writes a file of pages, each filled with its number. */
async function pagesFile(directory: string, name: string, ...numbers: readonly number[]) {
  const path = join(directory, name);
  await writeFile(path, Buffer.concat(numbers.map((number) => Buffer.alloc(PAGE, number))));
  return path;
}

test('pages come from the files of all rounds, and the end is answered', async () => {
  const directory = await temporaryDirectory();
  const one = await pagesFile(directory, 'pages-1.img', 0, 1, 2, 3);
  const two = await pagesFile(directory, 'pages-2.img', 4, 5);
  const { server, daemon, read, get } = await startServer(
    new Map([
      [9, [{ start: 10 * PAGE, count: 2, path: two, offset: 0 }]],
      [
        7,
        [
          { start: 10 * PAGE, count: 3, path: one, offset: PAGE },
          { start: 13 * PAGE, count: 1, path: two, offset: PAGE },
        ],
      ],
    ]),
  );
  expect(await get(7, 11, 1)).toEqual([2]);
  // What follows is in another file: the daemon asks again.
  expect(await get(7, 11, 3)).toEqual([2, 3]);
  expect(await get(7, 13, 1)).toEqual([5]);
  expect(await get(9, 10, 2)).toEqual([4, 5]);
  daemon.write(endMessage());
  expect((await read(4)).readInt32LE()).toBe(0);
  expect(await server.ended).toBe('');
});

test.each([
  ['that no file has', 12, 'find a page: No data available'],
  ['of a file that is gone', 10, 'open /nowhere/pages-1.img: No such file or directory'],
] as const)('a page %s ends the server with a reason', async (_what, page, reason) => {
  const stored = { start: 10 * PAGE, count: 2, path: '/nowhere/pages-1.img', offset: 0 };
  const { server, get } = await startServer(new Map([[7, [stored]]]));
  expect(await get(7, page, 1)).toBeUndefined();
  expect(await server.ended).toBe(reason);
});

test('pages that no file has come from the source of a lazy dump', async () => {
  const path = await pagesFile(await temporaryDirectory(), 'pages-1.img', 1);
  const [localFd, sourceFd] = native().streamPair(MAX_BUFFERED_BYTES);
  native().release(localFd);
  const source = new Socket({ fd: localFd, readable: true, writable: true });
  const stored = { start: 10 * PAGE, count: 1, path, offset: 0 };
  const { server, daemon, read, get } = await startServer(new Map([[7, [stored]]]), { sourceFd });
  native().close(sourceFd);
  const asked: Buffer[] = [];
  source.on('data', (request) => {
    asked.push(request);
    if (commandOf(request) !== 'get') return;
    // A source may answer with fewer pages.
    const { pid, start } = requestedPages(request);
    source.write(Buffer.concat([addMessage(pid, [start, 2, PRESENT]), Buffer.alloc(2 * PAGE, 5)]));
  });
  expect(await get(7, 11, 3)).toEqual([5, 5]);
  expect(await get(7, 10, 1)).toEqual([1]);
  daemon.write(endMessage());
  expect((await read(4)).readInt32LE()).toBe(0);
  expect(await server.ended).toBe('');
  await finished(source.end());
  expect(asked.map(commandOf)).toEqual(['get', 'close']);
});

test('a daemon that asks for nothing once the copy runs ends the server with a reason', async () => {
  const { server, daemon } = await startServer(new Map(), { limitMs: 1 });
  expect(await server.ended).toBe('the lazy-pages daemon has asked for no page for 1 ms');
  daemon.destroy();
});

test('a daemon that asks for the same pages again and again ends the server with a reason', async () => {
  const numbers = Array.from({ length: 256 }, (_, page) => page);
  const path = await pagesFile(await temporaryDirectory(), 'pages-1.img', ...numbers);
  const stored = { start: 10 * PAGE, count: numbers.length, path, offset: 0 };
  const { server, get } = await startServer(new Map([[7, [stored]]]));
  let answers = 0;
  while (await get(7, 10, numbers.length)) answers++;
  // All pages twice, and 256 MiB.
  expect(answers).toBe(2 + 256);
  expect(await server.ended).toBe('the lazy-pages daemon asks for the same pages again and again');
});
