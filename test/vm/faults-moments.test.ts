import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { expect, test } from 'vitest';
import type { Criu, CriuError, Hooks } from '../../src/index.ts';
import { runningCriu } from '../helpers/checkpoints.ts';
import { type Blow, strike } from '../helpers/dump-scenes.ts';
import { awaitPreDump, expectIterationCompletes } from '../helpers/iterations.ts';
import { type MemoryWorkload, startMemoryWorkload } from '../helpers/memory-workload.ts';
import { holdings } from '../helpers/own-resources.ts';
import { seeded } from '../helpers/random.ts';
import { noteFault } from '../helpers/reliability.ts';
import { oneIn, sample, testSeed } from '../helpers/sample.ts';
import { client, isAlive, temporaryDirectory, waitFor, waitGone } from '../helpers/workload.ts';

const SEED = testSeed(20_240_607);
/** How many random moments of each kind of work are tried. */
const ROUNDS = sample('moments at which criu is lost in a round or a dump', 6, 1);

interface Limits {
  readonly deadlineMs?: number;
  readonly gracePeriodMs?: number;
}

interface Seen {
  /** Call it when the criu with this pid works. */
  begun(pid: number): void;
  /** Call it when the work is done. */
  done(): void;
}

/** Work of criu that is interrupted. */
interface Work {
  readonly make: (
    criu: Criu,
    memory: MemoryWorkload,
    seen: Seen,
    limits: Limits,
  ) => Promise<unknown>;
}

const works: Record<string, Work> = {
  'a round of pre-dump': {
    async make(criu, memory, { begun, done }, limits) {
      await using iteration = await iterate(criu, memory);
      const round = iteration.preDump(limits);
      await Promise.race([round, awaitPreDump().then((pids) => begun(pids.criu))]);
      await round.then(done);
    },
  },
  'the dump after a round': {
    async make(criu, memory, { begun, done }, limits) {
      await using iteration = await iterate(criu, memory);
      await iteration.preDump();
      const hooks: Hooks = {
        async preDump() {
          begun(await runningCriu());
        },
        // The dump always fails, so that the process runs on.
        postDump() {
          done();
          throw new Error('not struck');
        },
      };
      await iteration.dump({ ...limits, hooks });
    },
  },
  'a single pre-dump': {
    async make(criu, memory, { begun, done }, limits) {
      const imagesDirectory = await temporaryDirectory();
      const round = criu.preDump(memory.pid, { imagesDirectory, ...limits });
      const started = waitFor(async () => await isTraced(memory.pid), 'criu is at a pre-dump');
      await Promise.race([round, started.then(runningCriu).then(begun)]);
      await round.then(done);
    },
  },
};

test(
  'the error tells the state of the process, at whatever moment criu is lost',
  async () => {
    const scene = await enter();
    const random = seeded(SEED);
    const tried = oneIn(3, 'works of criu that is lost in them', Object.entries(works), 1);
    for (const [name, work] of tried) {
      let spanMs = await scene.measure(work);
      for (let killed = 0; killed < ROUNDS; ) {
        const signal = random(2) ? 'SIGKILL' : 'SIGTERM';
        const error = await scene.strike(work, random(spanMs), signal);
        if (error?.code === 'ERR_CRIU_EOF') {
          expect(error.exit).toEqual({ code: null, signal });
          killed++;
        } else {
          // The work was done before.
          expect([undefined, 'ERR_CRIU_HOOK']).toContain(error?.code);
          spanMs = Math.ceil(spanMs * 0.8);
        }
      }

      let error: CriuError | undefined;
      // Without any time, the process may not even be stopped.
      for (let deadlineMs = 3 * spanMs; deadlineMs < 60_000; deadlineMs *= 2) {
        const limits = { deadlineMs, gracePeriodMs: 100 };
        error = await scene.strike(work, random(spanMs / 2), 'SIGSTOP', limits);
        if (error?.cancelled === 'killed') break;
      }
      expect(error).toMatchObject({
        code: 'ERR_CRIU_TIMEOUT',
        cancelled: 'killed',
        exit: { code: null, signal: 'SIGKILL' },
      });

      const rows = {
        'criu killed at random moments': 'ERR_CRIU_EOF',
        'criu stopped by SIGSTOP at a random moment until the deadline':
          'ERR_CRIU_TIMEOUT, `cancelled` is killed',
      };
      for (const [fault, told] of Object.entries(rows)) {
        await noteFault('iteration', {
          fault: `${fault}, ${name}`,
          error: told,
          workload: 'runs on; or gone, if it was running code of CRIU: `workload` says which',
          left: 'nothing',
        });
      }
    }
    await scene.completes();
  },
  180_000 * ROUNDS,
);

async function iterate(criu: Criu, memory: MemoryWorkload) {
  const imagesDirectory = await temporaryDirectory();
  // A preflight of the same process was made before.
  return await criu.iterate(memory.pid, { imagesDirectory, preflight: false });
}

/** A workload on which criu works. */
async function enter() {
  const criu = client();
  await criu.features();
  const start = async () =>
    await startMemoryWorkload({ heapMiB: 16, hotMiB: 4, pagesPerSecond: 2000 });
  let memory = await start();
  const before = await ownHoldings();
  return {
    /** How long the work takes undisturbed, in milliseconds. */
    async measure({ make }: Work): Promise<number> {
      let [from, to] = [0, 0];
      const seen = {
        begun: () => {
          from = performance.now();
        },
        done: () => {
          to = performance.now();
        },
      };
      await make(criu, memory, seen, {}).catch(() => {});
      return Math.ceil(to - from);
    },
    /** Does the work, and sends criu a signal some milliseconds after it has begun. */
    async strike({ make }: Work, afterMs: number, signal: Blow['signal'], limits: Limits = {}) {
      let struck: Promise<void> | undefined;
      let forked: number[] = [];
      let over = false;
      const begun = (pid: number) => {
        if (over) return;
        struck = sleep(afterMs).then(async () => {
          forked = await childrenOf(pid);
          strike(pid, signal);
        });
      };
      const error = await make(criu, memory, { begun, done: () => {} }, limits).then(
        () => undefined,
        (cause: CriuError) => cause,
      );
      over = true;
      await struck;
      for (const pid of forked) expect(await isAlive(pid)).toBe(false);
      // A deadline may pass before the work has begun.
      if (error && struck) {
        expect(['running', 'gone']).toContain(error.workload);
        expect(error.leftovers ?? []).toEqual([]);
      }
      if (error?.workload === 'gone') {
        await waitGone(memory.pid);
        memory = await start();
      } else {
        await memory.writesOn();
        await memory.verify();
      }
      // Pending waits of this test read files: wait until they are over.
      const asBefore = async () => isDeepStrictEqual(await ownHoldings(), before);
      await waitFor(asBefore, 'this process holds what it held before');
      return error;
    },
    completes: () => expectIterationCompletes(criu, memory),
  };
}

/** Without the pid of the workload, which may have been restarted. */
async function ownHoldings() {
  const { descriptors, children } = await holdings();
  return { descriptors, children: children.length };
}

async function isTraced(pid: number): Promise<boolean> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return /^TracerPid:\t[1-9]/m.test(status);
}

async function childrenOf(pid: number): Promise<number[]> {
  const list = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  return list.split(' ').filter(Boolean).map(Number);
}
