import { isIP, isIPv4 } from 'node:net';
import { canBind } from '../../../netlink/bindable.ts';
import { contains, formatCidr, maxPrefix, parseCidr } from '../../../netlink/ip-address.ts';
import { type InterfaceAddress, readAddresses, routeDevice } from '../../../netlink/rtnetlink.ts';
import { eachOf } from '../../../procfs/read.ts';
import type { IncomingAddress } from '../../journal/incoming-journal.ts';
import { parseAddress } from '../../protocol/address-options.ts';
import { fromOfferedOptions } from '../../protocol/offered-options.ts';
import { peerText } from '../../protocol/peer-text.ts';
import type { Objector, OpenMigration } from '../admission.ts';
import type { ServeMigrationsOptions } from '../serve-options.ts';
import type { ReceivedOffer } from '../server-context.ts';
import { answersForLo, requireSilenceable } from './arp-silence.ts';

/** How many addresses may move with one workload, and how many it may be bound to. */
const MAX_MOVED = 64;
const MAX_LOCAL = 1000;
/** How many addresses a message lists. */
const MAX_LISTED = 10;
const MAX_TEXT = 64;

type AddressOptions = Pick<ServeMigrationsOptions, 'allowAddresses' | 'hooks'>;

/**
 * Objects to the addresses of an offer that this host may not or cannot have.
 * @returns the places of those that it can have
 */
export async function admitAddresses(
  options: AddressOptions,
  { request, restore }: ReceivedOffer,
  object: Objector,
): Promise<IncomingAddress[]> {
  const { addresses: moved, localAddresses, connectedAddresses } = request;
  // A connection that is closed at the restore is not bound.
  const isClosed = { ...fromOfferedOptions(request), ...restore }.tcpClose === true;
  const local = new Set([...localAddresses, ...(isClosed ? [] : connectedAddresses)]);
  if (moved.length > MAX_MOVED || local.size > MAX_LOCAL) {
    object(
      `It has ${moved.length} addresses to move and ${local.size} local addresses, and this host takes at most ${MAX_MOVED} and ${MAX_LOCAL}.`,
      'Migrate the workload in parts.',
    );
    return [];
  }
  const places = await placesFor(moved, options.allowAddresses, object);
  // The hook may add an address, and another network namespace may have it.
  if (options.hooks?.beforeRestore || restore.joinNs) return places;
  const others = [...local].filter((one) => !places.some(({ address }) => address === one));
  const missing = await eachOf(others, async (one) =>
    isIP(one) && (await canBind(one)) ? undefined : one,
  );
  if (missing.length > 0 && places.length === moved.length) {
    const listed = missing.slice(0, MAX_LISTED).map((address) => peerText(address, MAX_TEXT));
    const more = missing.length > MAX_LISTED ? ' and others' : '';
    object(
      `Sockets of the processes are bound to ${listed.join(', ')}${more}, and this host has no such address.`,
      'Move the address with the migration (addresses, --address), or add it to this host.',
    );
  }
  return places;
}

/** Finds where the addresses of a workload go on this host, and objects to those that it may not or cannot have. */
export async function placesFor(
  addresses: readonly string[],
  allowed: AddressOptions['allowAddresses'],
  object: Objector,
): Promise<IncomingAddress[]> {
  const present = await readAddresses();
  const places: IncomingAddress[] = [];
  for (const text of addresses) {
    const place = await placeFor(text, allowed, present, object);
    if (place) places.push(place);
  }
  return places;
}

/** Objects to addresses that another migration under way brings. */
export function refuseTaken(
  offered: readonly IncomingAddress[],
  others: readonly Pick<OpenMigration, 'addresses'>[],
  object: Objector,
): void {
  const taken = new Set(others.flatMap(({ addresses }) => addresses));
  for (const address of offered.map(formatCidr).filter((one) => taken.has(one))) {
    object(
      `The address ${address} is that of another migration under way to this host.`,
      'Wait until it has ended.',
      'busy',
    );
  }
}

async function placeFor(
  text: string,
  allowed: ServeMigrationsOptions['allowAddresses'],
  present: readonly InterfaceAddress[],
  object: Objector,
): Promise<IncomingAddress | undefined> {
  const cidr = parseCidr(text);
  if (!cidr) {
    object(
      `${JSON.stringify(peerText(text, MAX_TEXT))} is not an address.`,
      'Use migrate().',
      'invalid',
    );
    return undefined;
  }
  const { address } = cidr;
  const shown = formatCidr(cidr);
  const ranges = allowed?.flatMap((one) => parseAddress(one) ?? []);
  const range = ranges?.find((one) => contains(one, address));
  if (!range) {
    object(
      `This host does not take the address ${shown}.`,
      'Allow it there: allowAddresses of serveMigrations(), or --allow-address of serve.',
      'not-authorized',
    );
    return undefined;
  }
  const owner = present.find((one) => one.address === address && one.device !== 'lo');
  if (owner) {
    object(
      `The address ${shown} is already on ${owner.device} of this host.`,
      'Remove it there, or omit it from addresses.',
    );
    return undefined;
  }
  const device = range.device ?? (await deviceFor(address, present));
  if (device === undefined) {
    object(
      `This host cannot tell on which device ${shown} belongs: it has no route to it.`,
      'Give the device there: allowAddresses: [{ address, device }], or --allow-address RANGE@DEVICE.',
    );
    return undefined;
  }
  try {
    const isQuieted = isIPv4(address) && (await answersForLo(device));
    if (isQuieted) await requireSilenceable(device);
    const isOnLo = present.some((one) => one.address === address && one.device === 'lo');
    return { ...cidr, device, isOnLo, isQuieted };
  } catch (error) {
    object(
      `This host cannot take ${shown} on ${device}: ${(error as Error).message}.`,
      'Give a device that it has, and let it write to /proc/sys/net.',
    );
    return undefined;
  }
}

/** The device whose subnet contains an address, or by which packets to the address leave. */
async function deviceFor(
  address: string,
  present: readonly InterfaceAddress[],
): Promise<string | undefined> {
  const inSubnet = present.find(
    (one) => one.device !== 'lo' && one.prefix < maxPrefix(address) && contains(one, address),
  );
  const device = inSubnet?.device ?? (await routeDevice(address));
  return device === 'lo' ? undefined : device;
}
