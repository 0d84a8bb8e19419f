import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { criuPath } from '../../../scripts/criu-path.mjs';
import {
  Criu,
  type CriuOpts,
  migrate,
  RateLimit,
  resolveMigration,
  serveMigrations,
  unresolvedMigrations,
} from '../../../src/index.ts';
import { failureOf } from '../../helpers/failures.ts';
import { LibraryProcess } from '../../helpers/library-process.ts';
import { startMemoryWorkload } from '../../helpers/memory-workload.ts';
import { bootedAnew } from '../../helpers/migration-host.ts';
import { RecordingHooks } from '../../helpers/recording-hooks.ts';
import { temporaryDirectory, waitGone } from '../../helpers/workload.ts';

const workload = { heapMiB: 64, hotMiB: 4, pagesPerSecond: 2000 } as const;

test.each([
  ['stop-and-copy', {}],
  ['stop-and-copy', { lazyRestore: false }],
  ['post-copy', {}],
  ['pre-copy', { tracking: 'compare' }],
  ['pre-copy', { lazyRestore: false }],
  ['hybrid', {}],
] as const)('%s moves a process with its memory, with %o', async (mode, options) => {
  const memory = await startMemoryWorkload(workload);
  const host = await LibraryProcess.start(await bootedAnew());
  const directory = await temporaryDirectory();
  const port = await host.ask<number>('serve', {
    listen: { host: '127.0.0.1', port: 0 },
    insecure: true,
    directory: await temporaryDirectory(),
  });
  const hooks = new RecordingHooks();
  const migration = migrate(memory.pid, {
    to: { host: '127.0.0.1', port },
    insecure: true,
    mode,
    ...options,
    directory,
    path: criuPath(),
    dump: { hooks },
  });
  const phases = new Set<string>();
  for await (const { phase } of migration) phases.add(phase);
  const result = await migration.result;
  await waitGone(memory.pid);
  await memory.verify(() => host.ask('kill', { pid: result.pid, signal: 'SIGUSR1' }));
  await memory.writesOn();
  const serves = mode === 'post-copy' || mode === 'hybrid';
  expect(hooks.called).toEqual(['preDump', 'postDump', ...(serves ? ['statusReady'] : [])]);
  const hasRounds = mode === 'pre-copy' || mode === 'hybrid';
  expect(result).toMatchObject({ mode, rounds: hasRounds ? expect.any(Number) : 0 });
  expect(result.bytes).toBeGreaterThan(workload.heapMiB << 20);
  const rounds = hasRounds ? ['rounds'] : [];
  const end = ['dump', 'images', 'prepare', 'switch-over', 'hand-over'];
  const before = ['offer', 'connect', ...rounds, ...end];
  const runsEarly = !('lazyRestore' in options);
  const after = runsEarly ? ['pages', 'done'] : ['done'];
  expect([...phases]).toEqual([...before, ...after]);
});

test('migrations share a limit of the bytes that they send', async () => {
  const host = await LibraryProcess.start(await bootedAnew());
  const port = await host.ask<number>('serve', {
    listen: { host: '127.0.0.1', port: 0 },
    insecure: true,
    directory: await temporaryDirectory(),
  });
  let waited = 0;
  class CountedLimit extends RateLimit {
    override async wait(bytes: number, signal: AbortSignal): Promise<void> {
      waited += bytes;
      await super.wait(bytes, signal);
    }
  }
  const rateLimit = new CountedLimit(64 << 20);
  const small = { ...workload, heapMiB: 8 };
  const memories = await Promise.all([startMemoryWorkload(small), startMemoryWorkload(small)]);
  const modes = ['post-copy', 'stop-and-copy'] as const;
  const results = await Promise.all(
    memories.map(async ({ pid }, index) => {
      const more = { mode: modes[index] as (typeof modes)[number], rateLimitFrozen: true };
      const migration = migrate(pid, {
        ...{ to: { host: '127.0.0.1', port }, insecure: true, path: criuPath(), rateLimit },
        ...{ ...more, directory: await temporaryDirectory() },
      });
      return await migration.result;
    }),
  );
  for (const [index, { pid }] of results.entries()) {
    await memories[index]?.verify(() => host.ask('kill', { pid, signal: 'SIGUSR1' }));
  }
  // More than the memory of one of them; nothing waits after its last portion.
  expect(waited).toBeGreaterThan(1.5 * (small.heapMiB << 20));
});

test('a slow switchOver is awaited, and after the copy runs nothing cancels the migration', async () => {
  const memory = await startMemoryWorkload(workload);
  const host = await LibraryProcess.start(await bootedAnew());
  // The source polls every second, and less often on a busy machine.
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

/** A destination that accepts every migration. */
async function startDestination() {
  const host = await LibraryProcess.start(await bootedAnew());
  const port = await host.ask<number>('serve', {
    ...{ listen: { host: '127.0.0.1', port: 0 }, insecure: true },
    directory: await temporaryDirectory(),
  });
  return { host, to: { host: '127.0.0.1', port } };
}

test.each([
  ['that ends when its signal is aborted', untilAborted],
  ['that never ends', never],
] as const)('a migration can be cancelled during a switchOver %s', async (_what, switchOver) => {
  const memory = await startMemoryWorkload({ ...workload, heapMiB: 8 });
  const { to } = await startDestination();
  const controller = new AbortController();
  let isBack = false;
  const migration = migrate(memory.pid, {
    ...{ to, insecure: true, mode: 'stop-and-copy', path: criuPath(), stallMs: 1500 },
    ...{ directory: await temporaryDirectory(), signal: controller.signal },
    switchOver(signal) {
      controller.abort();
      return switchOver(signal);
    },
    switchBack: () => {
      isBack = true;
    },
  });
  const error = await failureOf(migration.result);
  expect(error).toMatchObject({ code: 'ERR_CRIU_ABORTED', workload: 'running' });
  expect(isBack).toBe(true);
  await memory.verify();
  await memory.writesOn();
});

test('a deadline ends a migration with a hook that never ends', async () => {
  const memory = await startMemoryWorkload({ ...workload, heapMiB: 8 });
  const { to } = await startDestination();
  const migration = migrate(memory.pid, {
    ...{ to, insecure: true, path: criuPath(), deadlineMs: 500, hooks: { phase: never } },
    directory: await temporaryDirectory(),
  });
  const error = await failureOf(migration.result);
  expect(error).toMatchObject({ code: 'ERR_CRIU_TIMEOUT', workload: 'running' });
  await memory.verify();
  await memory.writesOn();
});

test("a client's default options apply to the dump, but not those that a migration decides", async () => {
  const memory = await startMemoryWorkload({ ...workload, heapMiB: 8 });
  const host = await LibraryProcess.start(await bootedAnew());
  const port = await host.ask<number>('serve', {
    ...{ listen: { host: '127.0.0.1', port: 0 }, insecure: true },
    directory: await temporaryDirectory(),
  });
  const defaults: CriuOpts = {
    ...{ imagesDirectory: '/nowhere', leaveRunning: true, logFile: 'moved.log' },
    // This kernel may not track memory, which the preflight must not ask for either.
    trackMem: true,
  };
  await using criu = new Criu({ path: criuPath(), defaults });
  const logs: string[] = [];
  const directory = await temporaryDirectory();
  const migration = criu.migrate(memory.pid, {
    ...{ to: { host: '127.0.0.1', port }, insecure: true, mode: 'stop-and-copy', directory },
    switchOver: async () => {
      logs.push(...(await readdir(join(directory, 'images', migration.id, '0'))));
    },
  });
  const { pid } = await migration.result;
  await waitGone(memory.pid);
  expect(logs).toContain('moved.log');
  await memory.verify(() => host.ask('kill', { pid, signal: 'SIGUSR1' }));
  expect(await criu.unresolvedMigrations({ directory })).toEqual([]);
});

test('close() of a client ends its migrations and servers', async () => {
  const memory = await startMemoryWorkload({ ...workload, heapMiB: 8 });
  const criu = new Criu({ path: criuPath() });
  const server = await criu.serveMigrations({
    ...{ listen: { host: '127.0.0.1', port: 0 }, insecure: true },
    directory: await temporaryDirectory(),
    authorize: () => new Promise<boolean>(() => {}),
  });
  const directory = await temporaryDirectory();
  const to = { host: '127.0.0.1', port: server.port };
  const migration = criu.migrate(memory.pid, { to, insecure: true, directory });
  const error = failureOf(migration.result);
  await criu.close();
  expect(await error).toMatchObject({ code: 'ERR_CRIU_ABORTED' });
  await server.closed;
  await memory.verify();
  expect(() => criu.migrate(memory.pid, { to, insecure: true })).toThrow(
    expect.objectContaining({ code: 'ERR_CRIU_CLOSED' }),
  );
  const late = criu.resolveMigration(migration.id, { directory });
  expect((await failureOf(late)).code).toBe('ERR_CRIU_CLOSED');
});

async function untilAborted(signal: AbortSignal): Promise<void> {
  await new Promise((resolve) => signal.addEventListener('abort', resolve));
}

test('metadata comes with the offer', async () => {
  const memory = await startMemoryWorkload({ ...workload, heapMiB: 8 });
  const offered: unknown[] = [];
  const server = await serveMigrations({
    ...{ listen: { host: '127.0.0.1', port: 0 }, insecure: true, path: criuPath() },
    directory: await temporaryDirectory(),
    authorize: ({ metadata }) => offered.push(metadata) === 0,
  });
  onTestFinished(() => server.close());
  const directory = await temporaryDirectory();
  for (const metadata of [undefined, { image: 'sha256:1', mounts: ['/data'] }]) {
    const to = { host: '127.0.0.1', port: server.port };
    const migration = migrate(memory.pid, {
      ...{ to, insecure: true, path: criuPath(), directory },
      ...(metadata && { metadata }),
    });
    expect(await failureOf(migration.result)).toMatchObject({ refusal: 'not-authorized' });
  }
  expect(offered).toEqual([undefined, { image: 'sha256:1', mounts: ['/data'] }]);
});

test('a migration that is cancelled during the offer rejects with ERR_CRIU_ABORTED', async () => {
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
  '%s: a destination that dies before the copy runs reports it after a restart',
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
    expect(await unresolvedMigrations({ directory })).toEqual([migration.id]);
    const options = { insecure: true, directory };
    const early = await resolveMigration(migration.id, { ...options, deadlineMs: 1000 });
    expect(early).toMatchObject({ owner: 'undecided', done: 'nothing', workload: 'stopped' });
    await serve(port);
    expect(await resolveMigration(migration.id, options)).toMatchObject({
      ...{ owner: 'source', source: 'aborted', destination: 'aborted' },
      ...{ done: 'resumed', workload: 'running' },
    });
    expect(await unresolvedMigrations({ directory })).toEqual([]);
    await memory.verify();
    await memory.writesOn();
  },
);
