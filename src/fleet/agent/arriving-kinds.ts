import {
  copyDestination,
  type MigrationRestoreOptions,
  type MigrationServerHooks,
  type ServeMigrationsOptions,
} from '../../index.ts';
import type { HostContainers } from './host-containers.ts';
import { offeredKind } from './move-metadata.ts';

/** How a host takes what comes. */
export interface ArrivingKinds {
  readonly containers: HostContainers;
  /** That of the migration server. */
  readonly directory: string;
  /** Options of all restores. */
  readonly restore: MigrationRestoreOptions;
  readonly hooks: MigrationServerHooks;
}

/** The options of a migration server that takes containers, copies of templates, and anything else as it is. */
export function arrivingKinds({
  containers,
  directory,
  restore,
  hooks,
}: ArrivingKinds): Pick<ServeMigrationsOptions, 'restore' | 'hooks'> {
  const container = containers.destination(directory, restore, hooks);
  const { beforeRestore: prepareContainer, ...others } = container.hooks;
  // The ends of both are called, since each knows what it has made.
  const copy = copyDestination({ restore, hooks: others });
  return {
    restore(offer, peer) {
      const kind = offeredKind(offer.metadata);
      if (kind === 'container') return container.restore(offer, peer);
      return kind === 'copy' ? copy.restore(offer) : restore;
    },
    hooks: {
      ...copy.hooks,
      beforeRestore(migration) {
        const kind = offeredKind(migration.offer.metadata);
        if (kind === 'container') return prepareContainer?.(migration);
        return kind === 'copy' ? copy.hooks.beforeRestore?.(migration) : undefined;
      },
    },
  };
}
