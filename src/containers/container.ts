import { open } from 'node:fs/promises';
import { allowAnyFile } from '../images/rewrite/external-files.ts';
import type {
  Criu,
  DumpOptions,
  DumpResult,
  Hooks,
  IterateOptions,
  Iteration,
  LazyDumpOptions,
  LazySource,
  PreDumpOptions,
  PreflightFinding,
  PreflightOptions,
} from '../index.ts';
import { externalFiles, outsideStreamsOf } from '../launch/outside-streams.ts';
import { checkOptions, checkValue, type Shape } from '../options/check.ts';
import { overrideHooks } from '../options/hooks.ts';
import { text } from '../options/kinds.ts';
import { handleOf, type ProcessIdentity } from '../process/process-identity.ts';
import { awaitProgram } from './await-program.ts';
import { readLimits } from './cgroup-limits.ts';
import { containerFailure } from './container-failure.ts';
import { type RecordedNetwork, writeContainerRecord } from './container-record.ts';
import { type ContainerRequest, dumpRequestOf, hasOwnNetwork } from './dump-request.ts';
import { submountsOf } from './external-mounts.ts';
import { findContainer } from './find-container.ts';
import {
  type ContainerMigration,
  type MigrateContainerOptions,
  migrateContainer,
} from './migration/container-migration.ts';
import { describeNetwork } from './network/describe-network.ts';
import { reconnectLinks } from './network/link-switch.ts';
import { findRuntime, Runtime } from './runtime.ts';
import { isRunning, type RuntimeState, readRuntimeState } from './runtime-state.ts';

/** Options of {@link openContainer}. */
export interface OpenContainerOptions {
  /**
   * The state directory of the runtime, such as `/run/runc`: runc's `--root`. Default: that of runc, which Podman
   * uses as well, then those of containerd and Docker.
   */
  root?: string;
  /**
   * The runtime, by path or by name: it removes a container that a dump has ended. Default `runc`, if there is
   * one on PATH.
   */
  runtime?: string;
}

const shape: Shape<OpenContainerOptions> = { root: text, runtime: text };

/** Who keeps the state of a container besides its runtime. */
export type ContainerManager = 'podman' | 'containerd' | 'docker';

/**
 * Opens a running container of runc, whoever started it: runc itself, Podman, containerd or Docker. It only reads, and
 * waits until the program of the container runs, at most 10 seconds. Source: the state.json of runc.
 * @param id its id, or the beginning of it
 * @throws CriuError ERR_CRIU_CONTAINER if there is none, or it has not been started or has ended;
 * ERR_CRIU_INVALID_ARGUMENT
 */
export async function openContainer(
  criu: Criu,
  id: string,
  options: OpenContainerOptions = {},
): Promise<Container> {
  const operation = 'openContainer';
  checkValue(operation, 'id', text, id);
  const { root, runtime } = checkOptions(operation, options, shape);
  const found = await findContainer(operation, id, root);
  await awaitProgram(operation, found);
  return new Container(criu, found.root, found.state, await findRuntime(operation, runtime));
}

/**
 * A running container. Its operations are those of `Criu`, with the options that the container needs: those of
 * runc's own request, so that `runc restore` restores what they dump. Options of the caller override them; its
 * `external` and `extMnt` are added to them.
 */
export class Container {
  readonly #criu: Criu;
  readonly #state: RuntimeState;
  readonly #runtime: Runtime | undefined;
  /** The runtime in the foreground that has started it. */
  readonly #runner: ProcessIdentity | undefined;
  /** The state directory of its runtime. */
  readonly root: string;

  /** @internal */
  constructor(criu: Criu, root: string, state: RuntimeState, runtime: Runtime | undefined) {
    this.#criu = criu;
    this.root = root;
    this.#state = state;
    this.#runtime = runtime;
    this.#runner = runtime?.runnerOf(state.pid);
  }

  /** Its whole id. */
  get id(): string {
    return this.#state.id;
  }

  /** The pid of its first process. */
  get pid(): number {
    return this.#state.pid;
  }

  /** The directory with its config.json; undefined if the runtime does not say it. */
  get bundle(): string | undefined {
    return this.#state.labels.get('bundle');
  }

  /** Its root directory. */
  get rootfs(): string {
    return this.#state.rootfs;
  }

  /** Who has started it, and keeps a state of its own; undefined if nobody is known to. */
  get manager(): ContainerManager | undefined {
    const { labels } = this.#state;
    if (labels.get('io.container.manager') === 'libpod') return 'podman';
    if (this.root.startsWith('/run/docker/')) return 'docker';
    return this.root.startsWith('/run/containerd/') ? 'containerd' : undefined;
  }

  /** True if its first process still runs, and has not been replaced by another one with its pid. */
  get isRunning(): boolean {
    return isRunning(this.#state);
  }

  /** Resolves when its first process has ended. */
  async ended(): Promise<void> {
    await handleOf(this.#state)?.exited;
  }

  /**
   * Dumps the container: see `criu.dump()`. A container of runc itself is removed once it has ended, as
   * `runc checkpoint` does; one in the foreground by the runc that has started it, for whose end this waits, at most 10
   * seconds; a manager notices the end by itself.
   * @throws CriuError as `criu.dump()` does; ERR_CRIU_CONTAINER if the runtime does not remove it
   */
  async dump(options: DumpOptions): Promise<DumpResult> {
    const operation = 'dump';
    const own = await this.#dumpOptions(operation, options);
    const result = await this.#criu.dump(this.pid, { ...options, ...own });
    const survives = options.leaveRunning || options.leaveStopped;
    if (!survives) await this.#forget(operation);
    return result;
  }

  /** Dumps the memory of the container, which runs on: see `criu.preDump()`. */
  async preDump(options: PreDumpOptions): Promise<DumpResult> {
    const { extMnt: _, ...own } = await this.#request('preDump', options);
    return await this.#criu.preDump(this.pid, { ...options, ...own });
  }

  /**
   * Begins rounds of pre-dumps: see `criu.iterate()`. After the final dump {@link Container.delete} removes the container
   * from its runtime.
   */
  async iterate(options: IterateOptions): Promise<Iteration> {
    const own = await this.#dumpOptions('iterate', options);
    return await this.#criu.iterate(this.pid, { ...options, ...own });
  }

  /**
   * Dumps the container without its memory, and serves that: see `criu.lazyDump()`. After it, {@link Container.delete}
   * removes the container from its runtime.
   */
  async lazyDump(options: LazyDumpOptions): Promise<LazySource> {
    const own = await this.#dumpOptions('lazyDump', options);
    return await this.#criu.lazyDump(this.pid, { ...options, ...own });
  }

  /**
   * Migrates the container to another host, whose server has the options of {@link containerDestination}: see
   * `criu.migrate()`. When the copy runs, a container of runc itself is removed here, as after {@link Container.dump}; a
   * manager notices the end by itself. If the migration fails, the container runs on, and its runtime knows it as before.
   * The devices, addresses and routes of its own network namespace go with it; that needs `ip` of iproute2 on both hosts.
   * @throws CriuError ERR_CRIU_INVALID_ARGUMENT; ERR_CRIU_CONTAINER if the container has ended, is paused, or has a network
   * that cannot be made again
   */
  async migrate(options: MigrateContainerOptions): Promise<ContainerMigration> {
    const { dump = {} } = options;
    const network = await this.#network();
    const { hooks, ...request } = await this.#dumpOptions('migrate', dump, network);
    const forget = async () => {
      await this.ended();
      await this.#forget('migrate');
    };
    const container = { state: this.#state, request, hooks, network, forget };
    return await migrateContainer(this.#criu, container, options);
  }

  /**
   * Connects the network devices of the container again, which a migration has disconnected before its source died: for
   * `switchBack` of `criu.resolveMigration()`. Idempotent.
   */
  async reconnect(): Promise<void> {
    await reconnectLinks(this.pid);
  }

  /** Reports what would make a dump of the container, or its restore, fail: see `criu.preflight()`. */
  async preflight(options: PreflightOptions = {}): Promise<PreflightFinding[]> {
    const own = await this.#request('preflight', options);
    // Each restore replaces the standard streams that lead out of the container.
    await using replacement = await open('/dev/null');
    const streams = (await outsideStreamsOf(this.pid)).filter((name) => name !== undefined);
    const replaced = streams.map((name) => [name, replacement.fd]);
    const inheritFd = { ...Object.fromEntries(replaced), ...options.inheritFd };
    return await this.#criu.preflight(this.pid, { ...options, ...own, inheritFd });
  }

  /**
   * Removes the container, which has ended, from its runtime. Idempotent. Source: `runc delete`.
   * @throws CriuError ERR_CRIU_CONTAINER if it runs, or the runtime refuses
   */
  async delete(): Promise<void> {
    const operation = 'delete';
    if (!(await readRuntimeState(operation, this.root, this.id))) return;
    const runtime = this.#runtime ?? (await Runtime.of(operation, 'runc'));
    await runtime.delete(operation, this, this.#runner);
  }

  /** Removes the container, which has ended, from its runtime, unless a manager does. */
  async #forget(operation: string): Promise<void> {
    if (this.manager === undefined) await this.#runtime?.delete(operation, this, this.#runner);
  }

  /**
   * The options that the container needs, with those of the caller that go with them, and hooks that describe it
   * beside its images. What can be known before the container is frozen is found out before.
   */
  async #dumpOptions(
    operation: string,
    given: Pick<DumpOptions, 'external' | 'extMnt' | 'hooks'>,
    known?: RecordedNetwork,
  ): Promise<ContainerRequest & { readonly hooks: Hooks }> {
    const request = await this.#request(operation, given);
    const [streams, submounts, network] = await Promise.all([
      outsideStreamsOf(this.pid),
      submountsOf(this.#state),
      known ?? this.#network(),
    ]);
    const { hooks = {} } = given;
    const postDump = async (directory: string) => {
      const limits = await readLimits(this.#state.cgroups.get(''));
      const record = { state: this.#state, streams, submounts, limits, network };
      await writeContainerRecord(directory, record);
      if (externalFiles(streams).length > 0) await allowAnyFile(directory);
      await hooks.postDump?.(directory);
    };
    return { ...request, hooks: overrideHooks(hooks, { postDump }) };
  }

  async #network(): Promise<RecordedNetwork> {
    if (!hasOwnNetwork(this.#state)) return {};
    try {
      const network = await describeNetwork(this.pid);
      return network.links.length > 0 ? { network } : {};
    } catch (error) {
      return { obstacle: (error as Error).message };
    }
  }

  /** The options that the container needs, with those of the caller that go with them. */
  async #request(
    operation: string,
    given: Pick<DumpOptions, 'external' | 'extMnt'>,
  ): Promise<ContainerRequest> {
    if (!this.isRunning) throw containerFailure(operation, this.id, 'it has ended');
    const own = await dumpRequestOf(this.#state, await outsideStreamsOf(this.pid));
    const { external = [], extMnt, ...others } = given;
    const overridden = Object.entries(own).filter(([name]) => !Object.hasOwn(others, name));
    return {
      ...(Object.fromEntries(overridden) as unknown as ContainerRequest),
      extMnt: { ...own.extMnt, ...extMnt },
      ...((own.external || external.length > 0) && {
        external: [...(own.external ?? []), ...external],
      }),
    };
  }
}
