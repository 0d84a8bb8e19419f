import { constants } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cancellation } from '../concurrency/cancellation.ts';
import { native } from '../native/index.ts';
import { descriptorPath, readDescriptorLink, readDescriptors } from '../procfs/descriptors.ts';
import { readFdInfo } from '../procfs/fdinfo.ts';
import { isMemory, type Mapping, mapFileOf, readMaps } from '../procfs/maps.ts';
import { type Mount, readMountInfo } from '../procfs/mountinfo.ts';
import { type Namespaces, readNamespace, readNamespaces } from '../procfs/namespaces.ts';
import { readThreads } from '../procfs/processes.ts';
import { eachOf, lstatOf, statOf, withFile } from '../procfs/read.ts';
import { parseProtectionKeys, parseSmaps, readSmaps } from '../procfs/smaps.ts';
import { readStat, type Stat } from '../procfs/stat.ts';
import { readStatus, readThreadStatus, type Status } from '../procfs/status.ts';
import type { Descriptor, OpenFile, ProcessFacts } from './snapshot.ts';
import type { MountLookup, MountView, Watches } from './watches.ts';

const O_PATH = 0o10000000;
/** How often a process or descriptor is read that changes meanwhile. */
const MAX_ATTEMPTS = 3;
/** How long and how often a process is looked at until its uninterruptible state counts. */
const UNINTERRUPTIBLE_MS = 200;
const UNINTERRUPTIBLE_LOOKS = 10;

/** What is read of the memory of processes besides the mappings with a name. */
export interface WantedMemory {
  readonly protectionKeys: boolean;
  readonly sizes: boolean;
}

/** Reads processes. It reads once what they share. */
export class ProcessReader {
  /** The mounts of all mount namespaces of the processes read so far, by id. */
  readonly mounts = new Map<number, Mount>();
  /** The same by namespace. */
  readonly mountsOf = new Map<string, readonly Mount[]>();
  readonly #ownMounts: string | undefined;
  readonly #wanted: WantedMemory;
  readonly #tree: readonly number[];
  readonly #views = new Map<string, Promise<MountView>>();
  #lookups: Promise<MountLookup[]> | undefined;
  readonly #watches: Watches;
  readonly #cancellation: Cancellation;

  /**
   * @param tree the pids of all processes
   * @param cancellation once it is requested, nothing more is read, and processes are left out
   */
  constructor(
    own: Namespaces,
    tree: readonly number[],
    wanted: WantedMemory,
    watches: Watches,
    cancellation: Cancellation,
  ) {
    this.#ownMounts = own.get('mnt');
    this.#tree = tree;
    this.#wanted = wanted;
    this.#watches = watches;
    this.#cancellation = cancellation;
  }

  /**
   * Reads a process; undefined if it has ended. A process that ends while it is read would look like an
   * obstacle, because some of its files are empty or refused then: the result counts only if the
   * process has not come closer to its end afterwards.
   */
  async read(pid: number): Promise<ProcessFacts | undefined> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS && !this.#cancellation.reason; attempt++) {
      const facts = await this.#look(pid);
      if (!facts || (await isStill(facts.stat.state, pid))) return facts;
    }
    return undefined;
  }

  async #look(pid: number): Promise<ProcessFacts | undefined> {
    const [stat, status] = await Promise.all([readLastingStat(pid), readStatus(pid)]);
    if (!stat || !status) return undefined;
    const basics = { pid, stat, status };
    const nothing = { descriptors: [], files: [], mappings: [], protectionKeys: 0, memory: [] };
    const threads = await threadsOf(pid);
    try {
      if (stat.state === 'Z') {
        return { ...basics, threads, namespaces: new Map(), ...nothing, refused: undefined };
      }
      const namespaces = await readNamespaces(pid);
      const lookup = await this.#lookupOf(pid, namespaces.get('mnt') ?? '');
      const paths: PathLookup = { pid, ...lookup, now: new Map() };
      const mappings = (await readMaps(pid)).filter(({ path }) => path !== '');
      this.#cancellation.throwIfRequested();
      return {
        ...basics,
        threads,
        namespaces,
        mappings,
        ...(await this.#memoryOf(pid)),
        files: [...(await roleFilesOf(paths)), ...(await mappedFilesOf(paths, mappings))],
        descriptors: await this.#descriptorsOf(paths),
        refused: undefined,
      };
    } catch (error) {
      const refused = (error as Error).message;
      return { ...basics, threads, namespaces: new Map(), ...nothing, refused };
    }
  }

  async #memoryOf(pid: number): Promise<Pick<ProcessFacts, 'protectionKeys' | 'memory'>> {
    const { protectionKeys, sizes } = this.#wanted;
    const smaps = protectionKeys || sizes ? await readSmaps(pid) : '';
    return { protectionKeys: parseProtectionKeys(smaps), memory: sizes ? parseSmaps(smaps) : [] };
  }

  async #lookupOf(pid: number, namespace: string): Promise<MountLookup> {
    const view = await this.#viewOf(pid, namespace);
    const isOwn = namespace === this.#ownMounts;
    return { root: isOwn ? '' : `/proc/${pid}/root${UP_TO_THE_TOP}`, view };
  }

  readonly #allMounts = async (): Promise<readonly MountLookup[]> => {
    this.#lookups ??= this.#readAllMounts();
    return await this.#lookups;
  };

  /** Reads the mounts of each mount namespace of the tree. */
  async #readAllMounts(): Promise<MountLookup[]> {
    const processes = new Map<string, number>();
    for (const pid of this.#tree) {
      // A process that has ended has none.
      const namespace = await readNamespace(pid, 'mnt').catch(() => undefined);
      if (namespace !== undefined && !processes.has(namespace)) processes.set(namespace, pid);
    }
    return await eachOf(processes, ([namespace, pid]) => this.#lookupOf(pid, namespace));
  }

  /** Reads the mounts of a namespace, as CRIU does: of its own namespace those that criu itself sees. */
  async #viewOf(pid: number, namespace: string): Promise<MountView> {
    // The list is empty if it was read from a process that was ending.
    const known = await this.#views.get(namespace)?.catch(() => undefined);
    if (known?.mounts.length) return known;
    const isOwn = namespace === this.#ownMounts;
    const reading = readMountInfo(isOwn ? 'self' : pid).then((mounts) => {
      return { mounts, root: isOwn ? '' : `/proc/${pid}/root` };
    });
    this.#views.set(namespace, reading);
    const view = await reading;
    for (const mount of view.mounts) this.mounts.set(mount.id, mount);
    this.mountsOf.set(namespace, view.mounts);
    return view;
  }

  async #descriptorsOf(paths: PathLookup): Promise<Descriptor[]> {
    return await eachOf(await readDescriptors(paths.pid), (fd) => this.#descriptorOf(paths, fd));
  }

  /** Reads a descriptor, again if its number is reused meanwhile; undefined if it is closed. */
  async #descriptorOf(paths: PathLookup, fd: number): Promise<Descriptor | undefined> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS && !this.#cancellation.reason; attempt++) {
      const link = await readDescriptorLink(paths.pid, fd);
      if (link === undefined) return undefined;
      const descriptor = await this.#factsOf(paths, fd, link);
      if (descriptor && !descriptor.info) return descriptor;
      if (descriptor && (await readDescriptorLink(paths.pid, fd)) === link) return descriptor;
    }
    return undefined;
  }

  async #factsOf(paths: PathLookup, fd: number, link: string): Promise<Descriptor | undefined> {
    const path = descriptorPath(paths.pid, fd);
    if (link.startsWith('socket:')) return { fd, link, protocol: protocolOf(path) };
    if (!link.startsWith('/')) {
      const info = needsInfo.test(link) ? await readFdInfo(paths.pid, fd) : undefined;
      const unresolved = info?.watches.length
        ? await this.#watches.unresolved(paths, info.watches, this.#allMounts)
        : [];
      return { fd, link, info, unresolved };
    }
    const [stats, info] = await Promise.all([statOf(path), readFdInfo(paths.pid, fd)]);
    if (!stats || !info) return undefined;
    const now = await present(paths, link, stats.isSymbolicLink());
    return { fd, link, info, file: { role: '', path: link, stats, mount: info.mount, now } };
  }
}

/**
 * True unless a process has come closer to its end since it was in a state. A process leaves its
 * namespaces some time before it is a zombie.
 */
async function isStill(state: string, pid: number): Promise<boolean> {
  if (state === 'Z') return (await readStat(pid)) !== undefined;
  // A process that may not be read has not ended.
  const link = await readNamespace(pid, 'mnt').catch((error: Error) => error);
  return link !== undefined;
}

/**
 * Leads from the root directory of a process in another mount namespace, which chroot(2) may have set, to
 * that of the namespace, where the paths in links of /proc begin. There `..` leads no further.
 */
const UP_TO_THE_TOP = '/..'.repeat(64);

/** Reads the state of a process, again for a while if it waits for a disk, as all do now and then. */
async function readLastingStat(pid: number): Promise<Stat | undefined> {
  let stat = await readStat(pid);
  for (let look = 0; look < UNINTERRUPTIBLE_LOOKS && stat?.state === 'D'; look++) {
    await sleep(UNINTERRUPTIBLE_MS / UNINTERRUPTIBLE_LOOKS);
    stat = await readStat(pid);
  }
  return stat;
}

/** Looks paths of a process up. */
interface PathLookup extends MountLookup {
  readonly pid: number;
  /** The files at the paths that were looked up already. */
  readonly now: Map<string, Promise<OpenFile['now']>>;
}

/** Links without a path whose fdinfo the checks need. */
const needsInfo = /^pipe:|^anon_inode:(inotify|\[fanotify\]|\[pidfd\]|bpf-map)/;

function present(paths: PathLookup, path: string, isLink: boolean): Promise<OpenFile['now']> {
  const known = paths.now.get(path);
  if (known) return known;
  const looking = (isLink ? lstatOf : statOf)(`${paths.root}${path}`).catch(() => undefined);
  paths.now.set(path, looking);
  return looking;
}

function protocolOf(path: string): string | undefined {
  try {
    const name = native().getAttribute(path, 'system.sockprotoname');
    return Buffer.from(name).toString('latin1').replace(/\0$/, '');
  } catch {
    return undefined;
  }
}

async function threadsOf(pid: number): Promise<Status[]> {
  const others = (await readThreads(pid)).filter((thread) => thread !== pid);
  return await eachOf(others, (thread) => readThreadStatus(pid, thread));
}

const roles = { exe: 'the program', cwd: 'the working directory', root: 'the root directory' };

async function roleFilesOf(paths: PathLookup): Promise<OpenFile[]> {
  return await eachOf(Object.entries(roles), async ([name, role]) => {
    const path = `/proc/${paths.pid}/${name}`;
    return await withFile(path, O_PATH | constants.O_RDONLY, async (fd) => {
      // Through one descriptor, so that all belong to the same file even if the process calls exec.
      const [link, stats, info] = await Promise.all([
        readDescriptorLink('self', fd),
        statOf(descriptorPath('self', fd)),
        readFdInfo('self', fd),
      ]);
      if (!link || !stats || !info) return undefined;
      const now = await present(paths, link, false);
      return { role, path: link, stats, mount: info.mount, now };
    });
  });
}

/** Reads mapped files that are deleted, unless they are memory, and mapped devices. */
async function mappedFilesOf(paths: PathLookup, mappings: readonly Mapping[]): Promise<OpenFile[]> {
  const candidates = mappings.filter(
    ({ path }) =>
      (path.endsWith(' (deleted)') && !isMemory(path)) || /^\/dev\/(?!shm\/|zero)/.test(path),
  );
  const files = new Map(candidates.map((one) => [`${one.device} ${one.inode}`, one]));
  return await eachOf(files.values(), async (mapping) => {
    const stats = await statOf(`/proc/${paths.pid}/map_files/${mapFileOf(mapping)}`);
    if (!stats) return undefined;
    const { path } = mapping;
    return { role: 'a mapped file', path, stats, now: await present(paths, path, false) };
  });
}
