import { join } from 'node:path';
import {
  type Container,
  type ContainerDestination,
  type ContainerPlacement,
  containerDestination,
  openContainer,
  restoreContainer,
} from '../../containers.ts';
import type {
  Criu,
  MigrationRestoreOptions,
  MigrationServerHooks,
  RestoreOptions,
} from '../../index.ts';
import { fleetFailure } from '../failure.ts';
import type { ContainerWorkload, WorkloadSpec } from '../workload-spec.ts';
import type { MemberContainers } from './member-options.ts';

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

  /** What takes containers that come; it refuses all if this host takes none. */
  destination(
    directory: string,
    restore: MigrationRestoreOptions,
    hooks: MigrationServerHooks,
  ): ContainerDestination {
    return containerDestination({
      directory,
      place: ({ container }) => ({ ...this.#place('move', container.id), restore }),
      hooks,
    });
  }

  #place(operation: string, id: string): Pick<ContainerPlacement, 'bundle' | 'root' | 'network'> {
    if (!this.#options) {
      const reason = 'this host takes no containers: its agent joined without containers';
      throw fleetFailure(operation, reason);
    }
    const { bundles, root, network } = this.#options;
    return {
      bundle: join(bundles, id),
      ...(root !== undefined && { root }),
      ...(network && { network }),
    };
  }
}
