import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { execa } from 'execa';
import { expect, onTestFinished, test } from 'vitest';
import {
  type Criu,
  type IterateOptions,
  type Iteration,
  verifyImages,
} from '../../../src/index.ts';
import { runningCriu } from '../../helpers/checkpoints.ts';
import { hookAt } from '../../helpers/expect-intact.ts';
import { failureOf } from '../../helpers/failures.ts';
import { describeLeftovers, expectIterationCompletes } from '../../helpers/iterations.ts';
import { type MemoryWorkload, startMemoryWorkload } from '../../helpers/memory-workload.ts';
import { holdings } from '../../helpers/own-resources.ts';
import { noteFault } from '../../helpers/reliability.ts';
import { connection } from '../../helpers/sockets.ts';
import { client, temporaryDirectory, waitFor, waitGone } from '../../helpers/workload.ts';

/** An iteration that compares memory and has made one round. */
interface Scene {
  readonly iteration: Iteration;
  readonly imagesDirectory: string;
}

interface Fault {
  readonly options?: Partial<IterateOptions>;
  readonly round: (scene: Scene) => Promise<unknown>;
  readonly error: string;
}

const kill = async () => {
  process.kill(await runningCriu(), 'SIGKILL');
};
const refuse = () => {
  throw new Error('no');
};

const faults: Record<string, Fault> = {
  'aborted by the signal in a round': {
    error: 'ERR_CRIU_ABORTED',
    async round({ iteration }) {
      const controller = new AbortController();
      const round = iteration.preDump({ signal: controller.signal });
      controller.abort();
      return await round;
    },
  },
  'no space for a round': {
    error: 'ERR_CRIU_SYSTEM',
    async round({ iteration, imagesDirectory }) {
      await mkdir(join(imagesDirectory, '1'), { mode: 0o700 });
      await execa('mount', ['-t', 'tmpfs', '-o', 'size=4k', 'tmpfs', join(imagesDirectory, '1')]);
      try {
        return await iteration.preDump();
      } finally {
        await execa('umount', [join(imagesDirectory, '1')]);
      }
    },
  },
  'criu killed when the processes are frozen': {
    error: 'ERR_CRIU_EOF',
    round: ({ iteration }) => iteration.dump({ hooks: hookAt('queryExtFiles', kill) }),
  },
  'criu killed at the end of the dump': {
    error: 'ERR_CRIU_EOF',
    round: ({ iteration }) => iteration.dump({ hooks: { postDump: kill } }),
  },
  'a hook that throws at post-dump': {
    error: 'ERR_CRIU_HOOK',
    round: ({ iteration }) => iteration.dump({ hooks: { postDump: refuse } }),
  },
  'aborted by the signal in the dump': {
    error: 'ERR_CRIU_ABORTED',
    round({ iteration }) {
      const controller = new AbortController();
      const hooks = { postDump: () => controller.abort() };
      return iteration.dump({ signal: controller.signal, hooks });
    },
  },
};

test('the process runs on after a fault of rounds that compare memory, and a new iteration succeeds', async () => {
  const criu = client();
  await criu.features();
  const memory = await startMemoryWorkload({ heapMiB: 8, hotMiB: 2, pagesPerSecond: 2000 });
  const before = await holdings();
  for (const [fault, { options, round, error: code }] of Object.entries(faults)) {
    const scene = await enter(criu, memory, options);
    const error = await failureOf(round(scene));
    expect(error, fault).toMatchObject({ code, workload: 'running' });
    expect(error.message, fault).toContain('round 1');
    // What has an inventory is complete.
    const directory = join(scene.imagesDirectory, '1');
    const left = await readdir(directory).catch((): string[] => []);
    if (left.includes('inventory.img')) expect(await verifyImages(directory), fault).toEqual([]);
    expect(await failureOf(scene.iteration.preDump())).toMatchObject({ code: 'ERR_CRIU_CLOSED' });
    await memory.writesOn();
    await memory.verify();
    const isAsBefore = async () => isDeepStrictEqual(await holdings(), before);
    await waitFor(isAsBefore, `${fault}: this process holds what it held before`);
    await noteFault('iteration', {
      fault: `comparing: ${fault}`,
      error: code,
      workload: 'runs on',
      left: describeLeftovers(error),
    });
  }
  await expectIterationCompletes(criu, memory);
});

test('a page server that dies ends a round that compares memory', async () => {
  const criu = client();
  const memory = await startMemoryWorkload({ heapMiB: 8, hotMiB: 1, pagesPerSecond: 1000 });
  const [near, accepted] = await connection();
  onTestFinished(() => void near.destroy());
  const far = await temporaryDirectory();
  const server = await criu.pageServer({ imagesDirectory: far, pageServer: { fd: accepted } });
  const iteration = await startIteration(criu, memory, { pageServer: { fd: near } });
  process.kill(server.pid, 'SIGKILL');
  await server.exited;
  accepted.destroy();
  const error = await failureOf(iteration.preDump());
  expect(error).toMatchObject({ workload: 'running' });
  expect(error.message).toContain('round 0');
  await memory.writesOn();
  await memory.verify();
});

test('a process that ends between two rounds is reported', async () => {
  const criu = client();
  const memory = await startMemoryWorkload({ heapMiB: 8, hotMiB: 1, pagesPerSecond: 1000 });
  const { iteration } = await enter(criu, memory);
  process.kill(memory.pid, 'SIGKILL');
  await waitGone(memory.pid);
  const error = await failureOf(iteration.preDump());
  expect(error).toMatchObject({ code: 'ERR_CRIU_NO_SUCH_PROCESS' });
});

test('an option that does not fit the way of tracking is refused by name', async () => {
  const criu = client();
  const memory = await startMemoryWorkload({ heapMiB: 1, hotMiB: 1, pagesPerSecond: 10 });
  const imagesDirectory = await temporaryDirectory();
  const compared = { tracking: 'compare' } as const;
  const tracked = { tracking: 'soft-dirty' } as const;
  const refused: readonly [option: string, options: object][] = [
    ['tracking', { tracking: 'none' }],
    ['compareWith', { ...compared, compareWith: 'eyes' }],
    ['rateLimit', { ...compared, rateLimit: 0 }],
    ['lowPriority', { ...compared, lowPriority: 1 }],
    ['autoDedup', { ...compared, autoDedup: true }],
    ['pageServer', { ...compared, pageServer: { address: '127.0.0.1', port: 9 } }],
    ['compareWith', { ...tracked, compareWith: 'copy' }],
    ['rateLimit', { ...tracked, rateLimit: 1 }],
    ['lowPriority', { ...tracked, lowPriority: true }],
  ];
  for (const [option, options] of refused) {
    const iterate = criu.iterate(memory.pid, { imagesDirectory, ...options });
    const expected = { code: 'ERR_CRIU_INVALID_ARGUMENT', option };
    expect(await failureOf(iterate), JSON.stringify(options)).toMatchObject(expected);
  }
  expect(await readdir(imagesDirectory)).toEqual([]);
});

async function enter(criu: Criu, memory: MemoryWorkload, options?: Partial<IterateOptions>) {
  const imagesDirectory = await temporaryDirectory();
  const iteration = await startIteration(criu, memory, { imagesDirectory, ...options });
  await iteration.preDump();
  return { iteration, imagesDirectory };
}

async function startIteration(
  criu: Criu,
  { pid }: MemoryWorkload,
  { imagesDirectory, ...options }: Partial<IterateOptions>,
) {
  imagesDirectory ??= await temporaryDirectory();
  const compared = { tracking: 'compare', durable: false } as const;
  return await criu.iterate(pid, { imagesDirectory, ...compared, ...options });
}
