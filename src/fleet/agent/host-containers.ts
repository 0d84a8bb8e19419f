import { join } from 'node:path';
import {
  type Container,
  type ContainerPlacement,
  containerDestination,
  openContainer,
  restoreContainer,
} from '../../containers.ts';
import type {
  Criu,
  MigrationOffer,
  MigrationRestoreOptions,
  MigrationServerHooks,
  RestoreOptions,
  ServeMigrationsOptions,
} from '../../index.ts';
import { fleetFailure } from '../failure.ts';
import type { ContainerWorkload, WorkloadSpec } from '../workload-spec.ts';
import type { MemberContainers } from './member-options.ts';
import { isOfContainer } from './move-metadata.ts';

/** The containers of a host: those that run there, and those that come. */
export class HostContainers {
  readonly #criu: Criu;
  readonly #options: MemberContainers | undefined;

  /** @param options how the host takes containers; undefined if it takes none */
  constructor(criu: Criu, options: MemberContainers | undefined) {
    this.#criu = criu;
    this.#options = options;
  }

  /** @throws CriuError ERR_CRIU_CONTAINER if it does not run here */
  async open({ container, root }: ContainerWorkload): Promise<Container> {
    return await openContainer(this.#criu, container, root === undefined ? {} : { root });
  }

  /** The specification of a workload that has come to this host, whose runtime may be elsewhere than at the one before. */
  specHere(spec: WorkloadSpec): WorkloadSpec {
    return 'container' in spec ? { ...spec, root: this.#options?.root } : spec;
  }

  /**
   * Restores a container, which its runtime knows then.
   * @returns the pid of its first process
   * @throws CriuError ERR_CRIU_FLEET if this host takes no containers; as `restoreContainer` does
   */
  async restore(
    operation: string,
    { container }: ContainerWorkload,
    imagesDirectory: string,
    restore: Omit<RestoreOptions, 'imagesDirectory'>,
  ): Promise<number> {
    const restored = await restoreContainer(this.#criu, {
      ...{ ...restore, imagesDirectory, id: container, runtime: false },
      ...this.#place(operation, container),
    });
    return restored.container.pid;
  }

  /** The options of a migration server that takes containers as well, if this host does, and anything else as it is. */
  serving(
    directory: string,
    restore: MigrationRestoreOptions,
    hooks: MigrationServerHooks,
  ): Pick<ServeMigrationsOptions, 'restore' | 'hooks'> {
    if (!this.#options) return { restore: (offer) => requireProcess(offer, restore), hooks };
    const destination = containerDestination({
      directory,
      place: ({ container }) => ({ ...this.#place('move', container.id), restore }),
      hooks,
    });
    return {
      restore: (offer, peer) =>
        isOfContainer(offer.metadata) ? destination.restore(offer, peer) : restore,
      hooks: {
        ...destination.hooks,
        beforeRestore: (migration) =>
          isOfContainer(migration.offer.metadata)
            ? destination.hooks.beforeRestore?.(migration)
            : undefined,
      },
    };
  }

  #place(operation: string, id: string): Pick<ContainerPlacement, 'bundle' | 'root' | 'network'> {
    if (!this.#options) throw fleetFailure(operation, TAKES_NONE);
    const { bundles, root, network } = this.#options;
    return {
      bundle: join(bundles, id),
      ...(root !== undefined && { root }),
      ...(network && { network }),
    };
  }
}

const TAKES_NONE = 'this host takes no containers: its agent joined without containers';

function requireProcess(
  { metadata }: MigrationOffer,
  restore: MigrationRestoreOptions,
): MigrationRestoreOptions {
  if (!isOfContainer(metadata)) return restore;
  throw new Error(TAKES_NONE);
}
