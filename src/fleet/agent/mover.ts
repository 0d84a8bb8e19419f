import { setTimeout as sleep } from 'node:timers/promises';
import { CriuError } from '../../errors.ts';
import type { MigrationMode, MigrationPhase, Owner } from '../../index.ts';
import type { Action, MoveLimits, Order, SignedOrder } from '../orders/order.ts';
import type { HostBackend, OutgoingMove } from './backend.ts';
import { toMigrationMetadata } from './move-metadata.ts';
import { TryLater } from './step-failure.ts';
import type { WorkloadEntry, WorkloadTable } from './workload-table.ts';

/** What a move has resulted in. */
export interface MoveOutcome {
  readonly to: string;
  /** The pid at the destination; undefined if it is not known. */
  readonly pid: number | undefined;
  readonly mode: MigrationMode | undefined;
  readonly bytes: number;
  /** How long no copy ran, in milliseconds; undefined if an earlier agent has begun the move. */
  readonly downtimeMs: number | undefined;
  readonly totalMs: number | undefined;
}

/** How far a move is. */
export interface MoveProgress {
  readonly phase: MigrationPhase;
  readonly bytes: number;
  readonly totalBytes: number | undefined;
}

/** What a move needs besides its order. */
export interface MoveSurroundings {
  readonly signed: SignedOrder;
  /** Where the destination listens; throws {@link TryLater} if it is not known. */
  endpointOf(host: string): Promise<{ readonly host: string; readonly port: number }>;
  readonly signal: AbortSignal;
  progress(progress: MoveProgress): void;
  /** Durably notes that the workload has moved, before this host forgets it. */
  moved(outcome: MoveOutcome): Promise<void>;
}

type MoveOrder = Order<Extract<Action, { readonly kind: 'move' }>>;

const GIB = 2 ** 30;
const PER_GIB_MS = 300_000;
const PROGRESS_MS = 60_000;
/** How often a move is looked at, in milliseconds. */
const LOOK_MS = 250;

/** The phases in which bytes have to come. */
const SENDING: readonly MigrationPhase[] = ['rounds', 'dump', 'images', 'pages'];

/** Moves workloads away from a host, each at most once at a time. */
export class Mover {
  readonly #backend: HostBackend;
  readonly #table: WorkloadTable;
  readonly #active = new Map<string, ActiveMove>();

  constructor(backend: HostBackend, table: WorkloadTable) {
    this.#backend = backend;
    this.#table = table;
  }

  /** Cancels a move, unless its copy may run already. Returns false if it is not under way. */
  cancel(step: string): boolean {
    const active = [...this.#active.values()].find((one) => one.step === step);
    active?.abort.abort(new Error('the move was cancelled'));
    return active !== undefined;
  }

  /** The host that a workload is being moved to; undefined if it is not being moved. */
  destinationOf(workload: string): string | undefined {
    return this.#active.get(workload)?.to;
  }

  /** Resolves what an earlier agent has left. */
  async recover(): Promise<void> {
    const left = await this.#backend.unresolved();
    for (const entry of this.#table.all) {
      const { migration, root, state } = entry;
      if (state === 'arriving') continue;
      const found = left.find(({ id, pid }) => id === migration || pid === root.pid);
      if (found || state === 'moving') await this.#settle(entry, found?.id ?? migration);
    }
  }

  /** Moves a workload. It rejects with the workload on this host, or with its migration unresolved. */
  async move(order: MoveOrder, surroundings: MoveSurroundings): Promise<MoveOutcome> {
    const { workload: name, to, limits = {} } = order.action;
    const active = this.#active.get(name);
    // The queue takes a step for abandoned if this process has been busy for too long.
    if (active?.step === order.id) throw new TryLater(`${name} is still being moved by this step`);
    if (active) throw failed(`${name} is being moved already`);
    const abort = new AbortController();
    const cancel = () => abort.abort(surroundings.signal.reason);
    surroundings.signal.addEventListener('abort', cancel, { once: true });
    this.#active.set(name, { step: order.id, to, abort });
    try {
      const settled = await this.#settleFirst(name, to, surroundings);
      if (settled) return settled;
      const attempt = { order, surroundings, signal: abort.signal, limits };
      return await this.#attempt(attempt, false);
    } finally {
      surroundings.signal.removeEventListener('abort', cancel);
      this.#active.delete(name);
    }
  }

  /** Finishes what an earlier attempt has left; returns its outcome if that one has moved the workload. */
  async #settleFirst(
    name: string,
    to: string,
    surroundings: MoveSurroundings,
  ): Promise<MoveOutcome | undefined> {
    const entry = this.#table.get(name);
    if (!entry) throw failed(`this host has no workload ${name}`);
    if (entry.state === 'arriving') throw new TryLater(`${name} has not arrived yet`);
    if (entry.state !== 'moving') return undefined;
    let outcome: MoveOutcome | undefined;
    const owner = await this.#settle(entry, entry.migration, async (pid) => {
      const unknown = { mode: undefined, downtimeMs: undefined, totalMs: undefined };
      outcome = { to, pid, bytes: 0, ...unknown };
      await surroundings.moved(outcome);
    });
    if (owner !== 'undecided') return outcome;
    throw new TryLater(`the destination does not say whether it has ${name}`);
  }

  async #settle(
    entry: WorkloadEntry,
    migration: string | undefined,
    moved: (copy: number | undefined) => Promise<void> = async () => {},
  ): Promise<Owner> {
    const { name } = entry.spec;
    // Without a journal the migration was never offered.
    const resolved =
      migration === undefined
        ? undefined
        : await this.#backend.resolve(migration, entry.spec).catch(noJournal);
    const { owner = 'source' as const, copy } = resolved ?? {};
    if (owner === 'destination') {
      await moved(copy);
      await this.#table.remove(name);
    }
    if (owner === 'source') await this.#table.put({ ...entry, state: 'running' });
    return owner;
  }

  async #attempt(attempt: Attempt, postCopy: boolean): Promise<MoveOutcome> {
    const { order, surroundings, signal, limits } = attempt;
    const { workload: name, to } = order.action;
    const entry = this.#table.get(name) as WorkloadEntry;
    const { root, spec, kind, generation } = entry;
    if (!this.#backend.isRunning(root)) throw failed(`${name} has ended`);
    const endpoint = await surroundings.endpointOf(to);
    const memory = await this.#backend.memoryBytes(root);
    signal.throwIfAborted();
    const { perGiBMs = PER_GIB_MS, progressMs = PROGRESS_MS } = limits;
    let isDiverging = false;
    let move: OutgoingMove | undefined;
    const metadata = toMigrationMetadata({ order: surroundings.signed, spec, kind, generation });
    move = await this.#backend.migrate({
      ...{ root, spec, metadata, postCopy },
      to: { name: to, ...endpoint },
      deadlineMs: Math.ceil(perGiBMs * Math.max(1, memory / GIB)),
      notConverging:
        spec.allowPostCopy && !postCopy
          ? () => {
              isDiverging = true;
              void move?.cancel();
            }
          : undefined,
      phase: async (phase) => {
        // Before anything is offered: a new agent must find the migration.
        if (phase === 'offer') {
          await this.#table.put({ ...entry, state: 'moving', migration: move?.id });
        }
      },
    });
    const cancel = () => void move.cancel();
    signal.addEventListener('abort', cancel, { once: true });
    try {
      const result = await watched(move, { progressMs, progress: surroundings.progress });
      const { pid, mode, bytes, downtimeMs, totalMs } = result;
      const outcome = { to, pid, mode, bytes, downtimeMs, totalMs };
      await surroundings.moved(outcome);
      await this.#table.remove(name);
      return outcome;
    } catch (error) {
      if ((error as CriuError).code === 'ERR_CRIU_MIGRATION_UNRESOLVED') throw error;
      await this.#table.put({ ...entry, state: 'running', migration: undefined });
      if (signal.aborted) throw signal.reason;
      if (isDiverging) return await this.#attempt(attempt, true);
      throw error;
    } finally {
      signal.removeEventListener('abort', cancel);
    }
  }
}

interface ActiveMove {
  readonly step: string;
  readonly to: string;
  readonly abort: AbortController;
}

interface Attempt {
  readonly order: MoveOrder;
  readonly surroundings: MoveSurroundings;
  readonly signal: AbortSignal;
  readonly limits: MoveLimits;
}

interface Watching {
  readonly progressMs: number;
  progress(progress: MoveProgress): void;
}

/** Follows a move, and cancels it if no bytes come for too long. */
async function watched(move: OutgoingMove, { progressMs, progress }: Watching) {
  let last = { at: performance.now(), bytes: 0, phase: 'offer' as MigrationPhase };
  let isStuck = false;
  const following = (async () => {
    for await (const { phase, bytes = last.bytes, totalBytes } of move) {
      if (bytes !== last.bytes || phase !== last.phase) {
        last = { at: performance.now(), bytes, phase };
      }
      progress({ phase, bytes, totalBytes });
    }
  })();
  const ended = new AbortController();
  const looking = (async () => {
    while (!ended.signal.aborted) {
      await sleep(LOOK_MS, undefined, { signal: ended.signal, ref: false }).catch(() => {});
      if (!SENDING.includes(last.phase) || performance.now() - last.at < progressMs) continue;
      isStuck = true;
      await move.cancel();
    }
  })();
  try {
    return await move.result;
  } catch (error) {
    if (!isStuck) throw error;
    const seconds = progressMs / 1000;
    const message = `no memory has moved for ${seconds} s in the phase ${last.phase}`;
    throw new CriuError('ERR_CRIU_MIGRATION_FAILED', message, { operation: 'move', cause: error });
  } finally {
    ended.abort();
    await Promise.all([following, looking]);
  }
}

function noJournal(error: CriuError): undefined {
  if (error.code === 'ERR_CRIU_INVALID_ARGUMENT' && error.option === 'id') return undefined;
  throw error;
}

function failed(reason: string): CriuError {
  return new CriuError('ERR_CRIU_FLEET', reason, { operation: 'move' });
}
