import { existsSync } from 'node:fs';
import type {
  IncomingMigration,
  MigrationOffer,
  MigrationPeer,
  MigrationRestoreOptions,
  MigrationServerHooks,
  RestoringMigration,
} from '../../index.ts';
import {
  anyObject,
  callback,
  checkOptions,
  either,
  required,
  type Shape,
} from '../../options/check.ts';
import { text } from '../../options/kinds.ts';
import { applyRootfsDiff } from '../archive/apply-rootfs-diff.ts';
import { readBundleConfig } from '../bundle-config.ts';
import { DirectRestore } from '../direct-restore.ts';
import { type ContainerOffer, readContainerOffer } from './offered-container.ts';
import {
  type ContainerPlacement,
  type PlacedContainer,
  placeContainer,
  rootfsFilesIn,
} from './placement.ts';
import { SetupRecord } from './setup-record.ts';

/** Options of {@link containerDestination}. */
export interface ContainerDestinationOptions {
  /** The directory of the migration server: what was made for containers is noted there. */
  directory: string;
  /** Where containers go, or a function that says it for an offer. If it throws, the offer is refused with its message. */
  place:
    | ContainerPlacement
    | ((
        offer: ContainerOffer,
        peer: MigrationPeer,
      ) => ContainerPlacement | Promise<ContainerPlacement>);
  /**
   * Hooks of the caller. `beforeRestore` is called before the library prepares the container, and may mount its root
   * file system; `afterMigration` after the library has removed what it made.
   */
  hooks?: MigrationServerHooks;
}

/** Options of `criu.serveMigrations()` for containers. */
export interface ContainerDestination {
  readonly directory: string;
  readonly restore: (
    offer: MigrationOffer,
    peer: MigrationPeer,
  ) => Promise<MigrationRestoreOptions>;
  readonly hooks: MigrationServerHooks;
}

const OPERATION = 'containerDestination';

const shape: Shape<ContainerDestinationOptions> = {
  directory: required(text),
  place: required(either(callback, anyObject)),
  hooks: anyObject,
};

/**
 * Options of a migration server that takes containers from {@link Container.migrate}. It restores them without a
 * runtime, and writes the state that runc reads before they run. What was made for a migration that fails is removed
 * again, after a crash by the next server in the directory that has these options. Offers of other processes are refused.
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT
 * @example
 * ```ts
 * const containers = containerDestination({
 *   directory: '/var/lib/node-criu',
 *   place: ({ container }) => ({ bundle: `/srv/bundles/${container.id}` }),
 * });
 * await criu.serveMigrations({ listen: { host: '192.0.2.2', port: 7007 }, tls, ...containers });
 * ```
 */
export function containerDestination(options: ContainerDestinationOptions): ContainerDestination {
  const { directory, place, hooks = {} } = checkOptions(OPERATION, options, shape);
  const arrivals = new Arrivals(directory, hooks);
  return {
    directory,
    restore: async (given, peer) => {
      const offer = readContainerOffer(given);
      if (!offer) throw new Error('this host takes only containers');
      const placement = typeof place === 'function' ? await place(offer, peer) : place;
      return await arrivals.expect(await placeContainer(OPERATION, offer, placement));
    },
    hooks: arrivals.hooks,
  };
}

/** The containers that come to a server. */
class Arrivals {
  readonly #record: SetupRecord;
  readonly #own: MigrationServerHooks;
  readonly #placed = new Map<string, PlacedContainer>();
  readonly #prepared = new Map<string, DirectRestore>();

  constructor(directory: string, own: MigrationServerHooks) {
    this.#record = new SetupRecord(directory);
    this.#own = own;
  }

  get hooks(): MigrationServerHooks {
    const own = this.#own;
    return {
      changed: (migration) => {
        if (migration.state === 'aborted') this.#placed.delete(migration.id);
        own.changed?.(migration);
      },
      refused: (refused) => {
        this.#placed.delete(refused.id);
        own.refused?.(refused);
      },
      beforeRestore: (migration) => this.#beforeRestore(migration),
      afterRestore: async (migration) => await own.afterRestore?.(migration),
      afterMigration: (migration) => this.#afterMigration(migration),
    };
  }

  /** Remembers a container whose offer is about to be accepted. */
  async expect(placed: PlacedContainer): Promise<MigrationRestoreOptions> {
    this.#placed.set(placed.offer.id, placed);
    return placed.placement.restore ?? {};
  }

  async #beforeRestore(migration: RestoringMigration): Promise<MigrationRestoreOptions> {
    const own = (await this.#own.beforeRestore?.(migration)) ?? {};
    const placed = this.#placed.get(migration.id);
    if (!placed) throw new Error('the migration was not offered to this server');
    const { placement, id, root, network, offer } = placed;
    const { bundle, stdio } = placement;
    const { imagesDirectory } = migration;
    const config = await readBundleConfig(OPERATION, id, bundle);
    if (offer.container.rootfs === 'difference')
      await applyDifference(config.rootfs, imagesDirectory);
    const restore = { ...placement.restore, ...own };
    const checked = {
      own: { imagesDirectory, id, root, bundle, ...(stdio && { stdio }) },
      restore: { ...restore, ...(network && { hooks: network.hooks(restore.hooks) }) },
    };
    const prepared = await DirectRestore.prepare(OPERATION, checked, config, (made) =>
      this.#record.write(migration.id, { ...made, links: network?.outer ?? [] }),
    );
    this.#prepared.set(migration.id, prepared);
    return prepared.options;
  }

  async #afterMigration(migration: IncomingMigration): Promise<void> {
    const { id, state } = migration;
    this.#placed.delete(id);
    await this.#prepared.get(id)?.[Symbol.asyncDispose]();
    this.#prepared.delete(id);
    if (state === 'complete') await this.#record.forget(id);
    else await this.#record.undo(OPERATION, id);
    await this.#own.afterMigration?.(migration);
  }
}

async function applyDifference(rootfs: string, imagesDirectory: string): Promise<void> {
  const { diff, deleted } = rootfsFilesIn(imagesDirectory);
  if (!existsSync(diff)) throw new Error('the difference of the root file system has not come');
  await applyRootfsDiff(rootfs, diff, deleted);
}
