import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { criuPath } from '../../../scripts/criu-path.mjs';
import { type MigrateOptions, migrate, resolveMigration } from '../../../src/index.ts';
import { incomingJournals } from '../../../src/migration/journal/incoming-journal.ts';
import { journalPath } from '../../../src/migration/journal/journal.ts';
import {
  outgoingImages,
  outgoingJournals,
} from '../../../src/migration/journal/outgoing-journal.ts';
import { buildCommand, nodeCriu } from '../../helpers/command.ts';
import { failureOf } from '../../helpers/failures.ts';
import { LibraryProcess } from '../../helpers/library-process.ts';
import { MigrationHost } from '../../helpers/migration-host.ts';
import { RunLog } from '../../helpers/run-log.ts';
import { temporaryDirectory, waitFor } from '../../helpers/workload.ts';

/** The options that connect to a host. */
const to = (host: MigrationHost) => ({
  to: { host: '127.0.0.1', port: host.ports[0] },
  insecure: true,
});

test.each(['stop-and-copy', 'post-copy'] as const)(
  '%s: a hook `changed` that always throws does not affect the migration',
  async (mode) => {
    const runLog = await RunLog.start(8);
    const host = await MigrationHost.start({ insecure: true, hookThrows: true });
    const directory = await temporaryDirectory();
    await migrate(runLog.pid, { ...to(host), mode, directory, path: criuPath() }).result;
    expect(await runLog.alone()).not.toBe(runLog.pid);
    await runLog.verify();
    const stays = await runLog.stays();
    expect(stays.map(({ here }) => here)).toEqual([true, false]);
  },
);

describe('the hooks around a restore', () => {
  interface HookCall {
    readonly hook: string;
    readonly id?: string;
    readonly pid?: number;
    readonly state?: string;
    readonly program?: string;
  }

  /** The calls of the hooks, once the last one was called. */
  async function hookCalls(host: MigrationHost): Promise<HookCall[]> {
    let calls: HookCall[] = [];
    await waitFor(async () => {
      calls = await host.agent.ask<HookCall[]>('hookCalls');
      return calls.at(-1)?.hook === 'afterMigration';
    }, 'the last hook is called');
    return calls;
  }

  async function migration(options: object, changes: Partial<MigrateOptions> = {}) {
    const runLog = await RunLog.start(8);
    const host = await MigrationHost.start({ insecure: true, ...options });
    const directory = await temporaryDirectory();
    const all = { mode: 'stop-and-copy', directory, path: criuPath(), ...changes } as const;
    return { runLog, host, migration: migrate(runLog.pid, { ...to(host), ...all }) };
  }

  test.each(['stop-and-copy', 'post-copy'] as const)(
    '%s: know the migration, and the restore has the options for its offer',
    async (mode) => {
      const { host, migration: moving, runLog } = await migration({}, { mode });
      const { id, pid } = await moving.result;
      expect(await hookCalls(host)).toEqual([
        { hook: 'restore', id, program: 'run-log' },
        { hook: 'beforeRestore', id, program: 'run-log' },
        { hook: 'afterRestore', id, pid, program: 'run-log' },
        { hook: 'preResume' },
        { hook: 'afterMigration', id, pid, state: 'complete' },
      ]);
      expect(await runLog.alone()).not.toBe(runLog.pid);
    },
  );

  test.each(['beforeRestore', 'afterRestore'])(
    'make the migration fail when %s throws, and are followed by afterMigration',
    async (hook) => {
      const { host, migration: moving, runLog } = await migration({ throwsAt: hook });
      const error = await failureOf(moving.result);
      expect(error).toMatchObject({ code: 'ERR_CRIU_MIGRATION_FAILED', workload: 'running' });
      expect(error.message).toContain(`${hook} has thrown`);
      const calls = await hookCalls(host);
      expect(calls.slice(-2)).toMatchObject([
        { hook, id: moving.id },
        { hook: 'afterMigration', id: moving.id, state: 'aborted' },
      ]);
      // The source reports the failure, which the destination knows already, without gRPC's name of its status.
      const message = expect.not.stringContaining('FAILED_PRECONDITION');
      expect(await host.agent.ask('migrations')).toMatchObject([{ state: 'aborted', message }]);
      expect(await runLog.alone()).toBe(runLog.pid);
    },
  );

  test('are followed by afterMigration when a restored copy is given up', async () => {
    const switchOver = () => {
      throw new Error('switchOver has thrown');
    };
    const { host, migration: moving } = await migration({}, { switchOver });
    await failureOf(moving.result);
    expect((await hookCalls(host)).slice(-2)).toMatchObject([
      { hook: 'afterRestore', id: moving.id, pid: expect.any(Number) },
      { hook: 'afterMigration', id: moving.id, pid: expect.any(Number), state: 'aborted' },
    ]);
  });

  test('are followed by afterMigration of the next server when a server dies', async () => {
    let host: MigrationHost | undefined;
    const moving = await migration(
      {},
      {
        hooks: {
          phase: async (phase) => void (phase === 'switch-over' && (await host?.killAgent())),
        },
      },
    );
    host = moving.host;
    await failureOf(moving.migration.result);
    await host.startAgent();
    expect(await host.agent.ask('hookCalls')).toMatchObject([
      { hook: 'afterMigration', id: moving.migration.id, state: 'aborted' },
    ]);
  });

  test('are repeated by the next server if afterMigration throws', async () => {
    const { host, migration: moving } = await migration({ throwsAt: 'afterMigration' });
    const { id, pid } = await moving.result;
    await hookCalls(host);
    await host.killAgent();
    await host.startAgent();
    const again = [{ hook: 'afterMigration', id, pid, state: 'complete' }];
    expect(await host.agent.ask('hookCalls')).toMatchObject(again);
  });

  test('do not block close() if afterMigration never returns', async () => {
    const hangs = { hangsAt: 'afterMigration', stallMs: 500 };
    const { host, migration: moving } = await migration(hangs);
    const { id } = await moving.result;
    await hookCalls(host);
    await host.agent.ask('closeServer');
    expect(await host.agent.ask('warnings')).toEqual([
      `serveMigrations: beforeRestore or afterMigration of migration ${id} has not returned within 3000 ms; the next server in the directory calls afterMigration again`,
    ]);
    // So that the next server calls the hook again.
    const journal = await readFile(journalPath(incomingJournals(host.directory), id), 'utf8');
    expect(JSON.parse(journal.trim().split('\n').at(-1) ?? '')).toMatchObject({ isSetUp: true });
  });

  test('do not block close() if beforeRestore never returns', async () => {
    const hangs = { hangsAt: 'beforeRestore', stallMs: 500 };
    const { host, migration: moving, runLog } = await migration(hangs);
    await waitFor(
      async () => (await host.agent.ask<HookCall[]>('hookCalls')).at(-1)?.hook === 'beforeRestore',
      'the hook is called',
    );
    await host.agent.ask('closeServer');
    expect(await host.agent.ask('warnings')).toEqual([expect.stringContaining(moving.id)]);
    expect(await failureOf(moving.result)).toMatchObject({ workload: 'running' });
    expect(await runLog.alone()).toBe(runLog.pid);
  });
});

/** Migrates a process, and closes the server at a phase. */
async function closedAt(phase: string, heapMiB: number, mode: NonNullable<MigrateOptions['mode']>) {
  const runLog = await RunLog.start(heapMiB);
  const host = await MigrationHost.start({ insecure: true });
  let closed: Promise<unknown> | undefined;
  const migration = migrate(runLog.pid, {
    ...{ ...to(host), mode, directory: await temporaryDirectory(), path: criuPath() },
    hooks: {
      phase: (now) => {
        if (now === phase) closed = host.agent.ask('closeServer');
      },
    },
  });
  return { runLog, host, migration, closed: async () => await closed };
}

test('close() of a server waits until a running copy has all of its memory', async () => {
  const { runLog, host, migration, closed } = await closedAt('pages', 256, 'post-copy');
  const { pid } = await migration.result;
  await closed();
  expect(await runLog.alone()).not.toBe(runLog.pid);
  await runLog.verify();
  expect(await host.agent.ask('migrations')).toMatchObject([{ state: 'complete', pid }]);
  // The ports are still known, although the server has closed them.
  expect(await host.agent.ask('ports')).toEqual(host.ports);
});

test('close() of a server aborts a migration whose copy does not run yet', async () => {
  const { runLog, host, migration, closed } = await closedAt('switch-over', 8, 'stop-and-copy');
  const error = await failureOf(migration.result);
  await closed();
  expect(error).toMatchObject({ code: 'ERR_CRIU_MIGRATION_FAILED', workload: 'running' });
  expect(error.message).toContain('the destination was closed');
  expect(await runLog.alone()).toBe(runLog.pid);
  expect(await host.agent.ask('migrations')).toMatchObject([{ state: 'aborted' }]);
});

test('both hosts know how a migration has ended, and the next one removes what it has left', async () => {
  const runLog = await RunLog.start(8);
  const host = await MigrationHost.start({ insecure: true });
  const directory = await temporaryDirectory();
  const options = { ...to(host), mode: 'stop-and-copy', directory, path: criuPath() } as const;
  const { id } = await migrate(runLog.pid, options).result;
  const weekAgo = Date.now() / 1000 - 8 * 24 * 60 * 60;
  for (const journals of [outgoingJournals(directory), incomingJournals(host.directory)]) {
    const path = journalPath(journals, id);
    const last = (await readFile(path, 'utf8')).trim().split('\n').at(-1) ?? '';
    expect(JSON.parse(last)).toMatchObject({ acknowledged: true });
    await utimes(path, weekAgo, weekAgo);
  }
  // As a source leaves them that dies at this moment.
  await mkdir(join(outgoingImages(directory, id), '0'), { recursive: true });
  await failureOf(migrate(0x3fffff, options).result);
  expect(await readdir(outgoingImages(directory, ''))).toEqual([]);
  expect(await readdir(outgoingJournals(directory))).toEqual([]);
  await host.killAgent();
  await host.startAgent();
  expect(await readdir(incomingJournals(host.directory))).toEqual([]);
});

test('a copy that a reboot of its host has ended is not reported as complete, and the original is kept', async () => {
  await buildCommand();
  const runLog = await RunLog.start(8);
  const host = await MigrationHost.start({ insecure: true });
  const directory = await temporaryDirectory();
  await host.agent.ask('dieAt', { state: 'complete' });
  const options = { ...to(host), mode: 'stop-and-copy', directory, stallMs: 1000 } as const;
  const migration = migrate(runLog.pid, { ...options, path: criuPath() });
  const error = await failureOf(migration.result);
  expect(error).toMatchObject({ code: 'ERR_CRIU_MIGRATION_UNRESOLVED', workload: 'stopped' });
  await host.kill();
  // With another boot id.
  await host.recover();
  const resolve = (changes: object = {}) =>
    resolveMigration(migration.id, { directory, insecure: true, ...changes });
  expect(await resolve()).toMatchObject({
    ...{ owner: 'undecided', destination: 'lost', done: 'nothing', workload: 'stopped' },
    remedy: expect.stringMatching(
      /^the copy has run at 127\.0\.0\.1 and is gone \(the host .* ended/,
    ),
  });
  const both = { destinationIsDead: true, copyHasFinished: true };
  expect(await failureOf(resolve(both))).toMatchObject({ option: 'copyHasFinished' });
  const { stdout, exitCode } = await nodeCriu([
    'resolve',
    migration.id,
    '-D',
    directory,
    '--insecure',
  ]);
  expect(exitCode).toBe(4);
  expect(stdout).toMatch(/to do: .*run node-criu resolve again with --destination-is-dead/);
  const resumed = { owner: 'source', done: 'resumed', remedy: undefined };
  expect(await resolve({ destinationIsDead: true })).toMatchObject(resumed);
  expect(await runLog.alone()).toBe(runLog.pid);
});

test('a server starts with more journals than this process may open files', async () => {
  const directory = await temporaryDirectory();
  const incoming = join(directory, 'incoming');
  await mkdir(incoming);
  const line = `${JSON.stringify({ state: 'aborted', at: 1, agent: '' })}\n`;
  for (let count = 0; count < 600; count++) {
    await writeFile(join(incoming, `${randomUUID()}.journal`), line);
  }
  const caller = await LibraryProcess.start(['prlimit', '--nofile=256']);
  const listen = { host: '127.0.0.1', port: 0 };
  await caller.ask('serve', { listen, insecure: true, directory });
});
