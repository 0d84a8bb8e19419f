import { describe, expect, test } from 'vitest';
import { streamingCriuPath } from '../../../scripts/criu-path.mjs';
import type { Criu, DumpStreamOptions, Hooks } from '../../../src/index.ts';
import { runningCriu, steps } from '../../helpers/checkpoints.ts';
import { failureOf } from '../../helpers/failures.ts';
import { startMemoryWorkload } from '../../helpers/memory-workload.ts';
import { noteFault } from '../../helpers/reliability.ts';
import { inPieces, remains, useOwnTemporaryDirectory, wholeOf } from '../../helpers/streams.ts';
import { client, isAlive, startCounter, waitGone } from '../../helpers/workload.ts';

useOwnTemporaryDirectory();

const streaming = () => client({ path: streamingCriuPath() });
const MEMORY = { heapMiB: 24, hotMiB: 1, pagesPerSecond: 100 } as const;

/** Hooks with which criu gets a signal at a step. */
function struckAt(step: keyof typeof steps, signal: 'SIGKILL' | 'SIGSTOP' = 'SIGKILL'): Hooks {
  const strike = async () => void process.kill(await runningCriu(), signal);
  return { [step]: step === 'queryExtFiles' ? () => strike().then(() => []) : strike };
}

/** The error of a dump whose stream is read to its end. */
async function failureOfDump(criu: Criu, pid: number, options: DumpStreamOptions) {
  return await failureOf(
    (async () => {
      const stream = await criu.dumpStream(pid, options);
      stream.on('error', () => {}).resume();
      return await stream.result;
    })(),
  );
}

describe('dumpStream', () => {
  test('leaves nothing when criu is killed at a step, and the process runs on', async () => {
    const criu = streaming();
    const counter = await startCounter();
    await criu.version();
    const before = await remains();
    for (const step of ['preDump', 'queryExtFiles', 'postDump'] as const) {
      const error = await failureOfDump(criu, counter.pid, { hooks: struckAt(step) });
      expect(error, step).toMatchObject({ code: 'ERR_CRIU_EOF', workload: 'running' });
      expect(await remains()).toEqual(before);
      await counter.countsOn();
      await noteFault('streams', {
        fault: `criu killed during \`dumpStream\`, at ${steps[step]}`,
        error: 'ERR_CRIU_EOF',
        workload: 'runs on',
        left: 'nothing',
      });
    }
    await criu.restoreStream(await criu.dumpStream(counter.pid));
    await counter.countsOn();
  });

  test('leaves nothing when criu is killed while images flow', async () => {
    const criu = streaming();
    const workload = await startMemoryWorkload(MEMORY);
    await criu.version();
    const before = await remains();
    const stream = await criu.dumpStream(workload.pid);
    const reading = (async () => {
      let isKilled = false;
      for await (const _chunk of stream) {
        if (!isKilled) process.kill(await runningCriu(), 'SIGKILL');
        isKilled = true;
      }
    })();
    const error = await failureOf(reading);
    expect(error).toMatchObject({ code: 'ERR_CRIU_EOF' });
    expect(await failureOf(stream.result)).toBe(error);
    expect(await remains()).toEqual(before);
    // The code of CRIU that ran in it may have ended it.
    expect(['running', 'gone']).toContain(error.workload);
    expect(await isAlive(workload.pid)).toBe(error.workload === 'running');
    if (error.workload === 'running') await workload.verifyOriginal();
    await noteFault('streams', {
      fault: 'criu killed during `dumpStream`, while images flow',
      error: 'ERR_CRIU_EOF',
      workload: 'runs on; or gone, if it was running code of CRIU: `workload` says which',
      left: 'nothing',
    });
  });

  test('leaves nothing when criu is stopped until the deadline', async () => {
    const criu = streaming();
    const counter = await startCounter();
    await criu.version();
    const before = await remains();
    const limits = { deadlineMs: 1000, gracePeriodMs: 50 };
    const hooks = struckAt('postDump', 'SIGSTOP');
    const error = await failureOfDump(criu, counter.pid, { hooks, ...limits });
    expect(error).toMatchObject({ code: 'ERR_CRIU_TIMEOUT', cancelled: 'killed' });
    expect(error.workload).toBe('running');
    expect(await remains()).toEqual(before);
    await counter.countsOn();
    await noteFault('streams', {
      fault: 'criu stopped by SIGSTOP during `dumpStream` until the deadline',
      error: 'ERR_CRIU_TIMEOUT, `cancelled` is killed',
      workload: 'runs on',
      left: 'nothing',
    });
  });

  test('is rolled back when its reader gives up, and when it is aborted', async () => {
    const criu = streaming();
    const workload = await startMemoryWorkload({ ...MEMORY, heapMiB: 64 });
    const before = await remains();

    const closed = await criu.dumpStream(workload.pid);
    for await (const _chunk of closed) break;
    expect(await failureOf(closed.result)).toMatchObject({
      code: 'ERR_CRIU_CLOSED',
      workload: 'running',
    });
    await workload.verifyOriginal();

    const controller = new AbortController();
    const aborted = await criu.dumpStream(workload.pid, { signal: controller.signal });
    const reading = (async () => {
      for await (const _chunk of aborted) controller.abort(new Error('enough'));
    })();
    const error = await failureOf(reading);
    expect(error.code).toBe('ERR_CRIU_ABORTED');
    expect(await failureOf(aborted.result)).toMatchObject({
      code: 'ERR_CRIU_ABORTED',
      cancelled: 'refused',
      workload: 'running',
    });
    await workload.verifyOriginal();

    // A reader that never reads.
    const expired = await criu.dumpStream(workload.pid, { deadlineMs: 300 });
    expired.on('error', () => {});
    expect(await failureOf(expired.result)).toMatchObject({
      code: 'ERR_CRIU_TIMEOUT',
      cancelled: 'refused',
      workload: 'running',
    });
    await workload.verifyOriginal();
    expect(await remains()).toEqual(before);
    for (const [fault, error] of [
      ['reader of a stream closed before its end', 'ERR_CRIU_CLOSED'],
      ['`dumpStream` aborted while images flow', 'ERR_CRIU_ABORTED'],
      ['reader of a stream that does not read until the deadline', 'ERR_CRIU_TIMEOUT'],
    ] as const) {
      await noteFault('streams', { fault, error, workload: 'runs on', left: 'nothing' });
    }
  });
});

describe('restoreStream', () => {
  test('leaves nothing when criu is killed at a step', async () => {
    const criu = streaming();
    const counter = await startCounter();
    const stream = await criu.dumpStream(counter.pid);
    const tar = await wholeOf(stream);
    await stream.result;
    await waitGone(counter.pid);
    const before = await remains();
    for (const step of ['preRestore', 'postRestore'] as const) {
      const source = inPieces(tar, 1 << 16);
      const error = await failureOf(criu.restoreStream(source, { hooks: struckAt(step) }));
      expect(error, step).toMatchObject({ code: 'ERR_CRIU_EOF', workload: 'gone' });
      expect(await isAlive(counter.pid)).toBe(false);
      await waitGone(counter.pid);
      expect(await remains()).toEqual(before);
      await noteFault('streams', {
        fault: `criu killed during \`restoreStream\`, at ${steps[step]}`,
        error: 'ERR_CRIU_EOF',
        workload: 'nothing restored',
        left: 'nothing',
      });
    }
    await criu.restoreStream(inPieces(tar, 1 << 16));
    await counter.countsOn();
  });

  test('starts nothing from a stream that is damaged or ends early, and fails without a rest', async () => {
    const criu = streaming();
    const counter = await startCounter();
    const stream = await criu.dumpStream(counter.pid);
    const tar = await wholeOf(stream);
    await stream.result;
    await waitGone(counter.pid);
    const before = await remains();
    const damaged = Buffer.from(tar);
    damaged[tar.length >> 1] = (damaged[tar.length >> 1] ?? 0) ^ 1;
    const broken = async function* () {
      yield tar.subarray(0, tar.length >> 1);
      throw new Error('the connection is gone');
    };
    for (const source of [
      inPieces(damaged, 1 << 16),
      inPieces(tar.subarray(0, tar.length - 1024), 1 << 16),
      broken(),
    ]) {
      expect((await failureOf(criu.restoreStream(source))).code).toBe('ERR_CRIU_BAD_IMAGE');
    }
    const signal = AbortSignal.timeout(100);
    const endless = async function* () {
      yield tar.subarray(0, 512);
      await new Promise(() => {});
    };
    expect((await failureOf(criu.restoreStream(endless(), { signal }))).code).toBe(
      'ERR_CRIU_ABORTED',
    );
    expect(await isAlive(counter.pid)).toBe(false);
    expect(await remains()).toEqual(before);

    for (const [fault, error] of [
      ['a byte of a stream changed', 'ERR_CRIU_BAD_IMAGE'],
      ['a stream that ends early', 'ERR_CRIU_BAD_IMAGE'],
      ['a stream whose source fails', 'ERR_CRIU_BAD_IMAGE'],
      ['`restoreStream` aborted while its source delivers nothing', 'ERR_CRIU_ABORTED'],
    ] as const) {
      const outcome = { workload: 'nothing restored', left: 'nothing' };
      await noteFault('streams', { fault, error, ...outcome });
    }

    await criu.restoreStream(inPieces(tar, 1 << 16));
    await counter.countsOn();
    // Its pid is in use now.
    expect(await failureOf(criu.restoreStream(inPieces(tar, 1 << 16)))).toMatchObject({
      code: 'ERR_CRIU_PID_BUSY',
      workload: 'gone',
    });
    await counter.countsOn();
    await noteFault('streams', {
      fault: 'a stream restored twice',
      error: 'ERR_CRIU_PID_BUSY',
      workload: 'runs on; nothing restored',
      left: 'nothing',
    });
  });
});
