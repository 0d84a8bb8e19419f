import { mkdir, rm, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isRecord } from '../options/check.ts';
import { cgroupDirectoriesOf } from '../procfs/cgroup.ts';
import { readDescriptorLinkSync } from '../procfs/descriptors.ts';
import { startTimeOf } from '../procfs/stat.ts';
import type { BundleConfig } from './bundle-config.ts';
import { containerFailure } from './container-failure.ts';
import { bindMountsOf } from './external-mounts.ts';
import {
  isRunning,
  parseRuntimeState,
  type RuntimeState,
  readRuntimeState,
  stateFileOf,
} from './runtime-state.ts';

/** A restored container. */
export interface NewContainer {
  readonly id: string;
  readonly pid: number;
  readonly config: BundleConfig;
}

/** The state directory of one container, which this process has made. */
export class StateDirectory {
  readonly #root: string;
  readonly #id: string;

  /**
   * What is left of a container that has ended is removed.
   * @throws CriuError ERR_CRIU_CONTAINER if there is a container with this id
   */
  static async make(operation: string, root: string, id: string): Promise<StateDirectory> {
    await mkdir(root, { recursive: true, mode: 0o700 });
    const known = await readRuntimeState(operation, root, id);
    if (!known || !isRunning(known)) await removeStateDirectory(root, id);
    await mkdir(join(root, id), { mode: 0o700 }).catch((cause: NodeJS.ErrnoException) => {
      const reason = cause.code === 'EEXIST' ? `there is one already in ${root}` : cause.message;
      throw containerFailure(operation, id, reason, { cause });
    });
    return new StateDirectory(root, id);
  }

  private constructor(root: string, id: string) {
    this.#root = root;
    this.#id = id;
  }

  /** Tells runc of the container. */
  async write(state: RuntimeState): Promise<void> {
    const file = stateFileOf(this.#root, this.#id);
    await writeFile(file, JSON.stringify(state.json), { flag: 'wx', mode: 0o600 });
  }

  async remove(): Promise<void> {
    await removeStateDirectory(this.#root, this.#id);
  }
}

/** Removes the state of a container. Not recursive: what the runtime may have mounted there is not ours to remove. */
export async function removeStateDirectory(root: string, id: string): Promise<void> {
  await rm(stateFileOf(root, id), { force: true });
  await rmdir(join(root, id)).catch(() => {});
}

/** The state of a restored container: that at its dump, with what is different now. */
export function restoredState({
  id,
  pid,
  config,
  dumped,
}: NewContainer & { readonly dumped: RuntimeState }): RuntimeState {
  const { json } = dumped;
  const before = isRecord(json.config) ? json.config : {};
  const labels = [...dumped.labels].filter(([name]) => name !== 'bundle');
  const namespaces = isRecord(json.namespace_paths) ? Object.entries(json.namespace_paths) : [];
  return parseRuntimeState({
    ...json,
    id,
    init_process_pid: pid,
    init_process_start: Number(startTimeOf(pid)),
    created: new Date().toISOString(),
    config: {
      ...before,
      rootfs: config.rootfs,
      namespaces: config.namespaces,
      mounts: mountsWithSources(before.mounts, config.mounts),
      // Of this host; the others have been called, or would be called by a start.
      Hooks: { poststop: config.poststopHooks },
      labels: [...labels.map(([name, value]) => `${name}=${value}`), `bundle=${config.bundle}`],
    },
    cgroup_paths: Object.fromEntries(cgroupDirectoriesOf(pid)),
    namespace_paths: Object.fromEntries(
      namespaces.map(([type, path]) => [
        type,
        String(path).replace(/^\/proc\/\d+\//, `/proc/${pid}/`),
      ]),
    ),
    external_descriptors: descriptorsOf(pid),
  });
}

/** The mounts of the state, with the sources of this host. */
function mountsWithSources(mounts: unknown, here: BundleConfig['mounts']): unknown {
  if (!Array.isArray(mounts)) return mounts;
  const sources = new Map(
    bindMountsOf({ mounts: here }).map((one) => [one.destination, one.source]),
  );
  return mounts.filter(isRecord).map((mount) => {
    const source = sources.get(String(mount.destination));
    return mount.device === 'bind' && source !== undefined ? { ...mount, source } : mount;
  });
}

/** The state of a container whose state at its dump is not known: enough for a dump, not for runc. */
export function plainState({ id, pid, config }: NewContainer): RuntimeState {
  const { rootfs, bundle, mounts, namespaces, devices, annotations } = config;
  return {
    ...{ id, pid, rootfs, mounts, namespaces, devices },
    startTime: startTimeOf(pid) ?? '',
    labels: new Map([...annotations, ['bundle', bundle]]),
    maskedPaths: config.maskedPaths,
    cgroups: cgroupDirectoriesOf(pid),
    descriptors: descriptorsOf(pid),
    json: {},
  };
}

function descriptorsOf(pid: number): string[] {
  return [0, 1, 2].map((fd) => readDescriptorLinkSync(pid, fd) ?? '/dev/null');
}
