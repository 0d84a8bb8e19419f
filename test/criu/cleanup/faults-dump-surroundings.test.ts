import { rm } from 'node:fs/promises';
import { execa } from 'execa';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Criu, DumpOptions, PageServer } from '../../../src/index.ts';
import { startCounting, steps } from '../../helpers/checkpoints.ts';
import { compileFixture } from '../../helpers/compile.ts';
import { expectIntact, hookAt, ready } from '../../helpers/expect-intact.ts';
import { failureOf } from '../../helpers/failures.ts';
import { networkNamespace } from '../../helpers/namespaces.ts';
import { rulesIn } from '../../helpers/network-rules.ts';
import { holdings } from '../../helpers/own-resources.ts';
import { noteFault } from '../../helpers/reliability.ts';
import { oneIn } from '../../helpers/sample.ts';
import { slowLink } from '../../helpers/slow-link.ts';
import { smallDisk } from '../../helpers/small-disk.ts';
import { client, temporaryDirectory } from '../../helpers/workload.ts';

beforeAll(async () => {
  for (const fixture of ['counter', 'patient']) await compileFixture(fixture);
});

describe('the directory of the images', () => {
  const sizes = ['64k', '1m', '40m'];
  test.each(oneIn(3, 'sizes of a disk that a dump fills', sizes, 1))(
    'has only %s of space: the dump fails, and the process continues',
    async (size) => {
      const { criu, counter, before } = await ready();
      const error = await failureOf(
        criu.dump(counter.pid, { imagesDirectory: await smallDisk(size) }),
      );
      expect(error).toMatchObject({ code: 'ERR_CRIU_FAILED', workload: 'running' });
      expect(error.message).toContain('No space left on device');
      await expectIntact(criu, counter, before);
      await noteFault('dump', {
        fault: `disk full after ${size}`,
        error: 'ERR_CRIU_FAILED',
        workload: 'runs on',
        left: 'nothing but the log',
      });
    },
  );

  const locks = ['iptables', 'nftables'] as const;
  test.each(oneIn(2, 'locks of a dump that fills its disk', locks))(
    'is full while connections are locked by %s: the lock is removed',
    async (networkLock) => {
      const criu = client();
      await criu.version();
      const namespace = await networkNamespace();
      const counter = await startCounting('patient', ['8'], ['nsenter', `--net=${namespace}`]);
      const before = await holdings();
      const imagesDirectory = await smallDisk('1m');
      const options = { tcpEstablished: true, networkLock };
      const error = await failureOf(criu.dump(counter.pid, { ...options, imagesDirectory }));
      expect(error).toMatchObject({ code: 'ERR_CRIU_FAILED', workload: 'running' });
      expect(await rulesIn(namespace)).toEqual([]);
      await expectIntact(criu, counter, before, options);
    },
  );

  test.each(['preDump', 'queryExtFiles'] as const)(
    'is removed at %s: the dump fails, and the process continues',
    async (step) => {
      const { criu, counter, before } = await ready();
      const imagesDirectory = await temporaryDirectory();
      const error = await failureOf(
        criu.dump(counter.pid, {
          imagesDirectory,
          hooks: hookAt(step, () => rm(imagesDirectory, { recursive: true })),
        }),
      );
      expect(error).toMatchObject({ code: 'ERR_CRIU_FAILED', workload: 'running' });
      expect(error.message).toContain(`is ${imagesDirectory} gone?`);
      await expectIntact(criu, counter, before);
      await noteFault('dump', {
        fault: `images directory removed at ${steps[step]}`,
        error: 'ERR_CRIU_FAILED',
        workload: 'runs on',
        left: 'nothing',
      });
    },
  );

  test('is removed at postDump: the dump fails, and the process continues', async () => {
    const { criu, counter, before } = await ready();
    const imagesDirectory = await temporaryDirectory();
    const remove = () => rm(imagesDirectory, { recursive: true });
    const error = await failureOf(
      criu.dump(counter.pid, { imagesDirectory, hooks: hookAt('postDump', remove) }),
    );
    expect(error).toMatchObject({ code: 'ERR_CRIU_SYSTEM', workload: 'running' });
    expect(error.message).toContain('the images cannot be moved into');
    await expectIntact(criu, counter, before);
    await noteFault('dump', {
      fault: 'images directory removed at post-dump, when CRIU has written all',
      error: 'ERR_CRIU_SYSTEM',
      workload: 'runs on',
      left: 'nothing',
    });
  });

  test.each(['preDump', 'queryExtFiles'] as const)(
    'becomes read-only at %s: the dump fails, and the process continues',
    async (step) => {
      const { criu, counter, before } = await ready();
      const imagesDirectory = await smallDisk('100m');
      const error = await failureOf(
        criu.dump(counter.pid, {
          imagesDirectory,
          // The kernel refuses while a log is open for writing there.
          workDirectory: await temporaryDirectory(),
          hooks: hookAt(step, () => execa('mount', ['-o', 'remount,ro', imagesDirectory])),
        }),
      );
      expect(error).toMatchObject({ code: 'ERR_CRIU_FAILED', workload: 'running' });
      expect(error.message).toContain('Read-only file system');
      await expectIntact(criu, counter, before);
      await noteFault('dump', {
        fault: `images directory read-only from ${steps[step]} on`,
        error: 'ERR_CRIU_FAILED',
        workload: 'runs on',
        left: 'nothing',
      });
    },
  );
});

describe('the page server', () => {
  const deaths = ['preDump', 'queryExtFiles', 'while pages flow'] as const;
  test.each(oneIn(2, 'moments at which a page server is killed', deaths))(
    'is killed (%s): the dump fails, and the process continues',
    async (moment) => {
      const { criu, counter, before } = await ready();
      const { server, done, options } = await serverStruck(criu, moment, 'SIGKILL');
      const error = await failureOf(criu.dump(counter.pid, options));
      await done();
      expect(error).toMatchObject({ code: 'ERR_CRIU_FAILED', workload: 'running' });
      expect(error.message).toMatch(/page server|page-xfer/);
      expect(await server.exited).toEqual({ code: null, signal: 'SIGKILL' });
      await expectIntact(criu, counter, before);
      await noteFault('dump', {
        fault: `page server killed, ${moment in steps ? `at ${steps[moment as 'preDump']}` : moment}`,
        error: 'ERR_CRIU_FAILED',
        workload: 'runs on',
        left: 'the images written so far',
      });
    },
  );

  const hangs = ['preDump', 'while pages flow'] as const;
  test.each(oneIn(2, 'moments at which a page server hangs', hangs, 1))(
    'hangs (%s): the deadline ends the dump, and the process continues',
    async (moment) => {
      const { criu, counter, before } = await ready();
      const { server, done, options } = await serverStruck(criu, moment, 'SIGSTOP');
      const limits = { deadlineMs: 3000, gracePeriodMs: 100 };
      const error = await failureOf(criu.dump(counter.pid, { ...options, ...limits }));
      await done();
      expect(error).toMatchObject({
        code: 'ERR_CRIU_TIMEOUT',
        cancelled: 'killed',
        workload: 'running',
        leftovers: [],
      });
      process.kill(server.pid, 'SIGKILL');
      await server.exited;
      await expectIntact(criu, counter, before);
      await noteFault('dump', {
        fault: `page server stopped, ${moment in steps ? `at ${steps[moment as 'preDump']}` : moment}`,
        error: 'ERR_CRIU_TIMEOUT, `cancelled` is killed',
        workload: 'runs on',
        left: 'the images written so far',
      });
    },
  );
});

/** A page server that gets a signal, and the options for a dump to it. */
async function serverStruck(
  criu: Criu,
  moment: 'preDump' | 'queryExtFiles' | 'while pages flow',
  signal: 'SIGKILL' | 'SIGSTOP',
): Promise<{ server: PageServer; done: () => Promise<void>; options: DumpOptions }> {
  const server = await criu.pageServer({ imagesDirectory: await temporaryDirectory() });
  const address = { address: '127.0.0.1', port: server.port ?? 0 };
  const flows = moment === 'while pages flow';
  const way = flows ? await slowLink(address, 16) : undefined;
  const strike = () => void process.kill(server.pid, signal);
  // Some of the 64 MiB have arrived, and the others wait.
  const done = way?.full.then(strike).then(way.widen);
  const options = {
    imagesDirectory: await temporaryDirectory(),
    pageServer: way ? { address: way.address, port: way.port } : address,
    hooks: flows ? {} : hookAt(moment, strike),
  };
  const over = async () => {
    await done;
    way?.cut();
  };
  return { server, done: over, options };
}
