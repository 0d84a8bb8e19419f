import { readFile } from 'node:fs/promises';
import { announce } from '../../../netlink/announcement.ts';
import { contains, formatCidr } from '../../../netlink/ip-address.ts';
import {
  addAddress,
  deleteAddress,
  type InterfaceAddress,
  readAddresses,
} from '../../../netlink/rtnetlink.ts';
import type { OutgoingAddress } from '../../journal/outgoing-journal.ts';
import {
  type MigrationAddress,
  type PlacedAddress,
  parseAddress,
} from '../../protocol/address-options.ts';
import { refusal } from '../failures.ts';

/**
 * Finds the addresses that are to go with the workload on the devices of this host.
 * @throws CriuError ERR_CRIU_MIGRATION_REFUSED if this host does not have one, or cannot give it away
 */
export async function locateAddresses(
  wanted: readonly MigrationAddress[],
): Promise<OutgoingAddress[]> {
  if (wanted.length === 0) return [];
  const present = await readAddresses();
  const located: OutgoingAddress[] = [];
  for (const one of wanted) located.push(await locate(one, present));
  return located;
}

async function locate(
  given: MigrationAddress,
  present: readonly InterfaceAddress[],
): Promise<OutgoingAddress> {
  const { address, prefix, device } = parseAddress(given) as PlacedAddress;
  const text = formatCidr({ address, prefix });
  const places = present.filter((one) => one.address === address && one.device !== 'lo');
  const [found, another] = places.filter((one) => device === undefined || one.device === device);
  if (!found) {
    const where =
      device === undefined ? 'no device of this host has it' : `${device} does not have it`;
    throw refusal(`the address ${text} cannot move: ${where}`);
  }
  if (another) {
    throw refusal(
      `the address ${text} is on ${found.device} and ${another.device}: give { address, device }`,
    );
  }
  if (found.prefix !== prefix) {
    throw refusal(`the address of ${found.device} is ${formatCidr(found)}, not ${text}: give that`);
  }
  await requireAlone(found, present);
  return { address, prefix, device: found.device, message: found.message.toString('base64') };
}

/** The kernel deletes the secondary addresses of a subnet with its first, unless it promotes one. */
async function requireAlone(
  found: InterfaceAddress,
  present: readonly InterfaceAddress[],
): Promise<void> {
  const { device, isSecondary } = found;
  const others = present.filter(
    (one) =>
      one.isSecondary &&
      one.device === device &&
      one.prefix === found.prefix &&
      contains(found, one.address),
  );
  const [other] = others;
  if (isSecondary || !other || (await promotesSecondaries(device))) return;
  throw refusal(
    `the kernel would remove ${formatCidr(other)} from ${device} with ${formatCidr(found)}: run sysctl -w net.ipv4.conf.${device}.promote_secondaries=1`,
  );
}

async function promotesSecondaries(device: string): Promise<boolean> {
  const read = (name: string) =>
    readFile(`/proc/sys/net/ipv4/conf/${name}/promote_secondaries`, 'utf8');
  return Number(await read('all')) > 0 || Number(await read(device)) > 0;
}

/** Removes addresses from this host. Idempotent. */
export async function removeAddresses(addresses: readonly OutgoingAddress[]): Promise<void> {
  for (const { device, message } of addresses) {
    await deleteAddress(device, Buffer.from(message, 'base64'));
  }
}

/** Gives this host its addresses back as they were, and tells the neighbours. Idempotent. */
export async function bringBackAddresses(addresses: readonly OutgoingAddress[]): Promise<void> {
  for (const { address, prefix, device, message } of addresses) {
    try {
      await addAddress(device, Buffer.from(message, 'base64'));
      await announce(device, address);
    } catch (cause) {
      const what = `cannot add ${formatCidr({ address, prefix })} to ${device}`;
      throw new Error(`${what}: ${(cause as Error).message}`, { cause });
    }
  }
}
