import { execFile } from 'node:child_process';
import { isIPv6 } from 'node:net';
import { promisify } from 'node:util';
import { namespacePath } from '../../procfs/namespaces.ts';
import { askIp, ip } from './ip-command.ts';
import type { OfferedLink, OfferedNetwork, OfferedRoute } from './offered-network.ts';

const run = promisify(execFile);

/** What a network device of a container is connected to on this host. */
export type ContainerLink =
  | {
      /** A bridge that the outer end of a veth joins, such as `br0`. */
      readonly bridge: string;
      /** The name of the outer end. Default: one that begins with `nc`. */
      readonly name?: string;
    }
  | {
      /** A network device that a macvlan is made on, such as `eth0`. */
      readonly parent: string;
    };

/** A device to make, and where. */
export interface PlacedLink {
  readonly link: OfferedLink;
  /** Undefined for `lo`. */
  readonly place: ContainerLink | undefined;
  /** The name of the outer end of a veth. */
  readonly outer: string | undefined;
}

/**
 * Makes the devices, addresses and routes of a container in the network namespace of a process. No packet leaves it
 * before {@link connectNetwork}: the original has the same addresses.
 */
export async function makeNetwork(
  pid: number,
  { routes }: OfferedNetwork,
  links: readonly PlacedLink[],
): Promise<void> {
  const outside = links.flatMap((placed) => creationOf(placed, pid));
  if (outside.length > 0) await ip(outside);
  const inside = links.flatMap(({ link, place }) => [
    // A macvlan has no end that is down: it does not answer whoever asks for its addresses.
    ...(place && 'parent' in place ? [`link set dev ${link.name} arp off`] : []),
    ...(place ? [`link set dev ${link.name} up`] : []),
    ...link.addresses.map((address) => addition(address, link.name)),
  ]);
  await ip([...inside, ...routes.map(routeAddition)], { pid });
}

/** Connects the devices of a container, and tells their neighbours where they are. */
export async function connectNetwork(pid: number, links: readonly PlacedLink[]): Promise<void> {
  const outside = links.flatMap(({ outer, place }) =>
    outer !== undefined && place && 'bridge' in place
      ? [`link set dev ${outer} master ${place.bridge}`]
      : [],
  );
  if (outside.length > 0) await ip(outside);
  const inside = links.flatMap(({ link, place }) =>
    place && 'parent' in place ? [`link set dev ${link.name} arp on`] : [],
  );
  if (inside.length > 0) await ip(inside, { pid });
  const devices = links.flatMap(({ link, place }) => (place ? [link] : []));
  if (devices.length > 0) await announceLinks(pid, devices);
}

/** Makes the kernel announce all addresses of devices, which it does when their MAC addresses are set. */
async function announceLinks(pid: number, links: readonly OfferedLink[]): Promise<void> {
  const script = [
    'while [ $# -gt 0 ]; do',
    '  for file in ipv4/conf/$1/arp_notify ipv6/conf/$1/ndisc_notify; do',
    '    [ ! -e /proc/sys/net/$file ] || echo 1 > /proc/sys/net/$file',
    '  done',
    '  ip link set dev $1 address $2',
    '  shift 2',
    'done',
  ].join('\n');
  const namespace = `--net=${namespacePath(pid, 'net')}`;
  const given = links.flatMap(({ name, hardwareAddress = '' }) => [name, hardwareAddress]);
  await run('nsenter', [namespace, 'sh', '-ec', script, 'sh', ...given]);
}

/** Removes the outer ends of veths; those that are gone are left out. */
export async function removeLinks(names: readonly string[]): Promise<void> {
  if (names.length === 0) return;
  const existing = new Set((await askIp('link show')).map((link) => String(ifnameOf(link))));
  for (const name of names) {
    if (!existing.has(name)) continue;
    await ip([`link delete dev ${name}`]).catch(async (error: Error) => {
      // It ends with the namespace of the other end.
      const left = (await askIp('link show')).map(ifnameOf);
      if (left.includes(name)) throw error;
    });
  }
}

function creationOf({ link, place, outer }: PlacedLink, pid: number): string[] {
  const { name, hardwareAddress, mtu } = link;
  if (!place) return [];
  const inner = `address ${hardwareAddress} mtu ${mtu} netns ${pid}`;
  return 'bridge' in place
    ? [
        `link add name ${outer} mtu ${mtu} type veth peer name ${name} ${inner}`,
        // Already now, since a device takes a while to be ready. It leads nowhere.
        `link set dev ${outer} up`,
      ]
    : [`link add link ${place.parent} name ${name} ${inner} type macvlan mode bridge`];
}

function addition(address: string, device: string): string {
  return isIPv6(address.split('/')[0] ?? '')
    ? `address add ${address} dev ${device} nodad`
    : `address add ${address} brd + dev ${device}`;
}

function routeAddition(route: OfferedRoute): string {
  const { destination, gateway, device, source, metric, isOnLink } = route;
  const isV6 = destination.includes(':');
  return [
    ...['route', 'replace', destination],
    ...(gateway === undefined ? [] : ['via', gateway]),
    ...['dev', device],
    ...(gateway === undefined && !isV6 ? ['scope', 'link'] : []),
    ...(source === undefined ? [] : ['src', source]),
    ...(metric === undefined ? [] : ['metric', String(metric)]),
    ...(isOnLink ? ['onlink'] : []),
  ].join(' ');
}

function ifnameOf(link: unknown): unknown {
  return (link as { readonly ifname?: unknown }).ifname;
}
