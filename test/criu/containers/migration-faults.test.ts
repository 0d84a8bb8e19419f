import { rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { expect, test } from 'vitest';
import { openContainer } from '../../../src/containers.ts';
import { unresolvedMigrations } from '../../../src/index.ts';
import { compileFixture } from '../../helpers/compile.ts';
import { failureOf } from '../../helpers/failures.ts';
import { LibraryProcess } from '../../helpers/library-process.ts';
import {
  ContainerHost,
  expectAllNumbers,
  startCounting,
} from '../../helpers/migrating-containers.ts';
import { noteFault } from '../../helpers/reliability.ts';
import { Bundle, COUNTER, countsOn, type RunningContainer } from '../../helpers/runc.ts';
import { client, startCounter, temporaryDirectory, waitFor } from '../../helpers/workload.ts';

/** Notes a fault after which the original runs. */
async function note(fault: string, error: string, left = 'nothing'): Promise<void> {
  const workload = 'the original runs on, as its runtime knows';
  await noteFault('containers', { fault, error, workload, left });
}

/** Expects that the original runs, as its runtime knows, and that nothing came to the other host. */
async function expectOriginal(running: RunningContainer, host: ContainerHost): Promise<void> {
  expect(running.status()?.status).toBe('running');
  await waitFor(async () => (await host.leftovers()).length === 0, 'nothing is left');
  expect(host.container('counter').status()).toBeUndefined();
  await countsOn(running);
  await expectAllNumbers(running);
}

test('a container is refused before it is frozen', async () => {
  const criu = client();
  const running = await startCounting();
  const container = await openContainer(criu, 'counter', { root: running.bundle.root });
  const directory = await temporaryDirectory();
  let reason = '';
  const host = await ContainerHost.start(criu, COUNTER, {
    place() {
      if (reason) throw new Error(reason);
      return {};
    },
  });
  const refusal = async () => {
    const migration = await container.migrate({ ...host.to, mode: 'stop-and-copy', directory });
    const error = await failureOf(migration.result);
    expect(error.code).toBe('ERR_CRIU_MIGRATION_REFUSED');
    return error.message;
  };
  reason = 'not this one';
  expect(await refusal()).toContain('not this one');
  reason = '';
  await rm(host.bundle.rootfs, { recursive: true });
  expect(await refusal()).toContain(host.bundle.rootfs);
  const { pid } = await startCounter();
  const process = criu.migrate(pid, { ...host.to, mode: 'stop-and-copy', directory });
  expect((await failureOf(process.result)).message).toContain('takes only containers');
  await expectOriginal(running, host);
  for (const reason of [
    'does not want it',
    'has no root file system for it',
    'takes only containers',
  ]) {
    await note(`migration: the destination ${reason}`, 'ERR_CRIU_MIGRATION_REFUSED');
  }
});

test.each([{ lazyRestore: true }, { lazyRestore: false }])(
  'an error names the file that the destination lacks, with %o',
  async (options) => {
    const criu = client();
    const program = await compileFixture('memory');
    const args = [program, '/tmp/writes', '20', '1', '100', 'fixed'];
    const bundle = await Bundle.make(args);
    await bundle.bindHost(dirname(program));
    const running = await bundle.run('counter');
    await waitFor(async () => (await running.lines()).includes('ready'), 'the memory is filled');
    // It has made /tmp/writes in its root, which does not move.
    const host = await ContainerHost.start(criu, args, {
      change: (there) => there.bindHost(dirname(program)),
    });
    const container = await openContainer(criu, 'counter', { root: bundle.root });
    const directory = await temporaryDirectory();
    const migration = await container.migrate({ ...host.to, ...options, directory });
    expect(await failureOf(migration.result)).toMatchObject({
      ...{ code: 'ERR_CRIU_MIGRATION_FAILED', workload: 'running' },
      message: expect.stringContaining("restore: Can't open file tmp/writes: No such file"),
    });
    expect(running.status()?.status).toBe('running');
    await waitFor(async () => (await host.leftovers()).length === 0, 'nothing is left');
  },
);

test.each(['stop-and-copy', 'post-copy'] as const)(
  '%s: afterRestore throws, and nothing is left of the copy',
  async (mode) => {
    const criu = client();
    const running = await startCounting();
    const known: unknown[] = [];
    const host: ContainerHost = await ContainerHost.start(criu, COUNTER, {
      hooks: {
        afterRestore() {
          known.push(host.container('counter').status()?.status);
          throw new Error('not today');
        },
      },
    });
    const container = await openContainer(criu, 'counter', { root: running.bundle.root });
    const directory = await temporaryDirectory();
    const migration = await container.migrate({ ...host.to, mode, directory });
    const error = await failureOf(migration.result);
    expect(error).toMatchObject({ code: 'ERR_CRIU_MIGRATION_FAILED', workload: 'running' });
    expect(error.message).toContain('not today');
    // Before it runs, its runtime knows it already.
    expect(known).toHaveLength(1);
    await expectOriginal(running, host);
    await note(`${mode} migration: the hook afterRestore throws`, 'ERR_CRIU_MIGRATION_FAILED');
  },
);

test('the agent of the destination is killed, and the next one removes what is left of the copy', async () => {
  const criu = client();
  const running = await startCounting();
  const host = await ContainerHost.start(criu, COUNTER);
  const { directory, bundle } = host;
  await host.server.close();
  const agent = await LibraryProcess.start();
  const listen = { host: '127.0.0.1', port: 0 };
  const place = { bundle: bundle.directory, root: bundle.root };
  const port = await agent.ask<number>('serveContainers', {
    ...{ listen, insecure: true, directory, place },
  });
  const container = await openContainer(criu, 'counter', { root: running.bundle.root });
  const migration = await container.migrate({
    ...{ to: { host: '127.0.0.1', port }, insecure: true, mode: 'stop-and-copy' },
    ...{ directory: await temporaryDirectory(), stallMs: 2000 },
    hooks: {
      async phase(phase) {
        if (phase !== 'switch-over') return;
        process.kill(agent.pid, 'SIGKILL');
        await agent.ended;
      },
    },
  });
  const error = await failureOf(migration.result);
  expect(error).toMatchObject({ code: 'ERR_CRIU_MIGRATION_FAILED', workload: 'running' });
  expect(await host.leftovers()).not.toEqual([]);
  const next = await LibraryProcess.start();
  await next.ask('serveContainers', { listen, insecure: true, directory, place });
  await expectOriginal(running, host);
  await note(
    'migration: agent of the destination killed at switch-over',
    'ERR_CRIU_MIGRATION_FAILED',
    'the copy, stopped: the next agent removes it',
  );
});

test('the agent of the source is killed, and its container runs on', async () => {
  const criu = client();
  const running = await startCounting();
  const host = await ContainerHost.start(criu, COUNTER, { holdMs: 3000 });
  const agent = await LibraryProcess.start();
  const directory = await temporaryDirectory();
  const answer = await agent.do('migrateContainer', {
    ...{ id: 'counter', root: running.bundle.root, dieAt: 'switch-over' },
    ...{ ...host.to, mode: 'stop-and-copy', directory },
  });
  expect(answer).toBe('ended');
  const [id = ''] = await unresolvedMigrations({ directory });
  expect(await criu.resolveMigration(id, { insecure: true, directory })).toMatchObject({
    ...{ owner: 'source', done: 'resumed', workload: 'running' },
  });
  await expectOriginal(running, host);
  await note(
    'migration: agent of the source killed at switch-over',
    'none: the caller is gone; resolveMigration ends it',
  );
});
