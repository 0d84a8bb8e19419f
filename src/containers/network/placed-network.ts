import { readFileSync } from 'node:fs';
import type { Hooks } from '../../index.ts';
import { check } from '../../options/check.ts';
import { overrideHooks } from '../../options/hooks.ts';
import { containerFailure } from '../container-failure.ts';
import {
  type ContainerLink,
  connectNetwork,
  makeNetwork,
  type PlacedLink,
  removeLinks,
} from './make-network.ts';
import { isLinkName, type OfferedNetwork } from './offered-network.ts';

/** What the network devices of a container are connected to, by their names in the container. */
export type ContainerLinks = Readonly<Record<string, ContainerLink>>;

/** Takes what the network devices of a container are connected to. */
export const containerLinks = check(
  "an object such as { eth0: { bridge: 'br0' } } or { eth0: { parent: 'eth1' } }",
  (value) =>
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.values(value).every(isLink),
);

function isLink(value: unknown): boolean {
  const { bridge, name, parent, ...others } = value as Record<string, unknown>;
  if (Object.keys(others).length > 0) return false;
  if (parent !== undefined) return isLinkName(parent) && bridge === undefined;
  return isLinkName(bridge) && (name === undefined || isLinkName(name));
}

/** The network of a container that is restored on this host, and what it is connected to. */
export class PlacedNetwork {
  readonly #network: OfferedNetwork;
  readonly #links: readonly PlacedLink[];
  #isMade = false;

  /**
   * @param mark begins the names of the outer ends of veths: unique on this host, and at most 8 characters
   * @throws CriuError ERR_CRIU_CONTAINER if a device has no place, or its outer end has a name that is taken
   */
  static of(
    operation: string,
    id: string,
    network: OfferedNetwork,
    { places, mark }: { readonly places: ContainerLinks; readonly mark: string },
  ): PlacedNetwork {
    const links = network.links.map((link, index) => {
      if (link.kind === 'loopback') return { link, place: undefined, outer: undefined };
      const place = Object.hasOwn(places, link.name) ? places[link.name] : undefined;
      if (!place) {
        const reason = `this host has no place in its network for the device ${link.name}`;
        throw containerFailure(operation, id, reason);
      }
      const outer = 'bridge' in place ? (place.name ?? `nc${mark}-${index}`) : undefined;
      if (outer !== undefined && isTaken(outer)) {
        throw containerFailure(operation, id, `this host has a network device ${outer} already`);
      }
      return { link, place, outer };
    });
    return new PlacedNetwork(network, links);
  }

  private constructor(network: OfferedNetwork, links: readonly PlacedLink[]) {
    this.#network = network;
    this.#links = links;
  }

  /** The names of the devices that it makes on this host. */
  get outer(): readonly string[] {
    return this.#links.flatMap(({ outer }) => outer ?? []);
  }

  /** Hooks of a restore: they make the network once there is a namespace for it, and connect it when the copy is about to run. */
  hooks(given: Hooks = {}): Hooks {
    if (this.#links.length === 0) return given;
    let root = 0;
    return overrideHooks(given, {
      setupNamespaces: async (pid) => {
        root = pid;
        await makeNetwork(pid, this.#network, this.#links);
        this.#isMade = true;
        await given.setupNamespaces?.(pid);
      },
      networkUnlock: async () => {
        await connectNetwork(root, this.#links);
        await given.networkUnlock?.();
      },
    });
  }

  /** Removes what it has made on this host, after the restore has failed. What is half made goes with the namespace. */
  async remove(): Promise<void> {
    if (this.#isMade) await removeLinks(this.outer);
  }
}

/** True if this network namespace has a device with that name. */
function isTaken(name: string): boolean {
  const lines = readFileSync('/proc/self/net/dev', 'utf8').split('\n');
  return lines.some((line) => line.trimStart().startsWith(`${name}:`));
}
