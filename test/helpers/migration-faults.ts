import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { expect } from 'vitest';
import { criuPath } from '../../scripts/criu-path.mjs';
import {
  type CriuError,
  type Migration,
  type MigrationMode,
  type MigrationPhase,
  migrate,
  resolveMigration,
  unresolvedMigrations,
} from '../../src/index.ts';
import { runningCriu } from './checkpoints.ts';
import { failureOf } from './failures.ts';
import { LibraryProcess } from './library-process.ts';
import { criuIn, MigrationHost } from './migration-host.ts';
import { holdings } from './own-resources.ts';
import { noteFault } from './reliability.ts';
import { RunLog } from './run-log.ts';
import { oneIn, sample } from './sample.ts';
import { TcpProxy } from './tcp-proxy.ts';
import { temporaryDirectory, waitFor } from './workload.ts';

/** The kinds of faults. */
export type FaultKind =
  | 'agent of the destination killed'
  | 'destination killed with all in it'
  | 'agent of the source killed'
  | 'criu of the source killed'
  | 'criu of the destination killed'
  | 'lazy-pages daemon killed'
  | 'connections cut'
  | 'network stands still'
  | 'hook throws'
  | 'cancelled'
  | 'switchOver throws';

/** A fault, and when it strikes. */
export interface MigrationFault {
  readonly mode: MigrationMode;
  /** The option `lazyRestore`: with it, the copy lacks memory until the fault has struck. */
  readonly lazyRestore?: boolean;
  readonly kind: FaultKind;
  readonly phase: MigrationPhase;
  /** Strikes this long after the phase has begun; without it the phase waits for the fault. */
  readonly afterMs?: number;
  /** Strikes once the destination has written this state into its journal. */
  readonly state?: 'receiving' | 'prepared' | 'resuming' | 'resumed' | 'complete';
}

/** When a fault strikes: at a phase, some milliseconds into it, or at a state of the destination. */
type Moment =
  | MigrationPhase
  | `=${NonNullable<MigrationFault['state']>}`
  | Partial<Record<MigrationPhase, number>>;

/**
 * A fault at some moments, the code of its error (undefined if there is none), and which copy runs in the
 * end. Without a code the outcome depends on the moment.
 */
export type Expected = readonly [
  kind: FaultKind,
  moments: readonly Moment[],
  code?: string | undefined,
  owner?: Outcome['owner'],
];

/**
 * A case for each moment, with its title. `npm test` tries some of the rows at their last moment, which has
 * the most to undo, and a soak run all of them at all moments.
 * @param every `npm test` tries one in so many rows
 */
export function casesOf(way: Way, expected: readonly Expected[], every = 1) {
  const name = nameOf(way);
  const rows = oneIn(every, `faults of a migration in ${name}`, expected, every - 1);
  return rows.flatMap(([kind, moments, code, owner]) => {
    const isOpen = code === undefined && owner === undefined;
    const what = `moments of the fault of a migration in ${name}: ${kind}`;
    const tried = sample(what, moments.length, 1);
    return moments.slice(-tried).map((moment) => {
      const fault = { ...way, kind, ...momentOf(moment) } as MigrationFault;
      const title = `${name}: ${describeFault(fault)}`;
      return [title, { fault, code: isOpen ? 'any' : code, owner }] as const;
    });
  });
}

type Way = Pick<MigrationFault, 'mode' | 'lazyRestore'>;

function nameOf({ mode, lazyRestore }: Way): string {
  if (lazyRestore === undefined) return mode;
  return `${mode} ${lazyRestore ? 'with' : 'without'} lazyRestore`;
}

/** Tries a fault of {@link casesOf}, and expects its outcome. */
export async function tryCase(
  { fault, code, owner }: ReturnType<typeof casesOf>[number][1],
  circumstances?: Circumstances,
): Promise<void> {
  const outcome = await tryFault(fault, circumstances);
  if (code !== 'any') expect(outcome.code, outcome.message).toBe(code);
  if (owner) expect(outcome.owner).toBe(owner);
}

function momentOf(moment: Moment): Partial<MigrationFault> {
  if (typeof moment !== 'string') {
    const [[phase, afterMs] = []] = Object.entries(moment);
    return { phase: phase as MigrationPhase, ...(afterMs !== undefined && { afterMs }) };
  }
  if (!moment.startsWith('=')) return { phase: moment as MigrationPhase };
  return { phase: 'offer', state: moment.slice(1) as NonNullable<MigrationFault['state']> };
}

/** The outcome of a fault. */
export interface Outcome {
  /** The code of the error; undefined after success, or if the source died. */
  readonly code: string | undefined;
  readonly message: string;
  /** The `workload` of the error. */
  readonly workload: string | undefined;
  /** What resolveMigration() did, if it was needed. */
  readonly resolved: string | undefined;
  /** The host on which the program runs in the end; none if CRIU's code has ended it. */
  readonly owner: 'source' | 'destination' | 'none';
  /** True if the copy has run and what it did is lost. */
  readonly isBack: boolean;
}

/** A pid that no process has. */
const NO_PID = 0x3fffffff;
const FROM = '127.0.0.2';
const TO = '127.0.0.1';

/** The environment of a try. */
export interface Circumstances {
  readonly heapMiB?: number;
  /** The factor by which the machine is slower than usual. */
  readonly patience?: number;
  /** Put the fault into the tables of docs/faults.md. Default `true`. */
  readonly isNoted?: boolean;
}

/** Tries a fault, and expects that exactly one copy runs in the end and nothing else is left. */
export async function tryFault(
  fault: MigrationFault,
  { heapMiB = 32, patience = 1, isNoted = true }: Circumstances = {},
): Promise<Outcome> {
  const { mode, lazyRestore = false, kind, phase, afterMs, state } = fault;
  const runLog = await RunLog.start(heapMiB);
  const host = await MigrationHost.start({
    ...{ insecure: true, holdMs: 5000 * patience, stallMs: 3000 * patience },
    stopsDaemon: lazyRestore,
  });
  const before = await held();
  const network = await TcpProxy.start(FROM, TO, host.ports);
  const directory = await temporaryDirectory();
  let migration: Migration | undefined;
  let called = 0;
  const actions: Record<FaultKind, () => unknown> = {
    'agent of the destination killed': () =>
      state ? host.agent.ask('dieAt', { state }) : host.killAgent(),
    'destination killed with all in it': () => host.kill(),
    'agent of the source killed': () => {},
    'criu of the source killed': async () => process.kill(await runningCriu(), 'SIGKILL'),
    'criu of the destination killed': () => host.agent.ask('killCriu', { daemon: false }),
    'lazy-pages daemon killed': () => host.agent.ask('killCriu', { daemon: true }),
    'connections cut': () => network.cut(),
    'network stands still': () => network.stall(),
    'hook throws': () => {
      throw new Error('the hook has thrown');
    },
    cancelled: () => void migration?.cancel(),
    'switchOver throws': () => {},
  };
  const strike = async () => {
    called++;
    try {
      await actions[kind]();
    } finally {
      await continueDaemon();
    }
  };
  const continueDaemon = async () => {
    const hasDied = kind.startsWith('agent of the dest') || kind.startsWith('destination');
    // The daemon itself may have died, or may not have been started yet.
    if (lazyRestore && !hasDied) await host.agent.do('continueDaemon');
  };
  const order: string[] = [];
  const options = {
    ...{ to: { host: FROM, port: host.ports[0] }, insecure: true, mode, directory },
    lazyRestore,
    stallMs: (kind === 'network stands still' ? 2500 : 5000) * patience,
  };
  let error: Pick<CriuError, 'code' | 'message' | 'workload'> | undefined;
  let struck: Promise<unknown> = Promise.resolve();
  if (kind === 'agent of the source killed') {
    const source = await LibraryProcess.start();
    const answer = await source.do('migrate', {
      pid: runLog.pid,
      ...options,
      dieAt: phase,
      afterMs,
    });
    await continueDaemon();
    if (answer === 'ended') called++;
    else error = answer.error;
  } else {
    migration = migrate(runLog.pid, {
      ...options,
      path: criuPath(),
      hooks: {
        phase: async (now) => {
          if (now !== phase || called > 0 || kind === 'switchOver throws') return;
          if (afterMs === undefined) return await strike();
          struck = new Promise((resolve) => setTimeout(resolve, afterMs))
            .then(strike)
            .catch(() => {});
        },
      },
      switchOver: () => {
        order.push('over');
        if (kind !== 'switchOver throws') return;
        called++;
        throw new Error('switchOver has thrown');
      },
      switchBack: () => void order.push('back'),
    });
    await migration.result.catch((thrown: CriuError) => {
      error = thrown;
    });
  }
  await struck;
  expect(called, `the fault has come (${error?.message})`).toBe(1);

  network.heal();
  if (kind === 'agent of the destination killed' || kind === 'destination killed with all in it') {
    await host.recover();
  }
  const [open] = await unresolvedMigrations({ directory });
  let resolved: string | undefined;
  if (open !== undefined) {
    const resolve = async () => await resolveMigration(open, { directory, insecure: true });
    let how = await resolve();
    // Until the copy has all of its memory, the source keeps the stopped original.
    while (how.destination === 'resumed') how = await resolve();
    resolved = how.done;
    expect(how.owner).not.toBe('undecided');
    expect(await unresolvedMigrations({ directory })).toEqual([]);
  }
  // A migration is open only after an unresolved error or the death of the source; a source that dies
  // later may have finished it.
  const isUnresolved = error?.code === 'ERR_CRIU_MIGRATION_UNRESOLVED';
  const hasDied = kind === 'agent of the source killed' && phase !== 'offer';
  if (!hasDied || afterMs === undefined) expect(open !== undefined).toBe(isUnresolved || hasDied);

  // CRIU's code in a process can end it when its criu is killed: see docs/reliability.md.
  if (kind === 'criu of the source killed' && error?.workload === 'gone') {
    expect(await runLog.copies()).toEqual([]);
    await expectNothingLeft(host, directory, 'source');
    await network.close();
    return { ...error, resolved, owner: 'none', isBack: false };
  }
  const alone = await runLog.alone();
  await runLog.verify();
  const owner = alone === runLog.pid ? 'source' : 'destination';
  const stays = await runLog.stays();
  const isBack = expectOneAtATime(stays, owner, fault);
  if (order.length > 0 && owner === 'source' && !isUnresolved) {
    expect(order).toEqual(['over', 'back']);
  }
  if (error && !isUnresolved) expect(error.workload ?? 'running').toBe('running');
  if (isUnresolved) expect(error?.workload).toBe('stopped');
  // A source that has died after the end of the migration may leave its images to the next one.
  if (kind === 'agent of the source killed')
    await failureOf(migrate(NO_PID, { ...options, path: criuPath() }).result);
  await expectNothingLeft(host, directory, owner);
  await network.close();
  // The original was a child of this process.
  if (owner === 'destination') before.children--;
  const isAsBefore = async () => isDeepStrictEqual(await held(), before);
  await waitFor(isAsBefore, 'this process holds what it did').catch(async () => {
    expect(await held()).toEqual(before);
  });
  const { code, message = '', workload } = error ?? {};
  if (isNoted) {
    await noteFault('migration', {
      fault: `${nameOf(fault)}: ${describeFault(fault)}`,
      ...(afterMs === undefined
        ? { error: expectedError(code, kind), workload: ending(owner, isBack, resolved) }
        : { error: 'depends on timing', workload: 'one copy runs' }),
      left: 'nothing',
    });
  }
  return { code, message, workload, resolved, owner, isBack };
}

/** Describes a fault and when it strikes. */
export function describeFault({ kind, phase, afterMs, state }: MigrationFault): string {
  if (state) return `${kind} when it has written '${state}'`;
  return `${kind} ${afterMs === undefined ? 'at' : `${afterMs} ms into`} ${phase}`;
}

/** Expects that the program ran on one host after the other; without lazy pages it lost no step. */
function expectOneAtATime(
  stays: Awaited<ReturnType<RunLog['stays']>>,
  owner: Outcome['owner'],
  { mode, lazyRestore }: MigrationFault,
): boolean {
  const places = stays.map(({ here }) => (here ? 'source' : 'destination'));
  const isLazy = lazyRestore || mode === 'post-copy' || mode === 'hybrid';
  const isBack = isLazy && places.length === 3;
  const expected =
    owner === 'destination'
      ? ['source', 'destination']
      : isBack
        ? ['source', 'destination', 'source']
        : ['source'];
  expect(places, JSON.stringify(stays)).toEqual(expected);
  // Each copy continues where the original stopped.
  const [first, ...later] = stays;
  for (const stay of later) expect(stay.first).toBe((first?.last ?? 0) + 1);
  return isBack;
}

async function expectNothingLeft(
  host: MigrationHost,
  directory: string,
  owner: Outcome['owner'],
): Promise<void> {
  const images = async () => {
    const lists = [directory, host.directory].map((one) =>
      readdir(join(one, 'images')).catch((): string[] => []),
    );
    return (await Promise.all(lists)).flat();
  };
  const criu = async () => [...(await host.criu()), ...(await criuIn([directory, host.directory]))];
  const left = async () => [
    ...(await images()).map((id) => `images of ${id}`),
    ...(await criu()).map((pid) => `criu ${pid}`),
  ];
  await waitFor(async () => (await left()).length === 0, 'nothing is left').catch(async () => {
    expect(await left(), `owner: ${owner}`).toEqual([]);
  });
}

/** The resources of this process, without numbers, which differ for a new agent. */
async function held() {
  const { descriptors, children } = await holdings();
  return {
    descriptors: descriptors.map((link) => link.replace(/\d+/g, '')).sort(),
    children: children.length,
  };
}

function expectedError(code: string | undefined, kind: FaultKind): string {
  if (kind === 'agent of the source killed') return 'none: the caller is gone';
  return code ?? 'none';
}

function ending(owner: Outcome['owner'], isBack: boolean, resolved: string | undefined): string {
  const where = owner === 'source' ? 'the original runs on' : 'the copy runs';
  const lost = isBack ? ', from before the copy ran' : '';
  return `${where}${lost}${resolved === undefined ? '' : ', after resolveMigration'}`;
}
