import { maxPrefix } from '../../netlink/ip-address.ts';
import { isRecord } from '../../options/check.ts';
import { askIp } from './ip-command.ts';
import type { OfferedLink, OfferedNetwork, OfferedRoute } from './offered-network.ts';

/** The addresses that every loopback device has. */
const OWN_OF_LOOPBACK: ReadonlySet<string> = new Set(['127.0.0.1/8', '::1/128']);
/** Routes that the kernel makes by itself. */
const AUTOMATIC: ReadonlySet<unknown> = new Set(['kernel', 'ra']);

/** A device in a network namespace, with what ip(8) says about it. */
export interface FoundLink extends OfferedLink {
  readonly index: number;
  /** The index of what it is linked to: of the other end of a veth, of the device below a macvlan. */
  readonly linkedTo: number | undefined;
}

/**
 * Reads the network of a process.
 * @throws Error for a device that cannot be made again
 */
export async function describeNetwork(pid: number): Promise<OfferedNetwork> {
  const [links, ...routes] = await Promise.all([
    readLinks(pid),
    readRoutes(4, pid),
    readRoutes(6, pid),
  ]);
  const names = new Set(links.map(({ name }) => name));
  return {
    links: links.map(({ index: _, linkedTo: __, ...link }) => link),
    routes: routes.flat().filter(({ device }) => names.has(device)),
  };
}

/** The devices that a container has, without those that every network namespace has. */
export async function readLinks(pid: number): Promise<FoundLink[]> {
  const all = await askIp('address show', pid);
  return all.filter(isRecord).flatMap((link) => {
    const { ifname, ifindex, link_index, address, mtu, flags } = link;
    const addresses = addressesOf(link);
    const name = String(ifname);
    const isLoopback = name === 'lo';
    const isUp = Array.isArray(flags) && flags.includes('UP');
    // Such as tunl0 and sit0, which the kernel makes.
    if (isLoopback ? addresses.length === 0 : !isUp && addresses.length === 0) return [];
    const kind = isLoopback ? 'loopback' : kindOf(link);
    if (kind !== 'veth' && kind !== 'macvlan' && kind !== 'loopback') {
      const what = kind === undefined ? 'a device of the host' : `a ${kind}`;
      throw new Error(`its network device ${name} is ${what}: only veth and macvlan can move`);
    }
    return [
      {
        ...{ name, kind, addresses, mtu: Number(mtu), index: Number(ifindex) },
        hardwareAddress: isLoopback ? undefined : String(address),
        linkedTo: typeof link_index === 'number' ? link_index : undefined,
      },
    ];
  });
}

function kindOf({ linkinfo }: Readonly<Record<string, unknown>>): string | undefined {
  return isRecord(linkinfo) ? String(linkinfo.info_kind) : undefined;
}

/** Without those that the kernel makes. */
function addressesOf({ addr_info }: Readonly<Record<string, unknown>>): string[] {
  if (!Array.isArray(addr_info)) return [];
  return addr_info
    .filter(isRecord)
    .filter(({ scope, dynamic }) => scope !== 'link' && dynamic !== true)
    .map(({ local, prefixlen }) => `${local}/${prefixlen}`)
    .filter((address) => !OWN_OF_LOOPBACK.has(address));
}

async function readRoutes(family: 4 | 6, pid: number): Promise<OfferedRoute[]> {
  const all = await askIp('route show table main', pid, [`-${family}`]);
  return all
    .filter(isRecord)
    .filter(({ protocol }) => !AUTOMATIC.has(protocol))
    .map((route) => {
      const { dst, gateway, dev, prefsrc, metric, flags, nexthops, type } = route;
      if (nexthops !== undefined || (gateway === undefined && route.via !== undefined)) {
        throw new Error(`its route to ${dst} has several routers, or one of another family`);
      }
      if (type !== undefined && type !== 'unicast') {
        throw new Error(`its route to ${dst} is of the type ${type}, which cannot move`);
      }
      return {
        destination: networkOf(String(dst), family),
        gateway: gateway === undefined ? undefined : String(gateway),
        device: String(dev),
        source: prefsrc === undefined ? undefined : String(prefsrc),
        metric: typeof metric === 'number' ? metric : undefined,
        isOnLink: Array.isArray(flags) && flags.includes('onlink'),
      };
    });
}

function networkOf(destination: string, family: 4 | 6): string {
  if (destination === 'default') return family === 4 ? '0.0.0.0/0' : '::/0';
  return destination.includes('/') ? destination : `${destination}/${maxPrefix(destination)}`;
}
