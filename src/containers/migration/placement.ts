import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { MigrationRestoreOptions } from '../../index.ts';
import { anyObject, check, checkOptions, required, type Shape } from '../../options/check.ts';
import { text } from '../../options/kinds.ts';
import { type BundleConfig, readBundleConfig } from '../bundle-config.ts';
import { containerFailure } from '../container-failure.ts';
import { bindMountsOf } from '../external-mounts.ts';
import { containerId } from '../restore-options.ts';
import { readRuntimeState } from '../runtime-state.ts';
import { type ContainerStream, streams } from '../standard-streams.ts';
import type { ContainerLink, PlacedLink } from './make-network.ts';
import type { ContainerOffer, OfferedContainer } from './offered-container.ts';
import { isLinkName } from './offered-network.ts';

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
  readonly network?: Readonly<Record<string, ContainerLink>>;
  /** Further options of the restore. */
  readonly restore?: MigrationRestoreOptions;
}

const shape: Shape<ContainerPlacement> = {
  bundle: required(text),
  id: containerId,
  root: text,
  stdio: streams,
  network: check(
    "an object such as { eth0: { bridge: 'br0' } } or { eth0: { parent: 'eth1' } }",
    (value) =>
      typeof value === 'object' &&
      value !== null &&
      !Array.isArray(value) &&
      Object.values(value).every(isLink),
  ),
  restore: anyObject,
};

function isLink(value: unknown): boolean {
  const { bridge, name, parent, ...others } = value as Record<string, unknown>;
  if (Object.keys(others).length > 0) return false;
  if (parent !== undefined) return isLinkName(parent) && bridge === undefined;
  return isLinkName(bridge) && (name === undefined || isLinkName(name));
}

/** A container that is to come to this host, and where it goes. */
export interface PlacedContainer {
  readonly offer: ContainerOffer;
  readonly placement: ContainerPlacement;
  readonly id: string;
  readonly root: string;
  readonly links: readonly PlacedLink[];
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
  if (await readRuntimeState(operation, root, id)) {
    throw containerFailure(operation, id, `there is one already in ${root}`);
  }
  await requireSources(operation, id, config);
  return { offer, placement, id, root, links: placeLinks(operation, id, offer, placement) };
}

async function requireSources(operation: string, id: string, config: BundleConfig): Promise<void> {
  const sources = bindMountsOf(config).map(({ source }) => source);
  for (const path of [config.rootfs, ...sources]) {
    await stat(path).catch((cause: Error) => {
      throw containerFailure(operation, id, `this host lacks ${path}`, { cause });
    });
  }
}

function placeLinks(
  operation: string,
  id: string,
  { id: migration, container }: ContainerOffer,
  { network = {} }: ContainerPlacement,
): PlacedLink[] {
  return linksOf(container).map((link, index) => {
    if (link.kind === 'loopback') return { link, place: undefined, outer: undefined };
    const place = Object.hasOwn(network, link.name) ? network[link.name] : undefined;
    if (!place) {
      const reason = `this host has no place in its network for the device ${link.name}`;
      throw containerFailure(operation, id, reason);
    }
    const name = 'bridge' in place ? (place.name ?? outerName(migration, index)) : undefined;
    return { link, place, outer: name };
  });
}

function linksOf({ network }: OfferedContainer) {
  return network?.links ?? [];
}

/** Unique on a host, and short enough. */
function outerName(migration: string, index: number): string {
  return `nc${migration.slice(0, 8)}-${index}`;
}

/** Where the images may have a difference of the root file system. */
export function rootfsFilesIn(directory: string) {
  return { diff: join(directory, 'rootfs-diff.tar'), deleted: join(directory, 'deleted.files') };
}
