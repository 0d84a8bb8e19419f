import { copyFile, mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { execa } from 'execa';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Criu, IterateOptions, Iteration } from '../../src/index.ts';
import { runningCriu } from '../helpers/checkpoints.ts';
import { hookAt } from '../helpers/expect-intact.ts';
import { failureOf } from '../helpers/failures.ts';
import {
  awaitPreDump,
  describeLeftovers,
  expectIterationCompletes,
  expectRound,
} from '../helpers/iterations.ts';
import { type MemoryWorkload, startMemoryWorkload } from '../helpers/memory-workload.ts';
import { startObstacle } from '../helpers/obstacle.ts';
import { type Holdings, holdings } from '../helpers/own-resources.ts';
import { noteFault } from '../helpers/reliability.ts';
import { isSoak, sample } from '../helpers/sample.ts';
import { connection } from '../helpers/sockets.ts';
import { client, temporaryDirectory, waitFor, waitGone } from '../helpers/workload.ts';

/** An iteration that has made one round. */
interface Scene {
  readonly criu: Criu;
  readonly memory: MemoryWorkload;
  readonly iteration: Iteration;
  readonly imagesDirectory: string;
}

interface Fault {
  readonly options?: (directory: string) => Promise<Partial<IterateOptions>>;
  /** Makes a round fail. */
  readonly round: (scene: Scene) => Promise<unknown>;
  readonly error: string;
  /** The process may run CRIU's code at that moment and die with it: the test then tries again. */
  readonly mayEndIt?: boolean;
}

const kill = async () => {
  process.kill(await runningCriu(), 'SIGKILL');
};

/** After this fault `npm test` dumps and restores as well; a soak run does so after each. */
const SAMPLED = 'criu killed in the dump';

const killed = { error: 'ERR_CRIU_EOF' };
const thrown = { error: 'ERR_CRIU_HOOK' };
const refuse = () => {
  throw new Error('no');
};

const faults: Record<string, Fault> = {
  'criu killed between two rounds': {
    ...killed,
    async round({ iteration }) {
      await kill();
      await iteration.exited;
      return await iteration.preDump();
    },
  },
  'criu killed in a round': {
    ...killed,
    mayEndIt: true,
    async round({ iteration }) {
      const round = iteration.preDump();
      process.kill((await awaitPreDump()).criu, 'SIGKILL');
      return await round;
    },
  },
  'what criu has forked for a round killed': {
    error: 'ERR_CRIU_FAILED',
    mayEndIt: true,
    async round({ iteration }) {
      const round = iteration.preDump();
      process.kill((await awaitPreDump()).child, 'SIGKILL');
      return await round;
    },
  },
  'criu killed in the dump': {
    ...killed,
    round: ({ iteration }) => iteration.dump({ hooks: hookAt('queryExtFiles', kill) }),
  },
  'criu killed at the end of the dump': {
    ...killed,
    round: ({ iteration }) => iteration.dump({ hooks: { postDump: kill } }),
  },
  'a hook that throws at post-dump': {
    ...thrown,
    round: ({ iteration }) => iteration.dump({ hooks: { postDump: refuse } }),
  },
  'aborted by the signal in a round, without grace': {
    error: 'ERR_CRIU_ABORTED',
    mayEndIt: true,
    async round({ iteration }) {
      const controller = new AbortController();
      const round = iteration.preDump({ signal: controller.signal, gracePeriodMs: 0 });
      await awaitPreDump();
      controller.abort();
      return await round;
    },
  },
  'aborted by the signal in the dump': {
    error: 'ERR_CRIU_ABORTED',
    round({ iteration }) {
      const controller = new AbortController();
      return iteration.dump({
        signal: controller.signal,
        hooks: { postDump: () => controller.abort() },
      });
    },
  },
  'the page server gone': {
    error: 'ERR_CRIU_FAILED',
    round: ({ iteration }) => iteration.preDump({ pageServer: { address: '127.0.0.1', port: 9 } }),
  },
  'the images of the parent gone': {
    error: 'ERR_CRIU_BAD_IMAGE',
    async round({ iteration, imagesDirectory }) {
      await rm(join(imagesDirectory, '0'), { recursive: true });
      return await iteration.preDump();
    },
  },
  'the pagemap of the parent spoilt': {
    error: 'ERR_CRIU_BAD_IMAGE',
    async round({ iteration, memory, imagesDirectory }) {
      await copyFile('/bin/true', join(imagesDirectory, '0', `pagemap-${memory.pid}.img`));
      return await iteration.preDump();
    },
  },
  'no space for a round': {
    error: 'ERR_CRIU_FAILED',
    async options(directory) {
      await mkdir(directory, { recursive: true });
      await execa('mount', ['-t', 'tmpfs', '-o', 'size=20m', 'tmpfs', directory]);
      onTestFinished(async () => {
        await execa('umount', [directory]);
      });
      return { preflight: false };
    },
    async round({ iteration, imagesDirectory }) {
      await execa('fallocate', ['-l', '3M', join(imagesDirectory, 'full')]);
      return await iteration.dump();
    },
  },
};

const tried = sample('faults of an iteration', Object.keys(faults).length, 2);

describe('the process runs on, and a new iteration succeeds, after', () => {
  test.each(Object.entries(faults).slice(0, tried))(
    '%s',
    async (fault, { options, round, error: code, mayEndIt }) => {
      const criu = client();
      await criu.features();
      const strike = async () => {
        const memory = await startMemoryWorkload({ heapMiB: 16, hotMiB: 2, pagesPerSecond: 2000 });
        const imagesDirectory = join(await temporaryDirectory(), 'images');
        const more = await options?.(imagesDirectory);
        const before = await holdings();
        const iteration = await criu.iterate(memory.pid, { imagesDirectory, ...more });
        await iteration.preDump();
        const error = await failureOf(round({ criu, memory, iteration, imagesDirectory }));
        return { memory, before, iteration, error };
      };
      let struck = await strike();
      for (let tries = 1; mayEndIt && struck.error.workload === 'gone' && tries < 5; tries++) {
        await waitGone(struck.memory.pid);
        await struck.iteration.close();
        struck = await strike();
      }
      const { memory, before, iteration, error } = struck;
      expect(error).toMatchObject({ code });
      expect(error.workload).toBe(code === 'ERR_CRIU_BAD_IMAGE' ? undefined : 'running');
      expect(error.message).toContain('round 1');
      await iteration.close();
      expect(await failureOf(iteration.preDump())).toMatchObject({ code: 'ERR_CRIU_CLOSED' });
      await memory.writesOn();
      await memory.verify();
      await expectHoldings(before);
      await (isSoak || fault === SAMPLED ? expectIterationCompletes : expectRound)(criu, memory);
      await noteFault('iteration', {
        fault,
        error: code,
        workload: 'runs on',
        left: describeLeftovers(error),
      });
    },
  );
});

test('a round fails if its page server dies, and the process runs on', async () => {
  const criu = client();
  const memory = await startMemoryWorkload({ heapMiB: 32, hotMiB: 1, pagesPerSecond: 1000 });
  await criu.features();
  const before = await holdings();
  for (const way of ['by address', 'by descriptor']) {
    const [imagesDirectory, far] = [await temporaryDirectory(), await temporaryDirectory()];
    const [near, accepted] = await connection();
    const server = await criu.pageServer({
      imagesDirectory: far,
      pageServer: way === 'by address' ? { port: 0 } : { fd: accepted },
    });
    const { address = '', port = 0 } = server;
    const pageServer = way === 'by address' ? { address, port } : { fd: near };
    const iteration = await criu.iterate(memory.pid, { imagesDirectory, pageServer });
    const round = failureOf(iteration.preDump());
    await waitFor(async () => (await sizeOfPages(far)) > 0, 'pages arrive');
    process.kill(server.pid, 'SIGKILL');
    expect(await server.exited).toEqual({ code: null, signal: 'SIGKILL' });
    // As on another host, where the page server had the only descriptor: the connection ends with the last.
    accepted.destroy();
    const error = await round;
    expect(error).toMatchObject({ code: 'ERR_CRIU_FAILED', workload: 'running' });
    expect(error.message).toMatch(/round 0: page-xfer: .*(Broken pipe|Connection reset)/);
    await iteration.close();
    near.destroy();
    await memory.writesOn();
    await memory.verify();
    await expectHoldings(before);
    await noteFault('iteration', {
      fault: `the page server, ${way}, killed in a round`,
      error: error.code,
      workload: 'runs on',
      left: describeLeftovers(error),
    });
  }
  await expectIterationCompletes(criu, memory);
});

test('the signal of an iteration ends it, also between rounds', async () => {
  const criu = client();
  const memory = await startMemoryWorkload({ heapMiB: 16, hotMiB: 2, pagesPerSecond: 2000 });
  const controller = new AbortController();
  const iteration = await criu.iterate(memory.pid, {
    imagesDirectory: await temporaryDirectory(),
    signal: controller.signal,
  });
  await iteration.preDump();
  controller.abort();
  expect(await failureOf(iteration.dump())).toMatchObject({ code: 'ERR_CRIU_ABORTED' });
  await iteration.close();
  await memory.writesOn();
  await expectIterationCompletes(criu, memory);
});

test('a directory with images of another round is refused, and the images stay', async () => {
  const criu = client();
  const memory = await startMemoryWorkload({ heapMiB: 16, hotMiB: 2, pagesPerSecond: 2000 });
  const imagesDirectory = await temporaryDirectory();
  await using iteration = await criu.iterate(memory.pid, { imagesDirectory });
  await iteration.preDump();
  const again = await failureOf(criu.iterate(memory.pid, { imagesDirectory }));
  expect(again).toMatchObject({ code: 'ERR_CRIU_INVALID_ARGUMENT', option: 'imagesDirectory' });
  await mkdir(join(imagesDirectory, '1'));
  await writeFile(join(imagesDirectory, '1', 'inventory.img'), '');
  const taken = await failureOf(iteration.preDump());
  expect(taken).toMatchObject({ code: 'ERR_CRIU_INVALID_ARGUMENT', option: 'imagesDirectory' });
  await rm(join(imagesDirectory, '1'), { recursive: true });
  const { directory } = await iteration.dump();
  await waitGone(memory.pid);
  await criu.restore({ imagesDirectory: directory });
  await memory.verify();
});

test('iterate() fails before the first round if the dump would fail', async () => {
  const criu = client();
  const { pid } = await startObstacle('io_uring');
  const imagesDirectory = await temporaryDirectory();
  const error = await failureOf(criu.iterate(pid, { imagesDirectory }));
  expect(error).toMatchObject({ code: 'ERR_CRIU_PREFLIGHT', workload: 'running', pid });
  expect(error.findings?.map(({ code }) => code)).toContain('IO_URING');
  expect(await readdir(imagesDirectory)).toEqual([]);
});

/** The size of all files of pages, whose numbers the page server chooses. */
async function sizeOfPages(directory: string): Promise<number> {
  const names = (await readdir(directory)).filter((name) => name.startsWith('pages-'));
  const files = await Promise.all(names.map((name) => stat(join(directory, name))));
  return files.reduce((sum, { size }) => sum + size, 0);
}

/**
 * Waits for the preflight after the failure: when its time is over, it awaits a read in progress for its
 * grace period only, and a read of smaps may take longer here.
 */
async function expectHoldings(before: Holdings): Promise<void> {
  const isAsBefore = async () => isDeepStrictEqual(await holdings(), before);
  await waitFor(isAsBefore, 'this process holds what it held before');
}
