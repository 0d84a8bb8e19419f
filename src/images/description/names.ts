// Names of the kernel's numbers, for a person.
import { constants } from 'node:os';
import { flagTables, nameTables } from '../json/field-tables.ts';

/** Numbers from 0. Source: linux/capability.h. */
const CAPABILITIES = (
  'CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE ' +
  'NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT ' +
  'SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP ' +
  'MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE'
).split(' ');

/** Numbers from 0. Source: asm-generic/resource.h. */
const LIMITS =
  'cpu fsize data stack core rss nproc nofile memlock as locks sigpending msgqueue nice rtprio rttime'.split(
    ' ',
  );

/** Source: linux/eventpoll.h. */
const EPOLL_EVENTS: Readonly<Record<string, number>> = {
  EPOLLIN: 0x1,
  EPOLLPRI: 0x2,
  EPOLLOUT: 0x4,
  EPOLLERR: 0x8,
  EPOLLHUP: 0x10,
  EPOLLRDHUP: 0x2000,
  EPOLLEXCLUSIVE: 1 << 28,
  EPOLLWAKEUP: 1 << 29,
  EPOLLONESHOT: 1 << 30,
  EPOLLET: 1 << 31,
};

/** Numbers from 0; source: linux/netlink.h. */
const NETLINK_PROTOCOLS =
  'route unused usersock firewall sock-diag nflog xfrm selinux iscsi audit fib-lookup connector netfilter ip6-fw dnrtmsg kobject-uevent generic'.split(
    ' ',
  );

/** Numbers from 0; source: linux/time.h. */
const CLOCKS =
  'realtime monotonic process-cputime thread-cputime monotonic-raw realtime-coarse monotonic-coarse boottime realtime-alarm boottime-alarm'.split(
    ' ',
  );

const signals = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name]));
const ACCESS = 3;

export const limitName = (number: number): string => LIMITS[number] ?? String(number);
export const netlinkProtocol = (number: number): string =>
  NETLINK_PROTOCOLS[number] ?? String(number);
export const clockName = (number: number): string => CLOCKS[number] ?? String(number);
export const signalName = (number: number): string => signals.get(number) ?? `SIG${number}`;

/** The signals of a mask. */
export function signalNames(mask: bigint): string[] {
  return bits(mask).map((bit) => signalName(bit + 1));
}

/** The capabilities of a mask in words of 32 bits. */
export function capabilityNames(words: readonly number[] = []): string[] {
  const mask = words.reduce((sum, word, index) => sum | (BigInt(word) << BigInt(32 * index)), 0n);
  return bits(mask).map((bit) => `CAP_${CAPABILITIES[bit] ?? bit}`);
}

/** The flags of open(2). */
export function openFlags(flags: number): string[] {
  const readOnly = (flags & ACCESS) === 0 ? ['O_RDONLY'] : [];
  return [...readOnly, ...flagNames(flagTables['rfile.flags'] ?? {}, flags)];
}

export const epollEvents = (events: number): string[] => flagNames(EPOLL_EVENTS, events);
export const sealNames = (seals: number): string[] =>
  flagNames(flagTables['seals.flags'] ?? {}, seals);

/** The name that crit has for a number of a socket. */
export function socketName(field: 'type' | 'state' | 'proto', value: number): string {
  const names = nameTables.sk?.[field] ?? {};
  return Object.keys(names).find((name) => names[name] === value) ?? String(value);
}

function flagNames(table: Readonly<Record<string, number>>, value: number): string[] {
  return Object.keys(table).filter((name) => (value & (table[name] as number)) !== 0);
}

function bits(mask: bigint): number[] {
  const found: number[] = [];
  for (let bit = 0; bit < 64; bit++) if ((mask >> BigInt(bit)) & 1n) found.push(bit);
  return found;
}
