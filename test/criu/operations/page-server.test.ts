import { readdir, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { PageServer } from '../../../src/index.ts';
import { children, childrenSince } from '../../helpers/own-resources.ts';
import {
  connection,
  freePort,
  inProc,
  listening,
  listensAt,
  ownAddress,
} from '../../helpers/sockets.ts';
import {
  client,
  isAlive,
  killAfterTest,
  processState,
  startCounter,
  temporaryDirectory,
  waitFor,
  waitGone,
} from '../../helpers/workload.ts';

const GONE = 'SIGTERM';

test('a page server listens on the loopback address alone, on a port that the kernel chose', async () => {
  const server = await client().pageServer({ imagesDirectory: await temporaryDirectory() });
  expect(server.address).toBe('127.0.0.1');
  expect(server.port).toBeGreaterThan(1023);
  expect(await listensAt(server.pid)).toEqual([inProc('127.0.0.1', server.port ?? 0)]);
});

test('a page server listens on the given address and port', async () => {
  const port = await freePort(ownAddress);
  const server = await client().pageServer({
    imagesDirectory: await temporaryDirectory(),
    pageServer: { address: ownAddress, port },
  });
  expect(server).toMatchObject({ address: ownAddress, port });
  expect(await listensAt(server.pid)).toEqual([inProc(ownAddress, port)]);
});

test('the pages of a dump go to the server, and with the other images they restore', async () => {
  const criu = client();
  const counter = await startCounter();
  const [here, there] = [await temporaryDirectory(), await temporaryDirectory()];
  const server = await criu.pageServer({ imagesDirectory: there });
  const criuOfServer = await parentOf(server.pid);

  await criu.dump(counter.pid, { imagesDirectory: here, pageServer: addressOf(server) });
  expect(await server.exited).toEqual({ code: 0, signal: null });
  await counter.ended;
  await waitGone(server.pid);
  await waitGone(criuOfServer);

  const ofMemory = [`pagemap-${counter.pid}.img`, expect.stringMatching(/^pages-\d+\.img$/)];
  expect(await images(there)).toEqual(ofMemory);
  expect((await images(here)).filter((name) => /^page/.test(name))).toEqual([]);
  await bringTogether(here, there);
  await criu.restore({ imagesDirectory: there });
  await counter.countsOn();
  const numbers = await counter.numbers();
  expect(numbers).toEqual(numbers.map((_, index) => index + 1));
});

test('dump and page server meet on the two ends of a connected socket', async () => {
  const criu = client();
  const counter = await startCounter();
  const [here, there] = [await temporaryDirectory(), await temporaryDirectory()];
  const [near, far] = await connection();
  const server = await criu.pageServer({ imagesDirectory: there, pageServer: { fd: far } });
  expect(server).toMatchObject({ address: undefined, port: undefined });
  expect(await listensAt(server.pid)).toEqual([]);

  await criu.dump(counter.pid, { imagesDirectory: here, pageServer: { fd: near } });
  expect(await server.exited).toEqual({ code: 0, signal: null });
  await counter.ended;

  expect(await images(there)).toContain(`pagemap-${counter.pid}.img`);
  await bringTogether(here, there);
  await criu.restore({ imagesDirectory: there });
  await counter.countsOn();
});

test('the images that a page server writes can be read by their owner alone', async () => {
  const criu = client();
  const counter = await startCounter();
  const there = join(await temporaryDirectory(), 'made', 'by', 'the', 'server');
  const server = await criu.pageServer({ imagesDirectory: there });
  await criu.dump(counter.pid, {
    imagesDirectory: await temporaryDirectory(),
    pageServer: addressOf(server),
    leaveRunning: true,
  });
  await server.exited;
  expect(await modes(there)).toEqual(new Set(['600']));
  expect(await modes(join(there, '..'))).toEqual(new Set(['700']));
});

test('the error names a port that is in use', async () => {
  const { port } = await listening();
  const before = await children();
  const failure = client().pageServer({
    imagesDirectory: await temporaryDirectory(),
    pageServer: { port },
  });
  await expect(failure).rejects.toMatchObject({
    code: 'ERR_CRIU_FAILED',
    operation: 'pageServer',
    message: expect.stringMatching(/bind.*Address already in use/),
    log: { errors: expect.arrayContaining([expect.stringContaining('Address already in use')]) },
  });
  expect(await childrenSince(before)).toEqual([]);
});

test('the error names an address that does not belong to this host', async () => {
  const failure = client().pageServer({
    imagesDirectory: await temporaryDirectory(),
    pageServer: { address: '192.0.2.1' },
  });
  await expect(failure).rejects.toMatchObject({
    code: 'ERR_CRIU_FAILED',
    message: expect.stringMatching(/Cannot assign requested address/),
  });
});

test('closing an unused page server ends it and its criu', async () => {
  const server = await client().pageServer({ imagesDirectory: await temporaryDirectory() });
  const criuOfServer = await parentOf(server.pid);
  expect(await children()).toContain(criuOfServer);

  await server.close();
  expect(await processState(server.pid)).toBeUndefined();
  expect(await processState(criuOfServer)).toBeUndefined();
  expect(await server.exited).toEqual({ code: null, signal: GONE });
});

test('a page server whose criu is killed can still be closed', async () => {
  const server = await client().pageServer({ imagesDirectory: await temporaryDirectory() });
  killAfterTest(server.pid);
  const criuOfServer = await parentOf(server.pid);
  process.kill(criuOfServer, 'SIGKILL');
  await waitGone(criuOfServer);
  expect(await isAlive(server.pid)).toBe(true);
  await server.close();
  // Another process reaps it now.
  expect(await isAlive(server.pid)).toBe(false);
  expect(await server.exited).toEqual({ code: null, signal: null });
});

test('a page server that is stopped is closed by force', async () => {
  const criu = client();
  const server = await criu.pageServer({ imagesDirectory: await temporaryDirectory() });
  process.kill(server.pid, 'SIGSTOP');
  await waitFor(async () => (await processState(server.pid)) === 'T', 'it is stopped');
  await server.close();
  expect(await server.exited).toEqual({ code: null, signal: 'SIGKILL' });
});

test('a page server can be closed twice, concurrently and in sequence', async () => {
  const server = await client().pageServer({ imagesDirectory: await temporaryDirectory() });
  await Promise.all([server.close(), server.close()]);
  await server.close();
  expect(await server.exited).toEqual({ code: null, signal: GONE });
});

test('closing a page server that has served changes nothing', async () => {
  const criu = client();
  const counter = await startCounter();
  const server = await criu.pageServer({ imagesDirectory: await temporaryDirectory() });
  await criu.dump(counter.pid, {
    imagesDirectory: await temporaryDirectory(),
    pageServer: addressOf(server),
    leaveRunning: true,
  });
  await server.exited;
  await server.close();
  expect(await server.exited).toEqual({ code: 0, signal: null });
});

test.each([
  { how: 'is closed', end: (server: PageServer) => server.close(), signal: GONE },
  {
    how: 'is killed',
    end: async (server: PageServer) => {
      process.kill(server.pid, 'SIGKILL');
      await server.exited;
    },
    signal: 'SIGKILL',
  },
])(
  'a dump fails and its process runs on if the page server $how meanwhile',
  async ({ end, signal }) => {
    const criu = client();
    const counter = await startCounter();
    const server = await criu.pageServer({ imagesDirectory: await temporaryDirectory() });
    const dump = criu.dump(counter.pid, {
      imagesDirectory: await temporaryDirectory(),
      pageServer: addressOf(server),
      // The dump is connected by now, and has sent nothing.
      hooks: {
        async queryExtFiles() {
          await end(server);
          return [];
        },
      },
    });
    await expect(dump).rejects.toMatchObject({
      code: 'ERR_CRIU_FAILED',
      workload: 'running',
      pid: counter.pid,
      message: expect.stringMatching(/page|socket|Broken pipe|reset/i),
    });
    expect(await server.exited).toEqual({ code: null, signal });
    await counter.countsOn();
  },
);

test('a dump to a port without a listener fails, and the process continues', async () => {
  const counter = await startCounter();
  const port = await freePort(ownAddress);
  const dump = client().dump(counter.pid, {
    imagesDirectory: await temporaryDirectory(),
    pageServer: { address: ownAddress, port },
  });
  await expect(dump).rejects.toMatchObject({
    code: 'ERR_CRIU_FAILED',
    workload: 'running',
    message: expect.stringContaining(`is there no page server at ${ownAddress}:${port}?`),
  });
  await counter.countsOn();
});

test('a dump needs the address of its page server: the port alone is refused', async () => {
  const counter = await startCounter();
  const before = await children();
  const dump = client().dump(counter.pid, {
    imagesDirectory: await temporaryDirectory(),
    pageServer: { port: await freePort(ownAddress) },
  });
  await expect(dump).rejects.toMatchObject({
    code: 'ERR_CRIU_INVALID_ARGUMENT',
    option: 'pageServer',
    message: expect.stringContaining('address'),
  });
  expect(await childrenSince(before)).toEqual([]);
});

test('a dump that fails closes the connection to its page server, which exits with code 0', async () => {
  const criu = client();
  const counter = await startCounter();
  const server = await criu.pageServer({ imagesDirectory: await temporaryDirectory() });
  const cause = new Error('not today');
  const dump = criu.dump(counter.pid, {
    imagesDirectory: await temporaryDirectory(),
    pageServer: addressOf(server),
    hooks: {
      queryExtFiles() {
        throw cause;
      },
    },
  });
  await expect(dump).rejects.toMatchObject({ code: 'ERR_CRIU_HOOK', cause, workload: 'running' });
  expect(await server.exited).toEqual({ code: 0, signal: null });
  await counter.countsOn();
});

test('a page server whose dump is killed exits with a failure, and its log says why', async () => {
  const criu = client();
  const counter = await startCounter();
  const server = await criu.pageServer({ imagesDirectory: await temporaryDirectory() });
  const others = await children();
  const dump = criu.dump(counter.pid, {
    imagesDirectory: await temporaryDirectory(),
    pageServer: addressOf(server),
    hooks: {
      async queryExtFiles() {
        for (const pid of await children()) {
          if (!others.includes(pid)) process.kill(pid, 'SIGKILL');
        }
        return [];
      },
    },
  });
  await expect(dump).rejects.toMatchObject({
    code: 'ERR_CRIU_EOF',
    exit: { code: null, signal: 'SIGKILL' },
    workload: 'running',
  });
  const { code } = await server.exited;
  expect(code).toBeGreaterThan(0);
  expect((await server.log())?.errors).toContainEqual(
    expect.stringContaining('data were not flushed'),
  );
  await counter.countsOn();
});

test('the log of a page server is in its work directory and can be read while it grows', async () => {
  const criu = client();
  const counter = await startCounter();
  const workDirectory = await temporaryDirectory();
  const server = await criu.pageServer({
    imagesDirectory: await temporaryDirectory(),
    workDirectory,
    logFile: 'pages.log',
    logLevel: 4,
  });
  await criu.dump(counter.pid, {
    imagesDirectory: await temporaryDirectory(),
    pageServer: addressOf(server),
    leaveRunning: true,
  });
  await server.exited;
  const path = join(workDirectory, 'pages.log');
  expect(await server.log()).toEqual({ path, errors: [] });
  expect(await readFile(path, 'utf8')).toMatch(/Accepted connection from 127\.0\.0\.1:\d+/);
});

test('leaving the scope of a page server ends it', async () => {
  let pid: number;
  {
    await using server = await client().pageServer({ imagesDirectory: await temporaryDirectory() });
    pid = server.pid;
    expect(await isAlive(pid)).toBe(true);
  }
  expect(await processState(pid)).toBeUndefined();
});

test('closing the client ends its page servers', async () => {
  const criu = client();
  const servers = [
    await criu.pageServer({ imagesDirectory: await temporaryDirectory() }),
    await criu.pageServer({ imagesDirectory: await temporaryDirectory() }),
  ];
  await criu.close();
  for (const { pid, exited } of servers) {
    expect(await processState(pid)).toBeUndefined();
    expect(await exited).toEqual({ code: null, signal: GONE });
  }
  await expect(
    criu.pageServer({ imagesDirectory: await temporaryDirectory() }),
  ).rejects.toMatchObject({ code: 'ERR_CRIU_CLOSED' });
});

test('a page server outlives the signal that could have stopped its start', async () => {
  const controller = new AbortController();
  const server = await client().pageServer({
    imagesDirectory: await temporaryDirectory(),
    signal: controller.signal,
  });
  controller.abort();
  expect(await isAlive(server.pid)).toBe(true);
  expect(await listensAt(server.pid)).toHaveLength(1);
});

test('a page server whose signal is already aborted is not started', async () => {
  const before = await children();
  const reason = new Error('changed my mind');
  const failure = client().pageServer({
    imagesDirectory: await temporaryDirectory(),
    signal: AbortSignal.abort(reason),
  });
  await expect(failure).rejects.toMatchObject({ code: 'ERR_CRIU_ABORTED', cause: reason });
  expect(await childrenSince(before)).toEqual([]);
});

test('two page servers take the dumps of two processes at the same time', async () => {
  const criu = client();
  const dumped = await Promise.all(
    [1, 2].map(async () => {
      const counter = await startCounter();
      const [here, there] = [await temporaryDirectory(), await temporaryDirectory()];
      const server = await criu.pageServer({ imagesDirectory: there });
      await criu.dump(counter.pid, { imagesDirectory: here, pageServer: addressOf(server) });
      await Promise.all([server.exited, counter.ended]);
      expect(await images(there)).toContain(`pagemap-${counter.pid}.img`);
      await bringTogether(here, there);
      return { counter, there };
    }),
  );
  for (const { counter, there } of dumped) {
    await criu.restore({ imagesDirectory: there });
    await counter.countsOn();
  }
});

/** Where a dump finds a page server. */
function addressOf({ address, port }: PageServer): { address: string; port: number } {
  if (address === undefined || port === undefined) throw new Error('it does not listen');
  return { address, port };
}

/** The image files of a directory, in order, without log, statistics and inventory. */
async function images(directory: string): Promise<string[]> {
  return (await readdir(directory)).filter((name) => name.endsWith('.img')).sort();
}

/** Moves the images of a dump to those that its page server has written. */
async function bringTogether(from: string, to: string): Promise<void> {
  for (const name of await images(from)) await rename(join(from, name), join(to, name));
}

async function parentOf(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(/^PPid:\s*(\d+)$/m.exec(status)?.[1]);
}

/** The permissions of all that is in a directory. */
async function modes(directory: string): Promise<Set<string>> {
  const entries = await readdir(directory);
  const found = await Promise.all(
    entries.map(async (name) => (await stat(join(directory, name))).mode & 0o777),
  );
  return new Set(found.map((mode) => mode.toString(8)));
}
