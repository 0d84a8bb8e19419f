import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { criuPath } from '../../../scripts/criu-path.mjs';
import {
  migrate,
  resolveMigration,
  serveMigrations,
  unresolvedMigrations,
} from '../../../src/index.ts';
import { failureOf } from '../../helpers/failures.ts';
import { allowLargePipes } from '../../helpers/large-pipes.ts';
import { LibraryProcess } from '../../helpers/library-process.ts';
import { startMemoryWorkload } from '../../helpers/memory-workload.ts';
import { bootedAnew } from '../../helpers/migration-host.ts';
import { temporaryDirectory, waitGone } from '../../helpers/workload.ts';

const workload = { heapMiB: 64, hotMiB: 4, pagesPerSecond: 2000 } as const;

beforeAll(allowLargePipes);

test.each(['stop-and-copy', 'post-copy'] as const)(
  '%s moves a process, with its memory',
  async (mode) => {
    const memory = await startMemoryWorkload(workload);
    const host = await LibraryProcess.start(await bootedAnew());
    const directory = await temporaryDirectory();
    const port = await host.ask<number>('serve', {
      listen: { host: '127.0.0.1', port: 0 },
      insecure: true,
      directory: await temporaryDirectory(),
    });
    const migration = migrate(memory.pid, {
      to: { host: '127.0.0.1', port },
      insecure: true,
      mode,
      directory,
      path: criuPath(),
    });
    const phases = new Set<string>();
    for await (const { phase } of migration) phases.add(phase);
    const result = await migration.result;
    await waitGone(memory.pid);
    await memory.verify(() => host.ask('kill', { pid: result.pid, signal: 'SIGUSR1' }));
    await memory.writesOn();
    expect(result).toMatchObject({ mode, rounds: 0 });
    expect(result.bytes).toBeGreaterThan(workload.heapMiB << 20);
    const before = ['offer', 'connect', 'dump', 'images', 'prepare', 'switch-over', 'hand-over'];
    const after = mode === 'post-copy' ? ['pages', 'done'] : ['done'];
    expect([...phases]).toEqual([...before, ...after]);
  },
);

test('a slow switch-over is waited for, and once the copy runs nothing calls it off', async () => {
  const memory = await startMemoryWorkload(workload);
  const host = await LibraryProcess.start(await bootedAnew());
  // The source is heard of every second, and later on a machine that is busy.
  const holdMs = 8000;
  const port = await host.ask<number>('serve', {
    ...{ listen: { host: '127.0.0.1', port: 0 }, insecure: true, holdMs },
    directory: await temporaryDirectory(),
  });
  const migration = migrate(memory.pid, {
    ...{ to: { host: '127.0.0.1', port }, insecure: true, mode: 'post-copy', path: criuPath() },
    directory: await temporaryDirectory(),
    switchOver: () => new Promise((resolve) => setTimeout(resolve, 1.5 * holdMs)),
    hooks: {
      phase(phase) {
        if (phase === 'pages') void migration.cancel();
        if (phase === 'done') throw new Error('too late');
      },
    },
  });
  const { pid } = await migration.result;
  await waitGone(memory.pid);
  await memory.verify(() => host.ask('kill', { pid, signal: 'SIGUSR1' }));
  await memory.writesOn();
});

const never = () => new Promise<void>(() => {});

test.each([
  ['switchOver that ends when it is told to', { switchOver: untilAborted }, true],
  ['switchOver that never ends', { switchOver: never }, true],
  ['hook that never ends', { hooks: { phase: never } }, false],
] as const)('a deadline ends a migration with a %s', async (_what, options, isBack) => {
  const memory = await startMemoryWorkload({ ...workload, heapMiB: 8 });
  const host = await LibraryProcess.start(await bootedAnew());
  const port = await host.ask<number>('serve', {
    ...{ listen: { host: '127.0.0.1', port: 0 }, insecure: true },
    directory: await temporaryDirectory(),
  });
  let back = false;
  const migration = migrate(memory.pid, {
    ...{ to: { host: '127.0.0.1', port }, insecure: true, mode: 'stop-and-copy', path: criuPath() },
    ...{ directory: await temporaryDirectory(), stallMs: 500, deadlineMs: 3000 },
    ...options,
    switchBack: () => {
      back = true;
    },
  });
  expect(await failureOf(migration.result)).toMatchObject({
    code: 'ERR_CRIU_TIMEOUT',
    workload: 'running',
  });
  expect(back).toBe(isBack);
  await memory.verify();
  await memory.writesOn();
});

async function untilAborted(signal: AbortSignal): Promise<void> {
  await new Promise((resolve) => signal.addEventListener('abort', resolve));
}

test('a migration that is cancelled while it is offered is cancelled, and not refused', async () => {
  const memory = await startMemoryWorkload({ ...workload, heapMiB: 8 });
  const server = await serveMigrations({
    ...{ listen: { host: '127.0.0.1', port: 0 }, insecure: true, path: criuPath() },
    directory: await temporaryDirectory(),
    authorize: () => {
      void migration.cancel();
      return new Promise<boolean>(() => {});
    },
  });
  onTestFinished(() => server.close());
  const migration = migrate(memory.pid, {
    ...{ to: { host: '127.0.0.1', port: server.port }, insecure: true, path: criuPath() },
    directory: await temporaryDirectory(),
  });
  expect(await failureOf(migration.result)).toMatchObject({ code: 'ERR_CRIU_ABORTED' });
});

test.each(['stop-and-copy', 'post-copy'] as const)(
  '%s: a destination that dies before it lets the copy run says so once it is back',
  async (mode) => {
    const memory = await startMemoryWorkload(workload);
    const [directory, there] = [await temporaryDirectory(), await temporaryDirectory()];
    const serve = async (port: number) => {
      const host = await LibraryProcess.start(await bootedAnew());
      const listen = { host: '127.0.0.1', port };
      return {
        host,
        port: await host.ask<number>('serve', { listen, insecure: true, directory: there }),
      };
    };
    const { host, port } = await serve(0);
    const migration = migrate(memory.pid, {
      ...{ to: { host: '127.0.0.1', port }, insecure: true, mode, path: criuPath() },
      ...{ directory, stallMs: 2000 },
      hooks: {
        async phase(phase) {
          if (phase !== 'hand-over') return;
          process.kill(host.pid, 'SIGKILL');
          await host.ended;
        },
      },
    });
    const failure = await failureOf(migration.result);
    expect(failure).toMatchObject({ code: 'ERR_CRIU_MIGRATION_UNRESOLVED', workload: 'stopped' });
    expect(await unresolvedMigrations(directory)).toEqual([migration.id]);
    const options = { insecure: true, directory };
    const early = await resolveMigration(migration.id, { ...options, deadlineMs: 1000 });
    expect(early).toMatchObject({ owner: 'undecided', done: 'nothing', workload: 'stopped' });
    await serve(port);
    expect(await resolveMigration(migration.id, options)).toMatchObject({
      ...{ owner: 'source', source: 'aborted', destination: 'aborted' },
      ...{ done: 'resumed the original', workload: 'running' },
    });
    expect(await unresolvedMigrations(directory)).toEqual([]);
    await memory.verify();
    await memory.writesOn();
  },
);
