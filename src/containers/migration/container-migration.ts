import { writeFile } from 'node:fs/promises';
import { invalid } from '../../errors.ts';
import type {
  Criu,
  Hooks,
  MigrateOptions,
  Migration,
  MigrationEvent,
  MigrationResult,
} from '../../index.ts';
import { check, checkOptions, either, object, type Shape } from '../../options/check.ts';
import { overrideHooks } from '../../options/hooks.ts';
import { text, texts } from '../../options/kinds.ts';
import { createRootfsDiff } from '../archive/create-rootfs-diff.ts';
import { containerFailure } from '../container-failure.ts';
import type { RecordedNetwork } from '../container-record.ts';
import type { ContainerRequest } from '../dump-request.ts';
import { disconnectLinks, reconnectLinks } from '../network/link-switch.ts';
import type { OfferedNetwork } from '../network/offered-network.ts';
import type { RuntimeState } from '../runtime-state.ts';
import { describeContainer, toMetadata } from './offered-container.ts';
import { rootfsFilesIn } from './placement.ts';

/** The layers of the root file system of a container. */
export interface RootfsLayers {
  /** The layer of overlayfs that has the changes (upperdir). Default: what the mount says. */
  readonly upper?: string;
  /** The layers below it, the topmost first (lowerdir). Default: what the mount says. */
  readonly lower?: readonly string[];
}

/** Options of {@link Container.migrate}. */
export interface MigrateContainerOptions extends MigrateOptions {
  /**
   * How the root file system comes to the destination: `shared` if it has the same there, such as by a network file
   * system; `difference` sends what the container has changed in its overlayfs, which the destination applies to its
   * own root directory of the same image; an object does the same and names the layers. Default `shared`.
   */
  readonly rootfs?: 'shared' | 'difference' | RootfsLayers;
}

const OPERATION = 'migrate';
/** The state of a paused container cannot be moved. */
const PAUSED = 'it is paused; resume it before the migration';

const shape: Shape<Pick<MigrateContainerOptions, 'rootfs'>> = {
  rootfs: either(
    check("'shared', 'difference'", (value) => value === 'shared' || value === 'difference'),
    object<RootfsLayers>({ upper: text, lower: texts }),
  ),
};

/** The container that is to be migrated. */
export interface MigratingContainer {
  readonly state: RuntimeState;
  /** The options that its dump needs, with those of the caller. */
  readonly request: ContainerRequest;
  /** The hooks of the caller, and those that describe the container beside its images. */
  readonly hooks: Hooks;
  /** Its own network. */
  readonly network: RecordedNetwork;
  /** Removes the container, which has ended, from its runtime. */
  forget(): Promise<void>;
}

/** @throws CriuError ERR_CRIU_CONTAINER if it is paused, or has a network that cannot be made again */
export async function migrateContainer(
  criu: Criu,
  container: MigratingContainer,
  given: MigrateContainerOptions,
): Promise<ContainerMigration> {
  const { state, request, hooks } = container;
  const { rootfs: wanted, ...options } = given;
  const own = wanted === undefined ? {} : { rootfs: wanted };
  const { rootfs = 'shared' } = checkOptions(OPERATION, own, shape);
  if (request.freezeCgroup !== undefined) throw containerFailure(OPERATION, state.id, PAUSED);
  const { network, obstacle } = container.network;
  if (obstacle !== undefined) throw containerFailure(OPERATION, state.id, obstacle);
  const kind = rootfs === 'shared' ? 'shared' : 'difference';
  const offered = describeContainer(state, kind, network);
  const layers = typeof rootfs === 'object' ? rootfs : {};
  const migration = criu.migrate(state.pid, {
    ...options,
    ...switchesOf(state, network, options),
    metadata: toMetadata(offered, options.metadata),
    dump: {
      ...options.dump,
      ...request,
      hooks: kind === 'shared' ? hooks : withDifference(state, layers, hooks),
    },
  });
  return new ContainerMigration(migration, container);
}

/** Disconnects the original when its copy is about to run. */
function switchesOf(
  { pid }: RuntimeState,
  network: OfferedNetwork | undefined,
  { switchOver, switchBack, addresses }: MigrateOptions,
): Pick<MigrateOptions, 'switchOver' | 'switchBack'> {
  if (!network) return {};
  if (addresses) {
    const takes = 'nothing for a container with a network of its own, whose addresses go with it';
    throw invalid(OPERATION, 'addresses', takes, addresses);
  }
  return {
    async switchOver(signal) {
      await disconnectLinks(pid);
      await switchOver?.(signal);
    },
    async switchBack() {
      await switchBack?.();
      await reconnectLinks(pid);
    },
  };
}

/** Writes what the container has changed in its root file system beside the images, while it is frozen. */
function withDifference({ rootfs }: RuntimeState, layers: RootfsLayers, hooks: Hooks): Hooks {
  const postDump = async (directory: string) => {
    const { diff, deleted } = rootfsFilesIn(directory);
    const { deletedFiles } = await createRootfsDiff(rootfs, diff, layers);
    await writeFile(deleted, JSON.stringify(deletedFiles), { flag: 'wx', mode: 0o600 });
    await hooks.postDump?.(directory);
  };
  return overrideHooks(hooks, { postDump });
}

/** A migration of a container from this host, started by {@link Container.migrate}. */
export class ContainerMigration implements AsyncIterable<MigrationEvent>, AsyncDisposable {
  readonly #migration: Migration;
  /**
   * The outcome, as that of `criu.migrate()`. Resolves once the runtime no longer knows the container on this host;
   * if the runtime does not remove it, `leftovers` says so.
   */
  readonly result: Promise<MigrationResult>;

  /** @internal */
  constructor(migration: Migration, container: MigratingContainer) {
    this.#migration = migration;
    this.result = completed(migration, container);
    // A caller may iterate the events first and await the result later.
    this.result.catch(() => {});
  }

  /** The id of the migration, which names the journals of both hosts. */
  get id(): string {
    return this.#migration.id;
  }

  /** The first process of the original. */
  get pid(): number {
    return this.#migration.pid;
  }

  /** The events, as those of `criu.migrate()`. */
  [Symbol.asyncIterator](): AsyncIterator<MigrationEvent, void, undefined> {
    return this.#migration[Symbol.asyncIterator]();
  }

  /**
   * Cancels the migration: the original runs on, unless the copy may run already. Resolves when the migration has ended;
   * `result` has the outcome. Idempotent.
   */
  async cancel(): Promise<void> {
    await this.#migration.cancel();
    await this.result.catch(() => {});
  }

  /** Same as {@link ContainerMigration.cancel}. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.cancel();
  }
}

async function completed(
  migration: Migration,
  { state, forget }: MigratingContainer,
): Promise<MigrationResult> {
  const result = await migration.result;
  try {
    await forget();
    return result;
  } catch (error) {
    const left = `container ${state.id} in its runtime (${(error as Error).message})`;
    return { ...result, leftovers: [...result.leftovers, left] };
  }
}
