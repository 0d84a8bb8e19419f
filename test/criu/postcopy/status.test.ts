import { fstatSync } from 'node:fs';
import { open, readdir, stat, writeFile } from 'node:fs/promises';
import { connect, Socket } from 'node:net';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { CriuClientOptions, DumpOptions } from '../../../src/index.ts';
import { pipe } from '../../helpers/descriptors.ts';
import { children } from '../../helpers/own-resources.ts';
import { freePort, inProc, listensAt, ownAddress } from '../../helpers/sockets.ts';
import { client, isAlive, startCounter, temporaryDirectory } from '../../helpers/workload.ts';

test('statusFd gets one zero byte when criu is ready to serve pages, and is closed', async () => {
  const criu = client();
  const counter = await startCounter();
  const [imagesDirectory, whole] = [await temporaryDirectory(), await temporaryDirectory()];
  await criu.dump(counter.pid, { imagesDirectory: whole, leaveRunning: true });
  const [readEnd, writeEnd] = pipe();
  const said = readAll(readEnd);
  const pipeItself = fstatSync(writeEnd).ino;
  const { address, port, options } = await lazily();
  const others = await children();
  let ready = 0;
  let listening: string[] = [];
  const dump = criu.dump(counter.pid, {
    imagesDirectory,
    ...options,
    statusFd: writeEnd,
    hooks: {
      async statusReady() {
        ready++;
        listening = await listensAt(await theOneBeside(others));
      },
    },
  });
  const [byte] = await Promise.all([said.all, Promise.race([said.first, dump])]);
  expect(byte).toEqual(Buffer.of(0));
  expect(isOpenOn(writeEnd, pipeItself)).toBe(false);
  // The process is frozen as long as criu serves.
  const before = await counter.count();
  expect(await isAlive(counter.pid)).toBe(true);

  // CRIU takes the end of the connection for the end of the transfer.
  const fetcher = connect({ host: address, port }).end();
  onTestFinished(() => void fetcher.destroy());
  await dump;
  await counter.ended;
  expect(ready).toBe(1);
  expect(listening).toEqual([inProc(address, port)]);
  expect(await counter.count()).toBe(before);
  // Pages that can be fetched later are not in the images.
  expect(await sizeOfPages(imagesDirectory)).toBeLessThan(await sizeOfPages(whole));
});

test('a dump can be aborted while it waits for a destination, and its process runs on', async () => {
  const criu = client();
  const counter = await startCounter();
  const [readEnd, writeEnd] = pipe();
  const said = readAll(readEnd);
  const controller = new AbortController();
  const reason = new Error('nobody came');
  const dump = criu.dump(counter.pid, {
    imagesDirectory: await temporaryDirectory(),
    ...(await lazily()).options,
    statusFd: writeEnd,
    signal: controller.signal,
    gracePeriodMs: 50,
    hooks: {
      statusReady() {
        // CRIU waits for a connection then, and sends no notification that could be refused.
        setTimeout(() => controller.abort(reason), 100);
      },
    },
  });
  await expect(dump).rejects.toMatchObject({
    code: 'ERR_CRIU_ABORTED',
    cause: reason,
    cancelled: 'killed',
    workload: 'running',
  });
  expect(await said.all).toEqual(Buffer.of(0));
  await counter.countsOn();
});

test('a hook can refuse the dump when criu is ready to serve pages, and its process runs on', async () => {
  const counter = await startCounter();
  const cause = new Error('not today');
  const dump = client().dump(counter.pid, {
    imagesDirectory: await temporaryDirectory(),
    ...(await lazily()).options,
    hooks: {
      statusReady() {
        throw cause;
      },
    },
  });
  await expect(dump).rejects.toMatchObject({ code: 'ERR_CRIU_HOOK', cause, workload: 'running' });
  await counter.countsOn();
});

test('statusFd is closed without a byte if the dump fails before anything is ready', async () => {
  const counter = await startCounter();
  const [readEnd, writeEnd] = pipe();
  const said = readAll(readEnd);
  const pipeItself = fstatSync(writeEnd).ino;
  const dump = client().dump(counter.pid, {
    imagesDirectory: await temporaryDirectory(),
    ...(await lazily()).options,
    statusFd: writeEnd,
    hooks: {
      queryExtFiles() {
        throw new Error('not today');
      },
    },
  });
  await expect(dump).rejects.toMatchObject({ code: 'ERR_CRIU_HOOK', workload: 'running' });
  expect(await said.all).toEqual(Buffer.alloc(0));
  expect(isOpenOn(writeEnd, pipeItself)).toBe(false);
  await counter.countsOn();
});

test.each<[string, string, CriuClientOptions, DumpOptions]>([
  ['there is no criu', 'ERR_CRIU_NOT_FOUND', { path: '/no/such/criu' }, {}],
  ['it is aborted already', 'ERR_CRIU_ABORTED', {}, { signal: AbortSignal.abort() }],
  [
    'there is no place for the images',
    'ERR_CRIU_INVALID_ARGUMENT',
    {},
    { imagesDirectory: '/dev/null/images' },
  ],
])('statusFd is closed without a byte if %s', async (_why, code, options, given) => {
  const [readEnd, writeEnd] = pipe();
  const said = readAll(readEnd);
  const dump = client(options).dump(process.pid, {
    imagesDirectory: await temporaryDirectory(),
    lazyPages: true,
    insecure: true,
    statusFd: writeEnd,
    ...given,
  });
  await expect(dump).rejects.toMatchObject({ code });
  expect(await said.all).toEqual(Buffer.alloc(0));
});

test.each([
  {
    what: 'is open for reading only',
    descriptor: async () => pipe()[0],
    also: { lazyPages: true, insecure: true },
    takes: 'open for writing',
  },
  {
    what: 'is closed',
    descriptor: async () => {
      const file = await open('/dev/null', 'w');
      const { fd } = file;
      await file.close();
      return fd;
    },
    also: { lazyPages: true, insecure: true },
    takes: 'open',
  },
  {
    what: 'comes without lazyPages',
    descriptor: async () => pipe()[1],
    also: {},
    takes: 'lazyPages: true',
  },
])(
  'a statusFd that $what is refused before anything starts',
  async ({ descriptor, also, takes }) => {
    const counter = await startCounter();
    const before = await children();
    const imagesDirectory = await temporaryDirectory();
    const dump = client().dump(counter.pid, {
      imagesDirectory,
      pageServer: { address: ownAddress, port: await freePort(ownAddress) },
      ...also,
      statusFd: await descriptor(),
    });
    await expect(dump).rejects.toMatchObject({
      code: 'ERR_CRIU_INVALID_ARGUMENT',
      option: 'statusFd',
      message: expect.stringContaining(takes),
    });
    expect(await children()).toEqual(before);
    expect(await readdir(imagesDirectory)).toEqual([]);
    await counter.countsOn();
  },
);

interface Served {
  readonly address: string;
  readonly port: number;
  readonly options: Pick<DumpOptions, 'lazyPages' | 'insecure' | 'pageServer' | 'configFile'>;
}

/** Options of a lazy dump that serves its pages at an address of its own. */
async function lazily(): Promise<Served> {
  const [address, port] = [ownAddress, await freePort(ownAddress)];
  // CRIU ignores the address in the request, and would listen on every address.
  const configFile = join(await temporaryDirectory(), 'criu.conf');
  await writeFile(configFile, `address ${address}\n`);
  const pageServer = { address, port };
  return { address, port, options: { lazyPages: true, insecure: true, pageServer, configFile } };
}

async function sizeOfPages(directory: string): Promise<number> {
  return (await stat(join(directory, 'pages-1.img'))).size;
}

/** Reads a pipe until all of its write ends are closed. */
function readAll(fd: number): { first: Promise<void>; all: Promise<Buffer> } {
  const socket = new Socket({ fd, readable: true, writable: false });
  onTestFinished(() => void socket.destroy());
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  return {
    first: new Promise((resolve) => {
      socket.once('data', () => resolve());
    }),
    all: new Promise((resolve) => {
      socket.once('end', () => resolve(Buffer.concat(chunks)));
    }),
  };
}

/** True if a descriptor of this process is open on the file. */
function isOpenOn(fd: number, inode: number): boolean {
  try {
    return fstatSync(fd).ino === inode;
  } catch {
    return false;
  }
}

/** The only child of this process that is not among these. */
async function theOneBeside(others: readonly number[]): Promise<number> {
  const [pid, ...more] = (await children()).filter((child) => !others.includes(child));
  if (pid === undefined || more.length > 0) throw new Error('it is not one');
  return pid;
}
