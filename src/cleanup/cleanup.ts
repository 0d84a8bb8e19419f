import { closeSync, openSync } from 'node:fs';
import { formatEndpoint } from '../netlink/ip-address.ts';
import type { Notification } from '../options/hooks.ts';
import type { CriuOpts } from '../options/types.ts';
import { namespacePath, readNamespaceSync } from '../procfs/namespaces.ts';
import { stateOf } from '../procfs/stat.ts';
import { descendantsOf } from '../procfs/tree.ts';
import { Freezer } from './freezer.ts';
import { awaitHelpers } from './helpers.ts';
import { removeLinkRemaps } from './link-remaps.ts';
import { unlockNetwork } from './network-lock.ts';
import { awaitParasiteExit } from './parasite.ts';
import { type Connection, connectionsOf, endRepair } from './tcp-repair.ts';

type Options = Pick<
  CriuOpts,
  'freezeCgroup' | 'linkRemap' | 'logLevel' | 'networkLock' | 'tcpClose' | 'tcpEstablished'
>;

/**
 * Rolls back a dump whose criu was killed; otherwise CRIU rolls back by itself. It observes the dump,
 * because some of what has to be rolled back cannot be found afterwards.
 */
export class Cleanup implements Disposable {
  readonly #root: number;
  readonly #options: Options;
  readonly #freezer: Freezer | undefined;
  /** A descriptor of the network namespace that CRIU locks as a whole; -1 if it locks none. */
  #netns = -1;
  #isNetworkLocked = false;
  #isComplete = false;
  /** True once CRIU serves pages: from then on it rolls back incompletely, even if it is not killed. */
  served = false;
  #tree: readonly number[];
  #connections: Promise<readonly Connection[]> | undefined;

  /** Prepares the cleanup of a dump that is about to start. */
  static async of(root: number, options: Options): Promise<Cleanup> {
    const { freezeCgroup } = options;
    const freezer = typeof freezeCgroup === 'string' ? await Freezer.at(freezeCgroup) : undefined;
    return new Cleanup(root, options, freezer);
  }

  /**
   * Prepares the cleanup of a dump that nothing has observed, because the process that started it
   * has died as well.
   * @param tree the pids of the tree, the root first
   */
  static async late(tree: readonly number[], options: Options): Promise<Cleanup> {
    const [root = 0] = tree;
    const cleanup = await Cleanup.of(root, options);
    cleanup.#tree = tree;
    cleanup.#isNetworkLocked = !isInOwnNetwork(root);
    if (cleanup.#isNetworkLocked) cleanup.#netns = openNetwork(root);
    cleanup.#connections = Promise.resolve(await cleanup.#findConnections());
    return cleanup;
  }

  private constructor(root: number, options: Options, freezer: Freezer | undefined) {
    this.#root = root;
    this.#tree = [root];
    this.#options = options;
    this.#freezer = freezer;
  }

  /** The pids of the tree, the root first, as they were when it was frozen. */
  get tree(): readonly number[] {
    return this.#tree;
  }

  /** True if the processes were in a frozen cgroup, given by `freezeCgroup`, before the dump. */
  get frozen(): boolean {
    return this.#freezer?.wasFrozen ?? false;
  }

  /** The log level that CRIU needs to log the name of its nftables table, if it may make one. */
  get logLevel(): number | undefined {
    const { networkLock, tcpEstablished } = this.#options;
    if (networkLock !== undefined && networkLock !== 'nftables') return undefined;
    return tcpEstablished || !isInOwnNetwork(this.#root) ? 3 : undefined;
  }

  /** Observes a step of the dump. Synchronous, so that CRIU does not wait for it. */
  observe({ script }: Notification, now: 'received' | 'acknowledged'): void {
    if (script === 'network-lock') {
      if (now === 'acknowledged') this.#isNetworkLocked = true;
      else if (this.#netns < 0) this.#netns = openNetwork(this.#root);
    }
    // At this step the processes are frozen, and CRIU has not changed anything in them yet.
    if (script === 'query-ext-files' && now === 'received') {
      this.#tree = descendantsOf(this.#root);
      this.#connections = this.#findConnections();
    }
    if (script === 'post-dump' && now === 'acknowledged') this.#isComplete = true;
    if (script === 'status-ready' && now === 'acknowledged') this.served = true;
  }

  /**
   * Rolls back the dump, once criu is dead.
   * @param criu the pid of criu, which led a session; undefined if nobody knows it
   * @param log the beginning of CRIU's log
   * @returns one phrase for each thing that is not as it was before the dump
   */
  async rollBack(criu: number | undefined, log: string): Promise<string[]> {
    const leftovers = criu === undefined ? [] : await awaitHelpers(criu);
    await this.#restoreProcesses(leftovers);
    const gone = this.#tree.filter((pid) => stateOf(pid) === 'gone');
    if (gone.includes(this.#root) && this.#isComplete) {
      // criu died after the dump was complete: the images can be restored, with the network locked.
      const isLocked = this.#isNetworkLocked || (await this.#connections)?.length;
      return isLocked ? [...leftovers, 'the network lock, which a restore needs'] : leftovers;
    }
    const connections = await (this.#connections ?? this.#findConnections());
    leftovers.push(...(await this.#unlock(connections, log)));
    leftovers.push(...endRepairs(connections));
    if (this.#options.linkRemap) leftovers.push(...(await removeLinkRemaps(this.#tree)));
    const ended = gone.filter((pid) => pid !== this.#root);
    if (ended.length > 0) leftovers.push(`processes of the tree that ended: ${ended.join(', ')}`);
    return leftovers;
  }

  /**
   * Removes the network lock that CRIU leaves for a restore, once the processes have ended and run
   * elsewhere.
   * @param log the beginning of CRIU's log
   * @returns one phrase for each part of the lock that could not be removed
   */
  async unlock(log: string): Promise<string[]> {
    return await this.#unlock((await this.#connections) ?? [], log);
  }

  [Symbol.dispose](): void {
    if (this.#netns >= 0) closeSync(this.#netns);
    this.#netns = -1;
  }

  /** Brings the freezer back to its state, and waits until the processes run their own code. */
  async #restoreProcesses(leftovers: string[]): Promise<void> {
    // A frozen process cannot leave the parasite code: wait while the cgroup is thawed.
    if (this.frozen) await awaitParasiteExit(this.#tree);
    leftovers.push(...((await this.#freezer?.restore()) ?? []));
    if (!this.frozen) await awaitParasiteExit(this.#tree);
  }

  async #findConnections(): Promise<readonly Connection[]> {
    const { tcpEstablished, tcpClose } = this.#options;
    return tcpEstablished && !tcpClose ? await connectionsOf(this.#tree) : [];
  }

  async #unlock(connections: readonly Connection[], log: string): Promise<string[]> {
    const { networkLock: method } = this.#options;
    // With nftables CRIU makes a table even if it has nothing to lock.
    if (!this.#isNetworkLocked && connections.length === 0 && method !== 'nftables') return [];
    return await unlockNetwork({
      method,
      netns: this.#isNetworkLocked ? this.#netns : -1,
      connections: this.#isNetworkLocked ? [] : connections,
      tables: tablesNamedIn(log),
    });
  }
}

function endRepairs(connections: readonly Connection[]): string[] {
  const leftovers: string[] = [];
  let repaired = 0;
  for (const connection of connections) {
    try {
      if (endRepair(connection)) repaired++;
    } catch (error) {
      const { local, remote } = connection;
      const ends = [local, remote].map(({ address: host, port }) => formatEndpoint({ host, port }));
      leftovers.push(
        `the unusable connection from ${ends.join(' to ')} (${(error as Error).message})`,
      );
    }
  }
  if (repaired === 0) return leftovers;
  // A process may have read before the repair mode ended; nothing records whether it did.
  const sockets = `${repaired} TCP socket${repaired === 1 ? '' : 's'}`;
  return [`${sockets} whose reads may have failed with EPERM`, ...leftovers];
}

/** True if a process is in the network namespace of this process, or is gone. */
function isInOwnNetwork(pid: number): boolean {
  try {
    const namespace = readNamespaceSync(pid, 'net');
    return namespace === undefined || namespace === readNamespaceSync('self', 'net');
  } catch {
    return true;
  }
}

function openNetwork(pid: number): number {
  try {
    return openSync(namespacePath(pid, 'net'), 'r');
  } catch {
    return -1;
  }
}

/** CRIU 4.2 cuts the name of its table off after this many characters. */
const MAX_TABLE_NAME = 'CRIU-'.length + 21;

/**
 * Finds the names that CRIU may have given to its nftables table. It logs an id when it starts and
 * another one with the request; the name contains the latter.
 */
function tablesNamedIn(log: string): string[] | undefined {
  const names = [...log.matchAll(/ CRIU run id = ([\w-]+)/g)].map(([, id]) => `CRIU-${id}`);
  if (names.length === 0) return undefined;
  return names.flatMap((name) => [name, name.slice(0, MAX_TABLE_NAME)]);
}
