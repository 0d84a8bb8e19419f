import type { MigrationOffer } from '../../index.ts';
import { isRecord } from '../../options/check.ts';
import { bindMountsOf } from '../external-mounts.ts';
import { type OfferedNetwork, readOfferedNetwork } from '../network/offered-network.ts';
import { isContainerId } from '../restore-options.ts';
import type { RuntimeState } from '../runtime-state.ts';

/** What comes of the root file system of a container: nothing, or its difference to the image. */
export type OfferedRootfs = 'shared' | 'difference';

/** A container that a source offers, as its runtime describes it there. */
export interface OfferedContainer {
  /** Its id. */
  readonly id: string;
  /** Its annotations. Those of a manager name its image, for example. */
  readonly annotations: Readonly<Record<string, string>>;
  /** The mounts that show directories or files of the source: where they are in the container, and there. */
  readonly mounts: readonly { readonly destination: string; readonly source: string }[];
  /** The namespaces of its own, such as `NEWNET`, without those that it has joined. */
  readonly namespaces: readonly string[];
  /** What comes of its root file system. */
  readonly rootfs: OfferedRootfs;
  /** The network in its own network namespace; undefined if it has none. */
  readonly network: OfferedNetwork | undefined;
}

/** An offer of a container. */
export interface ContainerOffer extends MigrationOffer {
  readonly container: OfferedContainer;
}

/** How large a text may be that a source sends. */
const MAX_TEXT = 64 << 10;

/** The container as its source describes it. */
export function describeContainer(
  state: RuntimeState,
  rootfs: OfferedRootfs,
  network: OfferedNetwork | undefined,
): OfferedContainer {
  const labels = [...state.labels].filter(([name]) => name !== 'bundle');
  return {
    id: state.id,
    annotations: Object.fromEntries(labels),
    mounts: bindMountsOf(state).map(({ destination, source }) => ({ destination, source })),
    namespaces: state.namespaces.flatMap(({ type, path }) => (path === '' ? [type] : [])),
    rootfs,
    network,
  };
}

/** The metadata of the offer of a container, with those of the caller. */
export function toMetadata(container: OfferedContainer, metadata: unknown): unknown {
  return { container: { version: 1, ...container }, metadata };
}

/** The offer of a container; undefined if something else is offered. @throws Error if it is damaged */
export function readContainerOffer(offer: MigrationOffer): ContainerOffer | undefined {
  const { metadata: all } = offer;
  if (!isRecord(all) || !isRecord(all.container)) return undefined;
  const { container, metadata } = all;
  if (container.version !== 1) throw new Error('the offer is from a newer node-criu');
  const { id, rootfs } = container;
  if (!isContainerId(id)) throw wrong('id');
  if (rootfs !== 'shared' && rootfs !== 'difference') throw wrong('rootfs');
  if (!isRecord(container.annotations)) throw wrong('annotations');
  const annotations = Object.entries(container.annotations).map(
    ([name, value]) => [text(name, 'annotations'), text(value, 'annotations')] as const,
  );
  const read: OfferedContainer = {
    id,
    rootfs,
    annotations: Object.fromEntries(annotations),
    mounts: list(container.mounts, 'mounts').map((mount) => {
      if (!isRecord(mount)) throw wrong('mounts');
      const { destination, source } = mount;
      return { destination: text(destination, 'mounts'), source: text(source, 'mounts') };
    }),
    namespaces: list(container.namespaces, 'namespaces').map((one) => text(one, 'namespaces')),
    network: container.network === undefined ? undefined : readOfferedNetwork(container.network),
  };
  return { ...offer, metadata, container: read };
}

function wrong(field: string): Error {
  return new Error(`the ${field} of the container in the offer is wrong`);
}

function text(value: unknown, field: string): string {
  if (typeof value !== 'string' || value.length > MAX_TEXT) throw wrong(field);
  return value;
}

function list(value: unknown, field: string): readonly unknown[] {
  if (!Array.isArray(value)) throw wrong(field);
  return value;
}
