import { constants } from 'node:fs';
import { native } from '../native/index.ts';
import {
  countProtectionKeys,
  type FdInfo,
  type Mapping,
  type Mount,
  parseFdInfo,
  parseMappings,
  parseMounts,
  parseStat,
  parseStatus,
  type Status,
} from '../procfs/parse.ts';
import { eachOf, linkOf, lstatOf, namesIn, statOf, textOf, withFile } from '../procfs/read.ts';
import type { Descriptor, Namespaces, OpenFile, ProcessFacts } from './snapshot.ts';
import type { Watches } from './watches.ts';

const O_PATH = 0o10000000;
/** How often to look at a process or descriptor that changes meanwhile. */
const TRIES = 3;

/** The namespaces of a process; none if it has ended. */
export async function namespacesOf(pid: number | 'self'): Promise<Namespaces> {
  const links = await eachOf(await namesIn(`/proc/${pid}/ns`), async (kind) => {
    const link = await linkOf(`/proc/${pid}/ns/${kind}`);
    return link === undefined ? undefined : ([kind, link] as const);
  });
  return new Map(links);
}

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
    const [stat, status] = await Promise.all([
      textOf(`/proc/${pid}/stat`),
      textOf(`/proc/${pid}/status`),
    ]);
    if (!stat || !status) return undefined;
    const basics = { pid, stat: parseStat(stat), status: parseStatus(status) };
    const nothing = { descriptors: [], files: [], mappings: [], protectionKeys: 0 };
    const threads = await threadsOf(pid);
    try {
      if (basics.stat.state === 'Z') {
        return { ...basics, threads, namespaces: new Map(), ...nothing, refused: undefined };
      }
      const namespaces = await namespacesOf(pid);
      const mounts = await this.#mountsOf(pid, namespaces.get('mnt') ?? '');
      // Paths of another mount namespace are looked up from the root of it.
      const place: Place = {
        pid,
        root: namespaces.get('mnt') === this.#ownMounts ? '' : `/proc/${pid}/root`,
        mounts,
        now: new Map(),
      };
      const mappings = parseMappings((await textOf(`/proc/${pid}/maps`, 65_536)) ?? '');
      return {
        ...basics,
        threads,
        namespaces,
        mappings,
        protectionKeys: this.#hasProtectionKeys
          ? countProtectionKeys((await textOf(`/proc/${pid}/smaps`, 65_536)) ?? '')
          : 0,
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
    const reading = textOf(`/proc/${pid}/mountinfo`, 65_536).then((text) =>
      parseMounts(text ?? ''),
    );
    this.#namespaceMounts.set(namespace, reading);
    const mounts = await reading;
    for (const mount of mounts) this.mounts.set(mount.id, mount);
    return mounts;
  }

  async #descriptorsOf(place: Place): Promise<Descriptor[]> {
    const numbers = (await namesIn(`/proc/${place.pid}/fd`)).map(Number);
    return await eachOf(numbers, (fd) => this.#descriptorOf(place, fd));
  }

  /** Looks again if it has become another one meanwhile; undefined if it is closed. */
  async #descriptorOf(place: Place, fd: number): Promise<Descriptor | undefined> {
    const path = `/proc/${place.pid}/fd/${fd}`;
    for (let tries = 0; tries < TRIES; tries++) {
      const link = await linkOf(path);
      if (link === undefined) return undefined;
      const descriptor = await this.#factsOf(place, fd, link);
      const needsProof = descriptor?.info !== undefined;
      if (descriptor && (!needsProof || (await linkOf(path)) === link)) return descriptor;
    }
    return undefined;
  }

  async #factsOf(place: Place, fd: number, link: string): Promise<Descriptor | undefined> {
    const path = `/proc/${place.pid}/fd/${fd}`;
    if (link.startsWith('socket:')) return { fd, link, protocol: protocolOf(path) };
    if (!link.startsWith('/')) {
      const info = needsInfo.test(link) ? await this.#infoOf(place.pid, fd) : undefined;
      const unresolved = info?.watches.length
        ? await this.#watches.unresolved(place, info.watches)
        : [];
      return { fd, link, info, unresolved };
    }
    const [stats, info] = await Promise.all([statOf(path), this.#infoOf(place.pid, fd)]);
    if (!stats || !info) return undefined;
    const now = await present(place, link, stats.isSymbolicLink());
    return { fd, link, info, file: { role: '', path: link, stats, mount: info.mount, now } };
  }

  async #infoOf(pid: number, fd: number): Promise<FdInfo | undefined> {
    const text = await textOf(`/proc/${pid}/fdinfo/${fd}`);
    return text === undefined ? undefined : parseFdInfo(text);
  }
}

/**
 * Whether a process has not come nearer to its end. That begins when it leaves its namespaces, some
 * time before it is a zombie.
 */
async function isStill(state: string, pid: number): Promise<boolean> {
  if (state === 'Z') return (await textOf(`/proc/${pid}/stat`)) !== undefined;
  // It has not if this process may not look.
  const link = await linkOf(`/proc/${pid}/ns/mnt`).catch((error: Error) => error);
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
  const others = (await namesIn(`/proc/${pid}/task`)).filter((name) => name !== String(pid));
  return await eachOf(others, async (thread) => {
    const text = await textOf(`/proc/${pid}/task/${thread}/status`);
    return text ? parseStatus(text) : undefined;
  });
}

const places = { exe: 'the program', cwd: 'the working directory', root: 'the root directory' };

async function placesOf(place: Place): Promise<OpenFile[]> {
  return await eachOf(Object.entries(places), async ([name, role]) => {
    const path = `/proc/${place.pid}/${name}`;
    return await withFile(path, O_PATH | constants.O_RDONLY, async (fd) => {
      // All of the same file, even if another program is executed meanwhile.
      const [link, stats, info] = await Promise.all([
        linkOf(`/proc/self/fd/${fd}`),
        statOf(`/proc/self/fd/${fd}`),
        textOf(`/proc/self/fdinfo/${fd}`),
      ]);
      if (!link || !stats || !info) return undefined;
      const now = await present(place, link, false);
      return { role, path: link, stats, mount: parseFdInfo(info).mount, now };
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
  return await eachOf(files.values(), async ({ range, path }) => {
    const stats = await statOf(`/proc/${place.pid}/map_files/${range}`);
    if (!stats) return undefined;
    return { role: 'a mapped file', path, stats, now: await present(place, path, false) };
  });
}
