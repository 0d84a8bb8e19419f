import { existsSync } from 'node:fs';
import { readdir, rmdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { decodeImage } from '../images.ts';
import type { RestoreOptions } from '../index.ts';
import { cgroupDirectory } from '../procfs/cgroup.ts';
import { readCgroupMountsSync } from '../procfs/mountinfo.ts';

/** A cgroup that a container was in. */
interface ContainerCgroup {
  /** As CRIU names it, such as `cpu,cpuacct` or `name=systemd`; empty for cgroup v2. */
  readonly controller: string;
  /** Its directory on this host; undefined if this host does not have the hierarchy. */
  readonly directory: string | undefined;
}

/** The cgroups of a dumped container: CRIU makes those that are missing. */
export class ContainerCgroups {
  readonly #cgroups: readonly ContainerCgroup[];
  /** The directories that a restore makes. */
  readonly missing: readonly string[];
  /** For a restore: options that move the cgroups to other paths, if they have others on this host. */
  readonly options: Pick<RestoreOptions, 'cgRoot'>;

  /**
   * Reads the images.
   * @param pid the root, in its own pid namespace
   * @param wanted the path that the cgroups are to have; undefined for that in the images
   */
  static async in(
    imagesDirectory: string,
    pid: number,
    wanted: string | undefined,
  ): Promise<ContainerCgroups> {
    const set = await cgroupSetOf(imagesDirectory, pid);
    const mounts = readCgroupMountsSync();
    const cgroups: ContainerCgroup[] = [];
    let isMoved = false;
    for await (const { message } of decodeImage(join(imagesDirectory, 'cgroup.img'), {
      kind: 'CGROUP',
    })) {
      const { ctls = [] } = message.sets?.find(({ id }) => id === set) ?? {};
      for (const { name, path } of ctls) {
        // A runtime in a container has the path of that in front of it.
        const isWanted = wanted === undefined || path.endsWith(wanted);
        isMoved ||= !isWanted;
        const controllers = name.split(',').filter(Boolean);
        const directory = cgroupDirectory(controllers, isWanted ? path : wanted, mounts);
        cgroups.push({ controller: name, directory });
      }
    }
    return new ContainerCgroups(cgroups, isMoved && wanted ? { cgRoot: { '': wanted } } : {});
  }

  private constructor(cgroups: readonly ContainerCgroup[], options: ContainerCgroups['options']) {
    this.#cgroups = cgroups;
    this.options = options;
    this.missing = cgroups.flatMap(({ directory }) =>
      directory === undefined || existsSync(directory) ? [] : [directory],
    );
  }

  /**
   * What the external mounts of cgroup v1 of a container show on this host.
   * @param destination where the container has its cgroups
   */
  mountsAt(destination: string): Record<string, string> {
    const mounts = readCgroupMountsSync().filter(({ type }) => type === 'cgroup');
    return Object.fromEntries(
      mounts.flatMap(({ point, options }) => {
        const cgroup = this.#cgroups.find(({ controller }) =>
          controller.split(',').every((name) => name !== '' && options.includes(name)),
        );
        if (cgroup?.directory === undefined) return [];
        return [[join(destination, basename(point)), cgroup.directory]];
      }),
    );
  }

  /** Removes what a restore that failed has made. */
  async remove(): Promise<void> {
    for (const directory of this.missing) await removeCgroup(directory);
  }
}

/** Removes a cgroup and those below it; one with processes stays. */
export async function removeCgroup(directory: string): Promise<void> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => []);
  for (const entry of entries) {
    if (entry.isDirectory()) await removeCgroup(join(directory, entry.name));
  }
  await rmdir(directory).catch(() => {});
}

/** The number of the set of cgroups of a process. */
async function cgroupSetOf(imagesDirectory: string, pid: number): Promise<number | undefined> {
  const image = join(imagesDirectory, `core-${pid}.img`);
  for await (const { message } of decodeImage(image, { kind: 'CORE' })) {
    const set = message.thread_core?.cg_set ?? message.tc?.cg_set;
    if (set !== undefined) return set;
  }
  return undefined;
}
