import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import {
  chmod,
  chown,
  mkdir,
  readdir,
  readlink,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import {
  migrate,
  resolveMigration,
  serveMigrations,
  unresolvedMigrations,
} from '../../src/index.ts';
import { recoverAll, recoverIncoming } from '../../src/migration/destination/recover.ts';
import { incomingJournals } from '../../src/migration/journal/incoming-journal.ts';
import { Journal } from '../../src/migration/journal/journal.ts';
import {
  type OutgoingFacts,
  type OutgoingJournal,
  outgoingJournals,
} from '../../src/migration/journal/outgoing-journal.ts';
import {
  isAgentAlive,
  isElsewhere,
  namesOf,
  startTimeOf,
  thisAgent,
} from '../../src/migration/protocol/identity.ts';
import type { SourceState } from '../../src/migration/protocol/states.ts';
import { acknowledgeOverdue } from '../../src/migration/source/acknowledge.ts';
import { stateOf } from '../../src/procfs/stat.ts';
import { childrenOf, descendantsOf } from '../../src/procfs/tree.ts';
import { failureOf } from '../helpers/failures.ts';
import { isAlive, temporaryDirectory, waitFor } from '../helpers/workload.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
const dead = thisAgent().replace(/ \d+/, ' 1');

/** A process with two children, all killed after the test. */
async function startTree() {
  const shell = spawn('sh', ['-c', 'sleep 1000 & sleep 1000 & wait']);
  const root = shell.pid as number;
  await waitFor(() => childrenOf(root).length === 2, 'there are two children');
  const children = childrenOf(root);
  const kill = (pid: number) => {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended already.
    }
  };
  onTestFinished(() => [root, ...children].forEach(kill));
  const startTime = startTimeOf(root) as string;
  const copy = { pid: root, startTime, tree: namesOf(descendantsOf(root)) };
  const endRoot = async () => {
    const ended = once(shell, 'exit');
    kill(root);
    await ended;
  };
  return { root, children, copy, endRoot };
}

/** Writes a journal with one line. @param daysAgo the age of the file */
async function note(
  directory: string,
  entry: object,
  { daysAgo = 0, side = 'incoming' }: { daysAgo?: number; side?: 'incoming' | 'outgoing' } = {},
): Promise<string> {
  const id = randomUUID() as string;
  await mkdir(join(directory, side), { recursive: true });
  const path = join(directory, side, `${id}.journal`);
  await writeFile(path, `${JSON.stringify({ at: 1, agent: dead, ...entry })}\n`);
  const time = (Date.now() - daysAgo * DAY_MS) / 1000;
  await utimes(path, time, time);
  return id;
}

describe('the copy of a dead agent', () => {
  test('ends with all of its processes, even after its root has ended', async () => {
    const directory = await temporaryDirectory();
    const { copy, children, endRoot } = await startTree();
    await endRoot();
    const id = await note(directory, { state: 'resumed', lazy: true, ...copy });
    expect(await recoverIncoming(directory, id, {})).toMatchObject({ state: 'failed' });
    for (const pid of children) expect(await isAlive(pid)).toBe(false);
  });

  test('counts as running if one of its processes runs after its root has ended', async () => {
    const directory = await temporaryDirectory();
    const { copy, children, endRoot } = await startTree();
    await endRoot();
    const id = await note(directory, { state: 'resuming', lazy: false, ...copy });
    expect(await recoverIncoming(directory, id, {})).toMatchObject({ state: 'complete' });
    for (const pid of children) expect(await isAlive(pid)).toBe(true);
  });

  test.each(['complete', 'aborted', 'failed'])('is left alone once it is %s', async (state) => {
    const directory = await temporaryDirectory();
    const { copy, root, children } = await startTree();
    const id = await note(directory, { state, ...copy });
    expect(await recoverIncoming(directory, id, {})).toMatchObject({ state });
    for (const pid of [root, ...children]) expect(await isAlive(pid)).toBe(true);
  });

  test('is lost if none of its processes is left once it is complete', async () => {
    const directory = await temporaryDirectory();
    const { copy, endRoot, children } = await startTree();
    const id = await note(directory, { state: 'complete', lazy: false, ...copy });
    await endRoot();
    expect(await recoverIncoming(directory, id, {})).toMatchObject({ state: 'complete' });
    for (const pid of children) process.kill(pid, 'SIGKILL');
    await waitFor(async () => !(await Promise.all(children.map(isAlive))).includes(true), 'ended');
    const message = 'the 3 processes of the copy have ended';
    expect(await recoverIncoming(directory, id, {})).toMatchObject({ state: 'lost', message });
  });

  test.each(['resuming', 'complete'])('is lost after a reboot if it was %s', async (state) => {
    const directory = await temporaryDirectory();
    const { copy, root } = await startTree();
    const startTime = copy.startTime.replace(/ \S+ /, ` ${randomUUID()} `);
    const agent = `1 ${startTime}`;
    const id = await note(directory, { state, lazy: false, ...copy, startTime, agent });
    // The second answer comes from the journal alone.
    for (const _ of [1, 2]) {
      expect(await recoverIncoming(directory, id, {})).toMatchObject({ state: 'lost' });
    }
    expect(await isAlive(root)).toBe(true);
  });

  test('is gone after a reboot, when its pids belong to other processes', async () => {
    const directory = await temporaryDirectory();
    const { copy, root, children } = await startTree();
    const [ticks, , namespace] = copy.startTime.split(' ');
    const startTime = `${ticks} ${randomUUID()} ${namespace}`;
    const entry = { state: 'resumed', lazy: true, ...copy, startTime };
    const id = await note(directory, { ...entry, agent: `1 1 ${randomUUID()} ${namespace}` });
    expect(await recoverIncoming(directory, id, {})).toMatchObject({ state: 'failed' });
    for (const pid of [root, ...children]) expect(await isAlive(pid)).toBe(true);
  });
});

describe('in another pid namespace', () => {
  /** Starts a pid namespace; `identity` names a process in it as a journal does. */
  async function startThere(): Promise<{ identity: string; end: () => Promise<unknown> }> {
    const options = ['--pid', '--fork', '--kill-child', 'sh', '-c'];
    const script = 'readlink /proc/self/ns/pid; exec sleep 1000';
    const stdio = ['ignore', 'pipe', 'inherit'] as ['ignore', 'pipe', 'inherit'];
    const child = spawn('unshare', [...options, script], { stdio });
    const { pid, stdout } = child as ChildProcessByStdio<null, Readable, null>;
    onTestFinished(() => void child.kill('SIGKILL'));
    const [namespace] = (await once(stdout, 'data')) as [Buffer];
    const inside = childrenOf(pid as number);
    const [, , boot] = thisAgent().split(' ');
    const end = async () => {
      const ended = once(child, 'exit');
      for (const one of inside) process.kill(one, 'SIGKILL');
      await ended;
    };
    return { identity: `1 1 ${boot} ${String(namespace).trim()}`, end };
  }

  test('an agent counts as alive while it may be', async () => {
    const { identity, end } = await startThere();
    expect([isElsewhere(identity), isAgentAlive(identity)]).toEqual([true, true]);
    await end();
    // In the initial pid namespace an empty namespace is known to be empty.
    const seesAll = (await readlink('/proc/self/ns/pid')) === 'pid:[4026531836]';
    expect([isElsewhere(identity), isAgentAlive(identity)]).toEqual([!seesAll, !seesAll]);
  });

  test('a migration is left alone, and its status says where to recover it', async () => {
    const { identity } = await startThere();
    const directory = await temporaryDirectory();
    const entry = { state: 'resuming', pid: 1, startTime: identity.slice(2), agent: identity };
    const id = await note(directory, entry);
    const { state, message } = await recoverIncoming(directory, id, {});
    expect(state).toBe('resuming');
    expect(message).toContain('start a server there');
  });

  test('resolveMigration says where to call it', async () => {
    const { identity } = await startThere();
    const directory = await temporaryDirectory();
    const outgoing = join(directory, 'outgoing');
    await mkdir(outgoing);
    const id = randomUUID();
    const entry = { state: 'handed-over', at: 1, pid: 1, startTime: identity.slice(2), agent: '' };
    await writeFile(join(outgoing, `${id}.journal`), `${JSON.stringify(entry)}\n`);
    const error = await failureOf(resolveMigration(id, { directory, insecure: true }));
    expect(error).toMatchObject({ code: 'ERR_CRIU_INVALID_ARGUMENT', option: 'id' });
    expect(error.message).toContain('call it in that namespace');
  });
});

describe('what another process is finishing', () => {
  const lock = async (directory: string, id: string) => {
    const journal = await Journal.find<SourceState, OutgoingFacts>(directory, id);
    expect(await journal?.lock()).toBe(true);
    return journal as OutgoingJournal;
  };

  test('on a source is read again before the original is resumed', async () => {
    const directory = await temporaryDirectory();
    const { root, copy } = await startTree();
    process.kill(root, 'SIGSTOP');
    await waitFor(() => stateOf(root) === 'stopped', 'it is stopped');
    const id = await note(directory, { state: 'handed-over', ...copy }, { side: 'outgoing' });
    const other = await lock(outgoingJournals(directory), id);
    const late = await failureOf(
      resolveMigration(id, { directory, destinationIsDead: true, deadlineMs: 50 }),
    );
    expect(late).toMatchObject({ code: 'ERR_CRIU_MIGRATION_UNRESOLVED' });
    const resolving = resolveMigration(id, { directory, destinationIsDead: true });
    await other.write('aborted');
    await other[Symbol.asyncDispose]();
    expect(await resolving).toMatchObject({ source: 'aborted', done: 'nothing' });
    expect(stateOf(root)).toBe('stopped');
  });

  test('on a destination is left alone', async () => {
    const directory = await temporaryDirectory();
    const id = await note(directory, { state: 'prepared' });
    const other = await lock(incomingJournals(directory), id);
    expect(await recoverIncoming(directory, id, {})).toMatchObject({ state: 'prepared' });
    await other[Symbol.asyncDispose]();
    expect(await recoverIncoming(directory, id, {})).toMatchObject({ state: 'aborted' });
  });
});

test('journals of migrations that both hosts know to have ended are removed after a week', async () => {
  const directory = await temporaryDirectory();
  for (const state of ['complete', 'aborted', 'failed'])
    await note(directory, { state, acknowledged: true }, { daysAgo: 8 });
  const kept = [
    await note(directory, { state: 'aborted' }, { daysAgo: 8 }),
    await note(directory, { state: 'complete', acknowledged: true }, { daysAgo: 6 }),
    await note(directory, { state: 'aborted', agent: thisAgent() }, { daysAgo: 6 }),
    await note(directory, { state: 'resumed', lazy: true, agent: thisAgent() }, { daysAgo: 8 }),
    await note(directory, { state: 'prepared' }, { daysAgo: 8 }),
  ];
  await recoverAll(directory, {});
  const left = await readdir(join(directory, 'incoming'));
  expect(left.sort()).toEqual(kept.map((id) => `${id}.journal`).sort());
});

test('a server removes them every hour', async () => {
  const directory = await temporaryDirectory();
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  onTestFinished(() => void vi.useRealTimers());
  const listen = { host: '127.0.0.1', port: 0 };
  await using _ = await serveMigrations({ listen, insecure: true, directory });
  const kept = await note(directory, { state: 'aborted' }, { daysAgo: 8 });
  await note(directory, { state: 'complete', acknowledged: true }, { daysAgo: 8 });
  vi.advanceTimersByTime(60 * 60 * 1000);
  const journals = () => readdir(join(directory, 'incoming'));
  await expect.poll(journals).toEqual([`${kept}.journal`]);
});

test('an acknowledgement that got lost is repeated after a later migration to the same destination', async () => {
  const directory = await temporaryDirectory();
  const to = { host: '192.0.2.2', port: 7007 };
  const old = { side: 'outgoing', daysAgo: 8 } as const;
  const lost = [
    await note(directory, { state: 'done', to, isSwitchedOver: true }, old),
    await note(directory, { state: 'aborted', to, isSwitchedOver: false }, old),
  ];
  await note(directory, { state: 'done', to, acknowledged: true }, old);
  await note(directory, { state: 'done', to }, { ...old, daysAgo: 6 });
  await note(directory, { state: 'handed-over', to }, old);
  await note(directory, { state: 'aborted', to, isSwitchedOver: true }, old);
  await note(directory, { state: 'done', to: { ...to, port: 7008 } }, old);
  const asked: unknown[] = [];
  const call = async (name: string, { id }: { readonly id: string }) => {
    asked.push([name, id]);
    return { state: 'complete' } as const;
  };
  await acknowledgeOverdue({ call } as never, directory, to);
  expect(asked.sort()).toEqual(lost.map((id) => ['acknowledge', id]).sort());
  // Both are new again, and have nothing left to ask.
  await acknowledgeOverdue({ call } as never, directory, to);
  expect(asked).toHaveLength(2);
});

test('a directory that other users can change or replace is refused, on both sides', async () => {
  const to = { host: '127.0.0.1', port: 1 };
  const above = await temporaryDirectory();
  const directory = join(above, 'state');
  await mkdir(directory, { mode: 0o700 });
  const link = join(await temporaryDirectory(), 'link');
  await symlink(directory, link);
  const serve = (path = directory) =>
    serveMigrations({ listen: { ...to, port: 0 }, insecure: true, directory: path });
  const uses = [
    () => serve(),
    () => serve(link),
    () => migrate(process.pid, { to, insecure: true, directory }).result,
    () => resolveMigration(randomUUID(), { directory }),
    () => unresolvedMigrations({ directory }),
  ];
  const changes = [
    () => chmod(directory, 0o770),
    () => chmod(directory, 0o1777),
    () => chmod(directory, 0o700).then(() => chown(directory, 12_345, 0)),
    () => chown(directory, 0, 0).then(() => chmod(above, 0o770)),
    () => chmod(above, 0o1777).then(() => chown(above, 12_345, 0)),
  ];
  for (const change of changes) {
    await change();
    for (const use of uses) {
      const error = await failureOf(use());
      expect(error).toMatchObject({ code: 'ERR_CRIU_INVALID_ARGUMENT', option: 'directory' });
      expect(error.message).toContain('nobody else can write');
    }
  }
  await chown(above, 0, 0);
  await (await serve()).close();
  expect(await unresolvedMigrations({ directory })).toEqual([]);
});

test('a hook that never returns does not keep a server from starting, and stays due', async () => {
  const directory = await temporaryDirectory();
  const id = await note(directory, { state: 'aborted', isSetUp: true });
  const called: string[] = [];
  const afterMigration = (migration: { readonly id: string }) => {
    called.push(migration.id);
    return new Promise<void>(() => {});
  };
  for (const times of [1, 2]) {
    await recoverAll(directory, { afterMigration }, 50);
    expect(called).toEqual(Array.from({ length: times }, () => id));
  }
});
