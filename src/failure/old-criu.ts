import { release } from 'node:os';

/** The first CRIU that can dump sockets on Linux 6.16, as `version().number`. */
const FIRST_WITH_SOCKETS = 40200;

/**
 * True if a CRIU of this version fails to dump each socket of TCP, UDP or packets on this kernel: since Linux 6.16
 * only unix and netlink sockets have the options SO_PASSCRED and SO_PASSSEC, which CRIU before 4.2 reads of all.
 */
export function failsAtSockets(criu: number, kernel = release()): boolean {
  const [major = 0, minor = 0] = kernel.split('.').map((part) => Number.parseInt(part, 10));
  return criu < FIRST_WITH_SOCKETS && major * 1000 + minor >= 6016;
}

/** Says so, without the remedy, of a CRIU, as `CRIU 4.1.1 (/usr/sbin/criu)`. */
export function tooOldForSockets(criu: string): string {
  return `${criu} is too old for the kernel ${release()}, on which it cannot dump TCP and UDP sockets`;
}

/** What to do about it. */
export const CRIU_WITH_SOCKETS = 'install CRIU 4.2 or newer';
