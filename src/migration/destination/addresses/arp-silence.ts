import { constants } from 'node:fs';
import { access, readFile, writeFile } from 'node:fs/promises';
import { readAddresses } from '../../../netlink/rtnetlink.ts';

/** Marks the IPv4 addresses that migrations have added to `lo`. */
export const LABEL = 'lo:criu';

const settings = (device: string) => `/proc/sys/net/ipv4/conf/${device}/arp_ignore`;
const readSetting = async (device: string) => Number(await readFile(settings(device), 'utf8'));

/** The devices that migrations to this process have silenced. */
const silenced = new Set<string>();

/**
 * True if a device answers ARP requests for addresses of `lo`, or does so without the migrations to this
 * process. The greater of its own setting and the one of `all` is in effect.
 */
export async function answersForLo(device: string): Promise<boolean> {
  if (silenced.has(device)) return true;
  return Math.max(await readSetting('all'), await readSetting(device)) === 0;
}

/** @throws the error of access(2), if the device cannot be silenced */
export async function requireSilenceable(device: string): Promise<void> {
  await access(settings(device), constants.W_OK);
}

/** Makes a device answer ARP requests for its own addresses only. */
export async function silence(device: string): Promise<void> {
  await writeFile(settings(device), '1');
  silenced.add(device);
}

/** Undoes {@link silence}, once no migration has an address on `lo` any more. */
export async function endSilence(device: string): Promise<void> {
  if ((await readAddresses()).some(({ label }) => label === LABEL)) return;
  silenced.delete(device);
  await writeFile(settings(device), '0').catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
}
