import { type FileHandle, open } from 'node:fs/promises';
import { treePids } from '../images/pstree.ts';
import type { Criu, Hooks, JoinNamespace, RestoreOptions } from '../index.ts';
import { overrideHooks } from '../options/hooks.ts';
import type { BundleConfig } from './bundle-config.ts';
import { applyLimits, type CgroupLimits } from './cgroup-limits.ts';
import { Container } from './container.ts';
import { ContainerCgroups } from './container-cgroups.ts';
import { readContainerRecord } from './container-record.ts';
import { configFileOf, hasOwnNetwork, joinedNamespaces } from './dump-request.ts';
import { bindSourcesOf, MASK, submountSources } from './external-mounts.ts';
import { raiseLoopback } from './loopback.ts';
import { makeMountPoints } from './mount-points.ts';
import type { CheckedOptions } from './restore-options.ts';
import type { RuntimeState } from './runtime-state.ts';
import { StandardStreams } from './standard-streams.ts';
import { plainState, restoredState, StateDirectory } from './state-file.ts';

/** Where the mounts of cgroup v1 of a container are by default. */
const CGROUPS = '/sys/fs/cgroup';
/** The name of the namespaces that CRIU joins, in its words. */
const JOINABLE: Readonly<Record<string, JoinNamespace['ns']>> = {
  NEWIPC: 'ipc',
  NEWUTS: 'uts',
  NEWUSER: 'user',
};

/** What a restore without a runtime makes on the host besides processes. */
export interface MadeForRestore {
  /** The state directory of the runtime, and the id of the container in it; undefined if its state is not known. */
  readonly state: { readonly root: string; readonly id: string } | undefined;
  /** Directories of cgroups. */
  readonly cgroups: readonly string[];
}

/** A restore of a container by CRIU alone, with what runc gives to it. Source: runc's libcontainer/criu_linux.go. */
export class DirectRestore implements AsyncDisposable {
  /** The options of the restore, but for the directory of the images. */
  readonly options: RestoreOptions;
  readonly #parts: Parts;
  #state: RuntimeState | undefined;

  /**
   * Makes what CRIU needs.
   * @param note called before anything is made but mount points
   * @throws CriuError ERR_CRIU_CONTAINER if there is a container with this id
   */
  static async prepare(
    operation: string,
    { own, restore }: CheckedOptions,
    config: BundleConfig,
    note: (made: MadeForRestore) => Promise<void> | void = () => {},
  ): Promise<DirectRestore> {
    const { imagesDirectory, id, root = '/run/runc', stdio } = own;
    const {
      state: dumped,
      streams,
      submounts,
      limits,
    } = await readContainerRecord(operation, id, imagesDirectory);
    const [rootPid = 1] = treePids(imagesDirectory);
    await makeMountPoints(config);
    const cgroups = await ContainerCgroups.in(imagesDirectory, rootPid, config.cgroupsPath);
    await note({ state: dumped && { root, id }, cgroups: cgroups.missing });
    const opened: AsyncDisposable[] = [];
    try {
      const standard = await StandardStreams.open(operation, stdio);
      opened.push(standard);
      const namespaces = await OpenedNamespaces.of(config);
      opened.push(namespaces);
      const options = {
        ...(await mountOptions(config, cgroups, submounts)),
        ...cgroups.options,
        ...namespaces.options,
        ...defaultOptions(config),
        ...restore,
        inheritFd: {
          ...standard.replacing(streams),
          ...namespaces.inherited,
          ...restore.inheritFd,
        },
      };
      const directory = dumped && (await StateDirectory.make(operation, root, id));
      const parts = { id, root, config, dumped, limits, directory, cgroups, opened };
      return new DirectRestore(parts, options);
    } catch (error) {
      for (const one of opened) await one[Symbol.asyncDispose]();
      throw error;
    }
  }

  private constructor(parts: Parts, options: RestoreOptions) {
    const { id, config, dumped, limits, directory } = parts;
    this.#parts = parts;
    const { hooks } = options;
    const postRestore = async (pid: number) => {
      this.#state = dumped
        ? restoredState({ id, pid, config, dumped })
        : plainState({ id, pid, config });
      await applyLimits(this.#state.cgroups.get(''), limits);
      await directory?.write(this.#state);
      await hooks?.postRestore?.(pid);
    };
    this.options = {
      ...options,
      hooks: withNetwork(config, overrideHooks(hooks, { postRestore })),
    };
  }

  /** The container, once it is restored. */
  container(criu: Criu, pid: number): Container {
    const { root, id, config } = this.#parts;
    return new Container(criu, root, this.#state ?? plainState({ id, pid, config }), undefined);
  }

  /** Removes what was made, after the restore has failed. */
  async remove(): Promise<void> {
    await this.#parts.directory?.remove();
    await this.#parts.cgroups.remove();
  }

  /** Closes the descriptors that the restore needs. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const one of this.#parts.opened) await one[Symbol.asyncDispose]();
  }
}

interface Parts {
  readonly id: string;
  readonly root: string;
  readonly config: BundleConfig;
  readonly dumped: RuntimeState | undefined;
  readonly limits: CgroupLimits;
  readonly directory: StateDirectory | undefined;
  readonly cgroups: ContainerCgroups;
  readonly opened: readonly AsyncDisposable[];
}

function defaultOptions(config: BundleConfig): RestoreOptions {
  const configFile = configFileOf(config.annotations);
  return {
    root: config.rootfs,
    bindRoot: true,
    manageCgroups: true,
    evasiveDevices: true,
    orphanPtsMaster: true,
    ...(hasOwnNetwork(config) && { emptyNs: ['network'] as const }),
    ...(configFile !== undefined && { configFile }),
  };
}

/** What the external mounts of the images are on this host. */
async function mountOptions(
  config: BundleConfig,
  cgroups: ContainerCgroups,
  submounts: readonly string[],
): Promise<RestoreOptions> {
  const { mounts, devices } = config;
  const sources = await bindSourcesOf(config);
  const external: Record<string, string> = {
    [MASK]: '/dev/null',
    ...sources,
    ...submountSources(sources, submounts),
  };
  const { destination = CGROUPS } = mounts.find(({ device }) => device === 'cgroup') ?? {};
  Object.assign(external, cgroups.mountsAt(destination));
  for (const path of devices) external[path] = path;
  return { extMnt: external };
}

/** Fills the network namespace that CRIU makes. */
function withNetwork(config: BundleConfig, hooks: Hooks): Hooks {
  if (!hasOwnNetwork(config)) return hooks;
  const setupNamespaces = async (pid: number) => {
    await raiseLoopback(pid);
    await hooks.setupNamespaces?.(pid);
  };
  return overrideHooks(hooks, { setupNamespaces });
}

/** The namespaces that the container joins, while it is restored. */
class OpenedNamespaces implements AsyncDisposable {
  /** For inheritFd. */
  readonly inherited: Readonly<Record<string, number>>;
  readonly options: RestoreOptions;
  readonly #files: readonly FileHandle[];

  static async of(config: BundleConfig): Promise<OpenedNamespaces> {
    const files: FileHandle[] = [];
    const inherited: Record<string, number> = {};
    for (const { name, path } of joinedNamespaces(config)) {
      const file = await open(path);
      files.push(file);
      inherited[name] = file.fd;
    }
    return new OpenedNamespaces(config, inherited, files);
  }

  private constructor(
    { namespaces }: BundleConfig,
    inherited: Record<string, number>,
    files: readonly FileHandle[],
  ) {
    const joinNs = namespaces.flatMap(({ type, path }) => {
      const ns = JOINABLE[type];
      return ns !== undefined && path !== '' ? [{ ns, nsFile: path }] : [];
    });
    this.inherited = inherited;
    this.options = joinNs.length > 0 ? { joinNs } : {};
    this.#files = files;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const file of this.#files) await file.close();
  }
}
