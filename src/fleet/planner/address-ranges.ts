import { BlockList, isIPv4, SocketAddress } from 'node:net';
import { parseCidr } from '../../netlink/ip-address.ts';
import type { FleetHost } from '../view.ts';

/** The ranges of some hosts, and which addresses they contain. */
interface RangeList {
  readonly ranges: BlockList;
  readonly answers: Map<string, boolean>;
}

/** Which hosts take which addresses. Most hosts have the same ranges, so that each list of them is asked once. */
export class AddressRanges {
  readonly #lists: readonly RangeList[];
  readonly #texts = new Map<string, string>();
  readonly #parsed = new Map<string, SocketAddress | undefined>();

  constructor(hosts: readonly FleetHost[]) {
    const lists = new Map<string, RangeList>();
    this.#lists = hosts.map(({ allowAddresses }) => {
      const key = allowAddresses.join();
      const list = lists.get(key) ?? { ranges: blockList(allowAddresses), answers: new Map() };
      lists.set(key, list);
      return list;
    });
  }

  /** The first of the addresses that a host does not take, in words; undefined if it takes all. */
  objection(addresses: readonly string[], host: number): string | undefined {
    const refused = addresses.find((address) => !this.#takes(address, host));
    if (refused === undefined) return undefined;
    const text = this.#texts.get(refused) ?? `does not take the address ${refused}`;
    this.#texts.set(refused, text);
    return text;
  }

  #takes(address: string, host: number): boolean {
    const list = this.#lists[host] as RangeList;
    const known = list.answers.get(address);
    if (known !== undefined) return known;
    const parsed = this.#parse(address);
    const answer = parsed !== undefined && list.ranges.check(parsed);
    list.answers.set(address, answer);
    return answer;
  }

  #parse(text: string): SocketAddress | undefined {
    if (this.#parsed.has(text)) return this.#parsed.get(text);
    const address = parseCidr(text)?.address;
    const parsed =
      address === undefined ? undefined : new SocketAddress({ address, family: familyOf(address) });
    this.#parsed.set(text, parsed);
    return parsed;
  }
}

function blockList(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const cidr = parseCidr(range);
    // A range that nobody can read contains nothing: the agent refuses the address too.
    if (cidr) list.addSubnet(cidr.address, cidr.prefix, familyOf(cidr.address));
  }
  return list;
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIPv4(address) ? 'ipv4' : 'ipv6';
}
