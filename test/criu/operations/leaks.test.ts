import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { criuPath } from '../../../scripts/criu-path.mjs';
import { Criu, type CriuErrorCode } from '../../../src/index.ts';
import { holdings } from '../../helpers/own-resources.ts';
import { sample } from '../../helpers/sample.ts';
import { freePort, listening, ownAddress } from '../../helpers/sockets.ts';
import {
  type Counter,
  client,
  isAlive,
  startCounter,
  temporaryDirectory,
} from '../../helpers/workload.ts';

const REQUESTS = sample('requests that leave nothing behind', 200, 50);
const DUMPS = sample('consecutive dumps that leave nothing behind', 40, 10);
const TOGETHER = sample('concurrent dumps that leave nothing behind', 20, 8);

beforeAll(async () => {
  // Lets the library and its dependencies open what they keep open.
  await new Criu({ path: criuPath() }).version();
});

test('consecutive requests leave no descriptor and no child behind', async () => {
  const criu = client();
  const before = await holdings();
  const answers = new Set<number>();
  for (let round = 0; round < REQUESTS; round++) answers.add((await criu.version()).number);
  expect(answers.size).toBe(1);
  expect(await holdings()).toEqual(before);
});

test('concurrent requests leave no descriptor and no child behind', async () => {
  const criu = client();
  const before = await holdings();
  const answers = await Promise.all(Array.from({ length: REQUESTS }, () => criu.version()));
  expect(new Set(answers.map(({ number }) => number)).size).toBe(1);
  expect(await holdings()).toEqual(before);
});

test('consecutive dumps leave no descriptor and no child behind', async () => {
  const criu = client();
  const counter = await startCounter();
  const imagesDirectory = await temporaryDirectory();
  const before = await holdings();
  for (let round = 0; round < DUMPS; round++) {
    const options = { imagesDirectory, overwrite: true, leaveRunning: true };
    const { stats } = await criu.dump(counter.pid, options);
    expect(stats.pagesWritten).toBeGreaterThan(10);
  }
  expect(await holdings()).toEqual(before);
  await counter.countsOn();
});

test('concurrent dumps and restores leave no descriptor and no child behind', async () => {
  const criu = client();
  const idle = await holdings();
  const counters = await Promise.all(Array.from({ length: TOGETHER }, () => startCounter()));
  const directories = await Promise.all(counters.map(() => temporaryDirectory()));
  await Promise.all(
    counters.map(async ({ pid, ended }, index) => {
      await criu.dump(pid, { imagesDirectory: directories[index] ?? '' });
      await ended;
    }),
  );
  expect(await holdings()).toEqual(idle);

  const restored = await Promise.all(
    directories.map((imagesDirectory) => criu.restore({ imagesDirectory, asChild: true })),
  );
  expect((await holdings()).children).toHaveLength(idle.children.length + TOGETHER);
  await Promise.all(counters.map(({ countsOn }) => countsOn()));
  for (const child of restored) {
    child.kill('SIGKILL');
    expect(await child.exited).toEqual({ code: null, signal: 'SIGKILL' });
  }
  expect(await holdings()).toEqual(idle);
});

test('concurrent dumps of different processes, with leaveRunning, leave nothing behind', async () => {
  const criu = client();
  const counters = await Promise.all(Array.from({ length: TOGETHER }, () => startCounter()));
  const directories = await Promise.all(counters.map(() => temporaryDirectory()));
  const before = await holdings();
  const results = await Promise.all(
    counters.map(({ pid }, index) =>
      criu.dump(pid, { imagesDirectory: directories[index] ?? '', leaveRunning: true }),
    ),
  );
  expect(results.map(({ pid }) => pid)).toEqual(counters.map(({ pid }) => pid));
  expect(await holdings()).toEqual(before);
  await Promise.all(counters.map(({ countsOn }) => countsOn()));
});

test('closed sessions and page servers leave nothing behind', async () => {
  const criu = client();
  const imagesDirectory = await temporaryDirectory();
  const before = await holdings();
  for (let round = 0; round < 10; round++) {
    await using session = await criu.session();
    await session.request({ type: 'VERSION', keep_open: true });
    await using server = await criu.pageServer({ imagesDirectory });
    expect(await isAlive(server.pid)).toBe(true);
  }
  expect(await holdings()).toEqual(before);
});

test('the standard error of criu is closed once, also if a child of criu keeps it open longer', async () => {
  const directory = await temporaryDirectory();
  const before = await holdings();
  const path = await program(directory, '#!/bin/sh\nsleep 0.4 &\nsleep 0.2\nexit 3\n');
  const rejections: unknown[] = [];
  const record = (reason: unknown) => void rejections.push(reason);
  process.on('unhandledRejection', record);
  onTestFinished(() => void process.off('unhandledRejection', record));
  const session = await new Criu({ path }).session();
  // The event loop watches both by now. When it polls again, criu has ended first, and its standard
  // error after it.
  await turnOfTheLoop();
  await turnOfTheLoop();
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 800);
  expect(await session.exited).toEqual({ code: 3, signal: null });
  await session.close();
  await turnOfTheLoop();
  expect(rejections).toEqual([]);
  expect(await holdings()).toEqual(before);
});

/** An operation that fails, and the code of its error. */
interface Failure {
  readonly how: string;
  readonly code: CriuErrorCode;
  fail(criu: Criu, counter: Counter, directory: string): Promise<unknown>;
}

const failures: readonly Failure[] = [
  {
    how: 'images that cannot be written',
    code: 'ERR_CRIU_INVALID_ARGUMENT',
    fail: (criu, { pid }) => criu.dump(pid, { imagesDirectory: '/dev/null/images' }),
  },
  {
    how: 'images that are missing',
    code: 'ERR_CRIU_INVALID_ARGUMENT',
    fail: (criu, _, directory) => criu.restore({ imagesDirectory: join(directory, 'none') }),
  },
  {
    how: 'a work directory that cannot be made',
    code: 'ERR_CRIU_INVALID_ARGUMENT',
    fail: (criu, { pid }, imagesDirectory) =>
      criu.dump(pid, { imagesDirectory, workDirectory: '/dev/null/work' }),
  },
  {
    how: 'images of which there are none',
    code: 'ERR_CRIU_FAILED',
    fail: (criu, _, imagesDirectory) => criu.restore({ imagesDirectory }),
  },
  {
    how: 'a process that is none',
    code: 'ERR_CRIU_NO_SUCH_PROCESS',
    fail: (criu, _, imagesDirectory) => criu.dump(0x7fffffff, { imagesDirectory }),
  },
  {
    how: 'a page server that is none',
    code: 'ERR_CRIU_FAILED',
    fail: async (criu, { pid }, imagesDirectory) => {
      const pageServer = { address: ownAddress, port: await freePort(ownAddress) };
      await criu.dump(pid, { imagesDirectory, pageServer });
    },
  },
  {
    how: 'a hook that throws early',
    code: 'ERR_CRIU_HOOK',
    fail: (criu, { pid }, imagesDirectory) =>
      criu.dump(pid, { imagesDirectory, hooks: { preDump: refuse } }),
  },
  {
    how: 'a hook that throws late',
    code: 'ERR_CRIU_HOOK',
    fail: (criu, { pid }, imagesDirectory) =>
      criu.dump(pid, { imagesDirectory, hooks: { postDump: refuse } }),
  },
  {
    how: 'a signal that has come before',
    code: 'ERR_CRIU_ABORTED',
    fail: (criu, { pid }, imagesDirectory) =>
      criu.dump(pid, { imagesDirectory, signal: AbortSignal.abort() }),
  },
  {
    how: 'a signal while frozen',
    code: 'ERR_CRIU_ABORTED',
    fail: (criu, { pid }, imagesDirectory) => {
      const controller = new AbortController();
      const hooks = {
        async queryExtFiles() {
          controller.abort();
          return await new Promise<never>(() => {});
        },
      };
      return criu.dump(pid, { imagesDirectory, signal: controller.signal, hooks });
    },
  },
  {
    how: 'a deadline',
    code: 'ERR_CRIU_TIMEOUT',
    fail: (criu, { pid }, imagesDirectory) =>
      criu.dump(pid, {
        imagesDirectory,
        deadlineMs: 30,
        hooks: { postDump: () => new Promise(() => {}) },
      }),
  },
  {
    how: 'a criu that is killed',
    code: 'ERR_CRIU_EOF',
    fail: async (criu, { pid }, imagesDirectory) => {
      const others = (await holdings()).children;
      await criu.dump(pid, {
        imagesDirectory,
        hooks: {
          async queryExtFiles() {
            const all = (await holdings()).children;
            for (const child of all) if (!others.includes(child)) process.kill(child, 'SIGKILL');
            return [];
          },
        },
      });
    },
  },
  {
    how: 'a page server whose port is taken',
    code: 'ERR_CRIU_FAILED',
    fail: async (criu, _, imagesDirectory) => {
      const { server, port } = await listening();
      try {
        await criu.pageServer({ imagesDirectory, pageServer: { port } });
      } finally {
        await new Promise((resolve) => server.close(resolve));
      }
    },
  },
  {
    how: 'a session whose criu crashes',
    code: 'ERR_CRIU_EOF',
    fail: async (criu) => {
      await using session = await criu.session();
      await session.request({ type: 'DUMP' });
    },
  },
  {
    how: 'a program that is not there',
    code: 'ERR_CRIU_NOT_FOUND',
    fail: (_, __, directory) => new Criu({ path: join(directory, 'none') }).version(),
  },
  {
    how: 'a program that may not be run',
    code: 'ERR_CRIU_NO_PERMISSION',
    fail: async (_, __, directory) =>
      new Criu({ path: await program(directory, '#!/bin/sh\n', 0o600) }).version(),
  },
  {
    how: 'a program whose interpreter is missing (exec: ENOENT)',
    code: 'ERR_CRIU_NOT_FOUND',
    fail: async (_, __, directory) =>
      new Criu({ path: await program(directory, '#!/no/such/shell\n') }).version(),
  },
  {
    how: 'a program whose interpreter is a directory (exec: EACCES)',
    code: 'ERR_CRIU_NO_PERMISSION',
    fail: async (_, __, directory) =>
      new Criu({ path: await program(directory, `#!${directory}\n`) }).version(),
  },
  {
    how: 'a program that is none (exec: ENOEXEC)',
    code: 'ERR_CRIU_NOT_CRIU',
    fail: async (_, __, directory) =>
      new Criu({ path: await program(directory, 'criu?') }).version(),
  },
  {
    how: 'a program that is no criu',
    code: 'ERR_CRIU_NOT_CRIU',
    fail: () => new Criu({ path: '/bin/false' }).version(),
  },
  {
    how: 'a program that never answers',
    code: 'ERR_CRIU_TIMEOUT',
    fail: async (_, __, directory) => {
      const path = await program(directory, '#!/bin/sh\nexec sleep 1000\n');
      await new Criu({ path }).version({ deadlineMs: 10, gracePeriodMs: 10 });
    },
  },
];

test.each(failures)('a failure leaves nothing behind: $how', async ({ code, fail }) => {
  const criu = client();
  const counter = await startCounter();
  const directory = await temporaryDirectory();
  const before = await holdings();
  for (let round = 0; round < 5; round++) {
    await expect(fail(criu, counter, directory)).rejects.toMatchObject({ code });
    expect(await holdings()).toEqual(before);
  }
  await counter.countsOn();
});

const refuse = () => {
  throw new Error('not today');
};

/** Writes a program. */
async function program(directory: string, text: string, mode = 0o755): Promise<string> {
  const path = join(directory, 'program');
  await writeFile(path, text);
  await chmod(path, mode);
  return path;
}
