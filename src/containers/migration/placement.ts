import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { MigrationRestoreOptions } from '../../index.ts';
import { anyObject, checkOptions, required, type Shape } from '../../options/check.ts';
import { text } from '../../options/kinds.ts';
import { type BundleConfig, readBundleConfig } from '../bundle-config.ts';
import { containerFailure } from '../container-failure.ts';
import { bindMountsOf } from '../external-mounts.ts';
import { type ContainerLinks, containerLinks, PlacedNetwork } from '../network/placed-network.ts';
import { containerId } from '../restore-options.ts';
import { isRunning, readRuntimeState } from '../runtime-state.ts';
import { type ContainerStream, streams } from '../standard-streams.ts';
import type { ContainerOffer } from './offered-container.ts';

/** Where a container goes on this host. */
export interface ContainerPlacement {
  /** The directory with the config.json of the container, and, by its `root.path`, the root file system. */
  readonly bundle: string;
  /** The id of the container here. Default: its id at the source. */
  readonly id?: string;
  /** The state directory of the runtime: runc's `--root`. Default `/run/runc`. */
  readonly root?: string;
  /** The standard streams, if they were pipes: see {@link RestoreContainerOptions}. Default `ignore`. */
  readonly stdio?: 'ignore' | 'inherit' | readonly ContainerStream[];
  /**
   * What the network devices of the container are connected to, by their names in the container:
   * `{ eth0: { bridge: 'br0' } }` or `{ eth0: { parent: 'enp3s0' } }`. Needed for each device if the container has a
   * network namespace of its own.
   */
  readonly network?: ContainerLinks;
  /** Further options of the restore. */
  readonly restore?: MigrationRestoreOptions;
}

const shape: Shape<ContainerPlacement> = {
  bundle: required(text),
  id: containerId,
  root: text,
  stdio: streams,
  network: containerLinks,
  restore: anyObject,
};

/** A container that is to come to this host, and where it goes. */
export interface PlacedContainer {
  readonly offer: ContainerOffer;
  readonly placement: ContainerPlacement;
  readonly id: string;
  readonly root: string;
  /** Undefined if it has no network of its own. */
  readonly network: PlacedNetwork | undefined;
}

/**
 * Checks that a container can be where it is to go.
 * @throws Error for which an offer is refused
 */
export async function placeContainer(
  operation: string,
  offer: ContainerOffer,
  given: ContainerPlacement,
): Promise<PlacedContainer> {
  const placement = checkOptions(operation, given, shape);
  const { container } = offer;
  const { bundle, id = container.id, root = '/run/runc' } = placement;
  const config = await readBundleConfig(operation, id, bundle);
  const known = await readRuntimeState(operation, root, id);
  if (known && isRunning(known)) {
    throw containerFailure(operation, id, `there is one already in ${root}`);
  }
  await requireSources(operation, id, config);
  const { network: offered } = container;
  const places = placement.network ?? {};
  const mark = offer.id.slice(0, 8);
  const network = offered && PlacedNetwork.of(operation, id, offered, { places, mark });
  return { offer, placement, id, root, network };
}

async function requireSources(operation: string, id: string, config: BundleConfig): Promise<void> {
  const sources = bindMountsOf(config).map(({ source }) => source);
  for (const path of [config.rootfs, ...sources]) {
    await stat(path).catch((cause: Error) => {
      throw containerFailure(operation, id, `this host lacks ${path}`, { cause });
    });
  }
}

/** Where the images may have a difference of the root file system. */
export function rootfsFilesIn(directory: string) {
  return { diff: join(directory, 'rootfs-diff.tar'), deleted: join(directory, 'deleted.files') };
}
