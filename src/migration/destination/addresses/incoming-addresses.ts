import { announce } from '../../../netlink/announcement.ts';
import { formatCidr } from '../../../netlink/ip-address.ts';
import {
  addAddress,
  addressMessage,
  bindableMessage,
  deleteAddress,
} from '../../../netlink/rtnetlink.ts';
import type { IncomingAddress, IncomingFacts } from '../../journal/incoming-journal.ts';
import { SERVE } from '../serve-options.ts';
import { endSilence, LABEL, silence } from './arp-silence.ts';

const LOOPBACK = 'lo';

/** The facts of a journal that tell which addresses this host has for a migration. */
type AddressFacts = Partial<Pick<IncomingFacts, 'addresses' | 'addressesOn'>>;

/**
 * Adds addresses to `lo`, so that the sockets of the copy can be bound to them while the source has
 * them. No neighbour is told, and none gets an answer.
 */
export async function makeBindable({ addresses = [] }: AddressFacts): Promise<void> {
  for (const { address, device, isOnLo, isQuieted } of addresses) {
    if (isQuieted) await silence(device);
    if (!isOnLo) await addAddress(LOOPBACK, bindableMessage(address, LABEL));
  }
}

/** Moves addresses from `lo` to their devices, and tells the neighbours. Idempotent. */
export async function takeAddresses({ addresses = [] }: AddressFacts): Promise<void> {
  for (const address of addresses) {
    await addAddress(address.device, addressMessage(address)).catch((cause: Error) => {
      const what = `cannot add ${formatCidr(address)} to ${address.device}`;
      throw new Error(`${what}: ${cause.message}`, { cause });
    });
    await leaveLoopback(address);
  }
  await announceAddresses({ addresses });
}

/** Tells the neighbours which device has the addresses. */
export async function announceAddresses({ addresses = [] }: AddressFacts): Promise<void> {
  for (const { device, address } of addresses) await announce(device, address);
}

/**
 * Removes whatever addresses this host has for a migration. Idempotent.
 * @returns whether all could be removed; a process warning names each that could not
 */
export async function dropAddresses(
  id: string,
  { addresses = [], addressesOn }: AddressFacts,
): Promise<boolean> {
  let isDone = true;
  for (const address of addressesOn ? addresses : []) {
    try {
      if (addressesOn === 'device') await deleteAddress(address.device, addressMessage(address));
      await leaveLoopback(address);
    } catch (error) {
      isDone = false;
      process.emitWarning(
        `${SERVE}: migration ${id} has failed, and its address ${formatCidr(address)} cannot be removed from this host: ${(error as Error).message}`,
      );
    }
  }
  return isDone;
}

async function leaveLoopback({ address, device, isOnLo, isQuieted }: IncomingAddress) {
  if (!isOnLo) await deleteAddress(LOOPBACK, bindableMessage(address, LABEL));
  if (isQuieted) await endSilence(device);
}
