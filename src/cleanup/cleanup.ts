import { closeSync, openSync } from 'node:fs';
import type { CriuOpts, Notification } from '../options/types.ts';
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
 * What has to be put right after a dump whose criu has died: CRIU rolls back by itself, but not if
 * it is killed. Something is noted while it runs, for not everything can be seen afterwards.
 */
export class Cleanup implements Disposable {
  readonly #root: number;
  readonly #options: Options;
  readonly #freezer: Freezer | undefined;
  /** What CRIU is about to lock as a whole. */
  #netns = -1;
  #locked = false;
  #complete = false;
  /** CRIU has begun to serve pages. */
  served = false;
  #tree: readonly number[];
  #connections: Promise<readonly Connection[]> | undefined;

  static async of(root: number, options: Options): Promise<Cleanup> {
    const { freezeCgroup } = options;
    const freezer = typeof freezeCgroup === 'string' ? await Freezer.at(freezeCgroup) : undefined;
    return new Cleanup(root, options, freezer);
  }

  /** Of a dump that nobody has followed: who began it has died, too. */
  static async late(tree: readonly number[], options: Options): Promise<Cleanup> {
    const [root = 0] = tree;
    const cleanup = await Cleanup.of(root, options);
    cleanup.#tree = tree;
    cleanup.#locked = !sameNetwork(root);
    if (cleanup.#locked) cleanup.#netns = openNetwork(root);
    cleanup.#connections = Promise.resolve(await cleanup.#findConnections());
    return cleanup;
  }

  private constructor(root: number, options: Options, freezer: Freezer | undefined) {
    this.#root = root;
    this.#tree = [root];
    this.#options = options;
    this.#freezer = freezer;
  }

  /** Whether the processes were in a frozen cgroup that CRIU was told of: they are afterwards. */
  get frozen(): boolean {
    return this.#freezer?.wasFrozen ?? false;
  }

  /** The level of the log at which CRIU tells the name of its table of nftables, if it may make one. */
  get logLevel(): number | undefined {
    const { networkLock, tcpEstablished } = this.#options;
    if (networkLock !== undefined && networkLock !== 'nftables') return undefined;
    return tcpEstablished || !sameNetwork(this.#root) ? 3 : undefined;
  }

  /** Follows the dump; it does not keep CRIU waiting. */
  observed({ script }: Notification, now: 'asked' | 'agreed'): void {
    if (script === 'network-lock') {
      if (now === 'agreed') this.#locked = true;
      else if (this.#netns < 0) this.#netns = openNetwork(this.#root);
    }
    // From here on the processes stand still, and only now CRIU begins to change something in them.
    if (script === 'query-ext-files' && now === 'asked') {
      this.#tree = descendantsOf(this.#root);
      this.#connections = this.#findConnections();
    }
    if (script === 'post-dump' && now === 'agreed') this.#complete = true;
    if (script === 'status-ready' && now === 'agreed') this.served = true;
  }

  /** Puts things right, once criu is dead, by the beginning of its log; tells what is not as it was before. */
  async rollBack(criu: number | undefined, log: string): Promise<string[]> {
    const left = criu === undefined ? [] : await awaitHelpers(criu);
    // What is frozen does not settle.
    if (this.frozen) await awaitParasiteExit(this.#tree);
    left.push(...((await this.#freezer?.restore()) ?? []));
    if (!this.frozen) await awaitParasiteExit(this.#tree);
    const gone = this.#gone();
    if (gone.includes(this.#root) && this.#complete) {
      // It died late: the images may be of use, and a restore needs the lock.
      const locked = this.#locked || (await this.#connections)?.length;
      return locked ? [...left, 'the lock of the network, for a restore'] : left;
    }
    const connections = await (this.#connections ?? this.#findConnections());
    left.push(...(await this.#unlock(connections, log)));
    left.push(...release(connections));
    if (this.#options.linkRemap) left.push(...(await removeLinkRemaps(this.#tree)));
    const others = gone.filter((pid) => pid !== this.#root);
    if (others.length > 0) left.push(`processes of the tree that are gone: ${others.join(', ')}`);
    return left;
  }

  /**
   * Takes the lock off that CRIU leaves for a restore, by the beginning of its log, once the processes
   * have ended: they run elsewhere by now. Tells what stays.
   */
  async unlock(log: string): Promise<string[]> {
    return await this.#unlock((await this.#connections) ?? [], log);
  }

  [Symbol.dispose](): void {
    if (this.#netns >= 0) closeSync(this.#netns);
    this.#netns = -1;
  }

  async #findConnections(): Promise<readonly Connection[]> {
    const { tcpEstablished, tcpClose } = this.#options;
    return tcpEstablished && !tcpClose ? await connectionsOf(this.#tree) : [];
  }

  async #unlock(all: readonly Connection[], log: string): Promise<string[]> {
    const { networkLock: method } = this.#options;
    // With nftables there is a table even if there is nothing to lock.
    if (!this.#locked && all.length === 0 && method !== 'nftables') return [];
    const connections = this.#locked ? [] : all;
    const tables = tablesNamedIn(log);
    return await unlockNetwork({
      method,
      netns: this.#locked ? this.#netns : -1,
      connections,
      tables,
    });
  }

  #gone(): number[] {
    return this.#tree.filter((pid) => stateOf(pid) === 'gone');
  }
}

function release(connections: readonly Connection[]): string[] {
  const left: string[] = [];
  let repaired = 0;
  for (const connection of connections) {
    try {
      if (endRepair(connection)) repaired++;
    } catch (error) {
      const { local, remote } = connection;
      const ends = `${local.address}:${local.port} to ${remote.address}:${remote.port}`;
      left.push(`the connection from ${ends}, unusable (${(error as Error).message})`);
    }
  }
  // Nobody can tell whether a process has tried before the connection was put right.
  const what = `${repaired} TCP socket${repaired === 1 ? '' : 's'}`;
  return repaired > 0 ? [`an EPERM that reads of ${what} may have got`, ...left] : left;
}

function sameNetwork(pid: number): boolean {
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

/** How much of the name of its table CRIU 4.2 has room for. */
const ROOM = 'CRIU-'.length + 21;

/** CRIU logs the name of its run when it starts, and another one, which counts, with the request. */
function tablesNamedIn(log: string): string[] | undefined {
  const names = [...log.matchAll(/ CRIU run id = ([\w-]+)/g)].map(([, id]) => `CRIU-${id}`);
  return names.length > 0 ? names.flatMap((name) => [name, name.slice(0, ROOM)]) : undefined;
}
