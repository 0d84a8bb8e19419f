import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { streamingCriuPath } from '../../../scripts/criu-path.mjs';
import { readManifest } from '../../../src/images.ts';
import { verifyImages } from '../../../src/index.ts';
import { startFamily, startTalker } from '../../helpers/checkpoints.ts';
import { failureOf } from '../../helpers/failures.ts';
import { startMemoryWorkload } from '../../helpers/memory-workload.ts';
import { noteFault } from '../../helpers/reliability.ts';
import { inPieces, remains, useOwnTemporaryDirectory, wholeOf } from '../../helpers/streams.ts';
import {
  client,
  isAlive,
  startCounter,
  temporaryDirectory,
  waitGone,
} from '../../helpers/workload.ts';

useOwnTemporaryDirectory();

const streaming = () => client({ path: streamingCriuPath() });
/** More than is held of a file, so that the size of the pages is known only from the kernel. */
const MEMORY = { heapMiB: 24, hotMiB: 1, pagesPerSecond: 100 } as const;
const key = Buffer.alloc(32, 3);

describe('dumpStream', () => {
  test('moves a process with all of its memory, and leaves nothing behind', async () => {
    const criu = streaming();
    const workload = await startMemoryWorkload(MEMORY);
    const before = await remains();
    const stream = await criu.dumpStream(workload.pid);
    const restored = await criu.restoreStream(stream);
    expect(restored.pid).toBe(workload.pid);
    const { pid, archiveBytes, stats } = await stream.result;
    expect(pid).toBe(workload.pid);
    expect(archiveBytes).toBeGreaterThan(stats.bytesWritten);
    await workload.verify();
    await workload.writesOn();
    const after = await remains();
    expect(after.directories).toEqual(before.directories);
    // The pidfd of the restored process, and libuv's threads.
    expect(after.children).toEqual([]);
  });

  test('writes an archive that tar extracts and that criu restores', async () => {
    const criu = streaming();
    const workload = await startMemoryWorkload(MEMORY);
    const tar = await wholeOf(await criu.dumpStream(workload.pid));
    await waitGone(workload.pid);
    const directory = await temporaryDirectory();
    execFileSync('tar', ['-xf', '-', '-C', directory], { input: tar });
    expect(await verifyImages(directory, { deep: true })).toEqual([]);
    expect(await readManifest(directory)).toMatchObject({ kind: 'dump', pid: workload.pid });
    execFileSync(streamingCriuPath(), ['restore', '-D', directory, '--restore-detached']);
    await workload.verify();
    await workload.writesOn();
  });

  test('and restoreStream take what tar makes of the directory of a dump', async () => {
    const criu = streaming();
    const { counter, options } = await startTalker();
    const imagesDirectory = await temporaryDirectory();
    await criu.dump(counter.pid, { ...options, imagesDirectory });
    await waitGone(counter.pid);
    const tar = execFileSync('tar', ['-cf', '-', '-C', imagesDirectory, '.']);
    // The manifest says that it has connections.
    await criu.restoreStream(inPieces(tar, 1 << 16));
    await counter.countsOn();
    const stream = await criu.dumpStream(counter.pid, options);
    await criu.restoreStream(stream);
    await counter.countsOn();
  });

  test('compresses and encrypts the images of several processes', async () => {
    const criu = streaming();
    const { pid, members } = await startFamily();
    const encryption = { key };
    const stream = await criu.dumpStream(pid, { compression: 'gzip', encryption });
    const sealed = await wholeOf(stream);
    await stream.result;
    expect(sealed.length).toBeLessThan((await stream.result).archiveBytes / 2);
    await criu.restoreStream(inPieces(sealed, 100_000), { encryption });
    for (const member of members) await member.countsOn();
  });

  test('with leaveRunning lets the process run on', async () => {
    const criu = streaming();
    const counter = await startCounter();
    const stream = await criu.dumpStream(counter.pid, { leaveRunning: true });
    const tar = await wholeOf(stream);
    await stream.result;
    await counter.countsOn();
    process.kill(counter.pid, 'SIGKILL');
    await waitGone(counter.pid);
    await criu.restoreStream(inPieces(tar, 1 << 16));
    await counter.countsOn();
  });

  test('does not end the process before the stream is read and confirmed', async () => {
    const criu = streaming();
    const counter = await startCounter();
    let states: boolean[] = [];
    const stream = await criu.dumpStream(counter.pid, {
      confirm: async () => {
        states = [await isAlive(counter.pid), stream.readableEnded];
        throw new Error('the store is full');
      },
    });
    const tar = await wholeOf(stream);
    expect(tar.length).toBeGreaterThan(0);
    expect(await failureOf(stream.result)).toMatchObject({
      code: 'ERR_CRIU_HOOK',
      workload: 'running',
      cause: { message: 'the store is full' },
    });
    expect(states).toEqual([true, true]);
    await counter.countsOn();
    await noteFault('streams', {
      fault: 'what has read a stream does not confirm it',
      error: 'ERR_CRIU_HOOK',
      workload: 'runs on',
      left: 'nothing',
    });
  });

  test('holds little in memory when it is read slowly', async () => {
    const criu = streaming();
    const workload = await startMemoryWorkload({ ...MEMORY, heapMiB: 160 });
    const before = process.memoryUsage().arrayBuffers;
    const stream = await criu.dumpStream(workload.pid, { leaveRunning: true });
    let most = 0;
    for await (const _chunk of stream) {
      await sleep(2);
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    }
    await stream.result;
    expect(most).toBeLessThan(80 << 20);
    await noteFault('streams', {
      fault: 'reader of a stream slow',
      error: 'none',
      workload: 'frozen until the stream is read; gone, or runs on with `leaveRunning`',
      left: 'nothing',
    });
  });

  test('needs CRIU 4.3', async () => {
    const criu = client();
    const counter = await startCounter();
    const { number } = await criu.version();
    expect(number).toBeLessThan(40300);
    expect(await failureOf(criu.dumpStream(counter.pid))).toMatchObject({
      code: 'ERR_CRIU_TOO_OLD',
      operation: 'dumpStream',
    });
    await counter.countsOn();
    const tar = await wholeOf(await streaming().dumpStream(counter.pid));
    await waitGone(counter.pid);
    expect((await failureOf(criu.restoreStream(inPieces(tar, 1 << 16)))).code).toBe(
      'ERR_CRIU_TOO_OLD',
    );
    await streaming().restoreStream(inPieces(tar, 1 << 16));
    await counter.countsOn();
  });
});
