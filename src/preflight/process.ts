import { constants } from 'node:fs';
import { native } from '../native/index.ts';
import { descriptorPath, readDescriptorLink, readDescriptors } from '../procfs/descriptors.ts';
import { readFdInfo } from '../procfs/fdinfo.ts';
import { type Mapping, mapFileOf, readMaps } from '../procfs/maps.ts';
import { type Mount, readMountInfo } from '../procfs/mountinfo.ts';
import { type Namespaces, readNamespace, readNamespaces } from '../procfs/namespaces.ts';
import { readThreads } from '../procfs/processes.ts';
import { eachOf, lstatOf, statOf, withFile } from '../procfs/read.ts';
import { readProtectionKeys } from '../procfs/smaps.ts';
import { readStat } from '../procfs/stat.ts';
import { readStatus, readThreadStatus, type Status } from '../procfs/status.ts';
import type { Descriptor, OpenFile, ProcessFacts } from './snapshot.ts';
import type { Watches } from './watches.ts';

const O_PATH = 0o10000000;
/** How often to look at a process or descriptor that changes meanwhile. */
const TRIES = 3;

/** Reads processes; what they share is read once. */
export class ProcessReader {
  /** Mounts by their id, of all mount namespaces that were met. */
  readonly mounts = new Map<number, Mount>();
  readonly #ownMounts: string | undefined;
  readonly #hasProtectionKeys: boolean;
  readonly #namespaceMounts = new Map<string, Promise<readonly Mount[]>>();
  readonly #watches: Watches;

  constructor(own: Namespaces, hasProtectionKeys: boolean, watches: Watches) {
    this.#ownMounts = own.get('mnt');
    this.#hasProtectionKeys = hasProtectionKeys;
    this.#watches = watches;
  }

  /**
   * Reads a process; undefined if it has ended. What is read of one that ends meanwhile, and what is
   * refused then, looks like an obstacle: it counts only if the process has not gone on to its end afterwards.
   */
  async read(pid: number): Promise<ProcessFacts | undefined> {
    for (let tries = 0; tries < TRIES; tries++) {
      const facts = await this.#look(pid);
      if (!facts || (await isStill(facts.stat.state, pid))) return facts;
    }
    return undefined;
  }

  async #look(pid: number): Promise<ProcessFacts | undefined> {
    const [stat, status] = await Promise.all([readStat(pid), readStatus(pid)]);
    if (!stat || !status) return undefined;
    const basics = { pid, stat, status };
    const nothing = { descriptors: [], files: [], mappings: [], protectionKeys: 0 };
    const threads = await threadsOf(pid);
    try {
      if (stat.state === 'Z') {
        return { ...basics, threads, namespaces: new Map(), ...nothing, refused: undefined };
      }
      const namespaces = await readNamespaces(pid);
      const mounts = await this.#mountsOf(pid, namespaces.get('mnt') ?? '');
      // Paths of another mount namespace are looked up from the root of it.
      const place: Place = {
        pid,
        root: namespaces.get('mnt') === this.#ownMounts ? '' : `/proc/${pid}/root`,
        mounts,
        now: new Map(),
      };
      const mappings = (await readMaps(pid)).filter(({ path }) => path !== '');
      return {
        ...basics,
        threads,
        namespaces,
        mappings,
        protectionKeys: this.#hasProtectionKeys ? await readProtectionKeys(pid) : 0,
        files: [...(await placesOf(place)), ...(await oddMappings(place, mappings))],
        descriptors: await this.#descriptorsOf(place),
        refused: undefined,
      };
    } catch (error) {
      const refused = (error as Error).message;
      return { ...basics, threads, namespaces: new Map(), ...nothing, refused };
    }
  }

  async #mountsOf(pid: number, namespace: string): Promise<readonly Mount[]> {
    // Another may have been on the point of ending when it was asked.
    const known = await this.#namespaceMounts.get(namespace)?.catch(() => []);
    if (known?.length) return known;
    const reading = readMountInfo(pid);
    this.#namespaceMounts.set(namespace, reading);
    const mounts = await reading;
    for (const mount of mounts) this.mounts.set(mount.id, mount);
    return mounts;
  }

  async #descriptorsOf(place: Place): Promise<Descriptor[]> {
    return await eachOf(await readDescriptors(place.pid), (fd) => this.#descriptorOf(place, fd));
  }

  /** Looks again if it has become another one meanwhile; undefined if it is closed. */
  async #descriptorOf(place: Place, fd: number): Promise<Descriptor | undefined> {
    for (let tries = 0; tries < TRIES; tries++) {
      const link = await readDescriptorLink(place.pid, fd);
      if (link === undefined) return undefined;
      const descriptor = await this.#factsOf(place, fd, link);
      if (descriptor && !descriptor.info) return descriptor;
      if (descriptor && (await readDescriptorLink(place.pid, fd)) === link) return descriptor;
    }
    return undefined;
  }

  async #factsOf(place: Place, fd: number, link: string): Promise<Descriptor | undefined> {
    const path = descriptorPath(place.pid, fd);
    if (link.startsWith('socket:')) return { fd, link, protocol: protocolOf(path) };
    if (!link.startsWith('/')) {
      const info = needsInfo.test(link) ? await readFdInfo(place.pid, fd) : undefined;
      const unresolved = info?.watches.length
        ? await this.#watches.unresolved(place, info.watches)
        : [];
      return { fd, link, info, unresolved };
    }
    const [stats, info] = await Promise.all([statOf(path), readFdInfo(place.pid, fd)]);
    if (!stats || !info) return undefined;
    const now = await present(place, link, stats.isSymbolicLink());
    return { fd, link, info, file: { role: '', path: link, stats, mount: info.mount, now } };
  }
}

/**
 * Whether a process has not come nearer to its end. That begins when it leaves its namespaces, some
 * time before it is a zombie.
 */
async function isStill(state: string, pid: number): Promise<boolean> {
  if (state === 'Z') return (await readStat(pid)) !== undefined;
  // It has not if this process may not look.
  const link = await readNamespace(pid, 'mnt').catch((error: Error) => error);
  return link !== undefined;
}

/** Where a process's paths lead. */
export interface Place {
  readonly pid: number;
  readonly root: string;
  readonly mounts: readonly Mount[];
  /** What is at paths that were looked at already. */
  readonly now: Map<string, Promise<OpenFile['now']>>;
}

/** Links of descriptors without a path of which fdinfo has more to tell. */
const needsInfo = /^pipe:|^anon_inode:(inotify|\[fanotify\]|\[pidfd\]|bpf-map)/;

function present(place: Place, path: string, isLink: boolean): Promise<OpenFile['now']> {
  const known = place.now.get(path);
  if (known) return known;
  const looking = (isLink ? lstatOf : statOf)(`${place.root}${path}`).catch(() => undefined);
  place.now.set(path, looking);
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

const places = { exe: 'the program', cwd: 'the working directory', root: 'the root directory' };

async function placesOf(place: Place): Promise<OpenFile[]> {
  return await eachOf(Object.entries(places), async ([name, role]) => {
    const path = `/proc/${place.pid}/${name}`;
    return await withFile(path, O_PATH | constants.O_RDONLY, async (fd) => {
      // All of the same file, even if another program is executed meanwhile.
      const [link, stats, info] = await Promise.all([
        readDescriptorLink('self', fd),
        statOf(descriptorPath('self', fd)),
        readFdInfo('self', fd),
      ]);
      if (!link || !stats || !info) return undefined;
      const now = await present(place, link, false);
      return { role, path: link, stats, mount: info.mount, now };
    });
  });
}

/** Mapped files that have lost their name (memory without a file looks like one), and devices. */
async function oddMappings(place: Place, mappings: readonly Mapping[]): Promise<OpenFile[]> {
  const odd = mappings.filter(
    ({ path }) =>
      (path.endsWith(' (deleted)') && !/^\/(memfd:|dev\/zero |SYSV|\[aio\])/.test(path)) ||
      /^\/dev\/(?!shm\/|zero)/.test(path),
  );
  const files = new Map(odd.map((one) => [`${one.device} ${one.inode}`, one]));
  return await eachOf(files.values(), async (mapping) => {
    const stats = await statOf(`/proc/${place.pid}/map_files/${mapFileOf(mapping)}`);
    if (!stats) return undefined;
    const { path } = mapping;
    return { role: 'a mapped file', path, stats, now: await present(place, path, false) };
  });
}
