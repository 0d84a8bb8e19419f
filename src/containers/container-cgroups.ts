import { existsSync } from 'node:fs';
import { readdir, rmdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { decodeImage } from '../images.ts';
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
  /** Those that the restore makes. */
  readonly #missing: readonly string[];

  /** Reads the images. @param pid the root, in its own pid namespace */
  static async in(imagesDirectory: string, pid: number): Promise<ContainerCgroups> {
    const set = await cgroupSetOf(imagesDirectory, pid);
    const cgroups: ContainerCgroup[] = [];
    for await (const { message } of decodeImage(join(imagesDirectory, 'cgroup.img'), {
      kind: 'CGROUP',
    })) {
      const { ctls = [] } = message.sets?.find(({ id }) => id === set) ?? {};
      for (const { name, path } of ctls) {
        cgroups.push({ controller: name, directory: cgroupDirectory(name, path) });
      }
    }
    return new ContainerCgroups(cgroups);
  }

  private constructor(cgroups: readonly ContainerCgroup[]) {
    this.#cgroups = cgroups;
    this.#missing = cgroups.flatMap(({ directory }) =>
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
    for (const directory of this.#missing) await removeCgroup(directory);
  }
}

/** Removes a cgroup and those below it; one with processes stays. */
async function removeCgroup(directory: string): Promise<void> {
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
