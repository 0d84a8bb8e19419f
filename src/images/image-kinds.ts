// The kinds of images by the names that CRIU's magic numbers and crit have for them. Small, because every
// import of the library has it; the messages of each kind are in image-layouts.ts.

/** The first word of most image files. */
const COMMON_MAGIC = 0x54564319;
/** The first word of files that are no part of a checkpoint. */
const SERVICE_MAGIC = 0x55105940;

/** The word that says what a file contains. Source: CRIU's criu/include/magic.h. */
const magics = {
  APPARMOR: 0x59423047,
  AUTOFS: 0x49353943,
  BINFMT_MISC: 0x67343323,
  BPFMAP_DATA: 0x64324033,
  BPFMAP_FILE: 0x57506142,
  CGROUP: 0x59383330,
  CORE: 0x55053847,
  CPUINFO: 0x61404013,
  CREDS: 0x54023547,
  EVENTFD_FILE: 0x44523722,
  EVENTPOLL_FILE: 0x45023858,
  EVENTPOLL_TFD: 0x44433746,
  EXT_FILES: 0x59255641,
  FANOTIFY_FILE: 0x55096122,
  FANOTIFY_MARK: 0x56506035,
  FDINFO: 0x56213732,
  FIFO: 0x58364939,
  FIFO_DATA: 0x59333054,
  FILES: 0x56303138,
  FILE_LOCKS: 0x54323616,
  FS: 0x51403912,
  GHOST_FILE: 0x52583605,
  IDS: 0x54432030,
  INETSK: 0x56443851,
  INOTIFY_FILE: 0x48424431,
  INOTIFY_WD: 0x54562009,
  INVENTORY: 0x58313116,
  IPCNS_MSG: 0x55453737,
  IPCNS_SEM: 0x59573019,
  IPCNS_SHM: 0x46283044,
  IPC_VAR: 0x53115007,
  IRMAP_CACHE: 0x57004059,
  ITIMERS: 0x57464056,
  MEMFD_INODE: 0x48453499,
  MM: 0x57492820,
  MNTS: 0x55563928,
  NETDEV: 0x57373951,
  NETLINK_SK: 0x58005614,
  NETNS: 0x55933752,
  NS_FILES: 0x61394011,
  PACKETSK: 0x60454618,
  PAGEMAP: 0x56084025,
  PIDFD: 0x54435556,
  PIDNS: 0x61157326,
  PIPES: 0x56513555,
  PIPES_DATA: 0x56453709,
  POSIX_TIMERS: 0x52603957,
  PSTREE: 0x50273030,
  REG_FILES: 0x50363636,
  REMAP_FPATH: 0x59133954,
  RLIMIT: 0x57113925,
  SECCOMP: 0x64413049,
  SIGACT: 0x55344201,
  SIGNAL: 0x59255647,
  SIGNALFD: 0x57323820,
  SK_QUEUES: 0x56264026,
  STATS: 0x57093306,
  TCP_STREAM: 0x51465506,
  TIMENS: 0x43114433,
  TIMERFD: 0x50493712,
  TTY_DATA: 0x59413026,
  TTY_FILES: 0x59433025,
  TTY_INFO: 0x59453036,
  TUNFILE: 0x57143751,
  UNIXSK: 0x54373943,
  USERNS: 0x55474906,
  UTSNS: 0x54473203,
  VMAS: 0x54123737,
} as const satisfies Record<string, number>;

/**
 * What an image file contains: one kind of entries. The names are those of CRIU's magic numbers, which crit has
 * as `magic`. The docs have a table of the files of each kind.
 */
export type ImageKind = keyof typeof magics;

/** The words with which a file of this kind begins. */
export function headerOf(kind: ImageKind): readonly number[] {
  // The inventory says in which version of the format the others are.
  if (kind === 'INVENTORY') return [magics.INVENTORY];
  const isService = kind === 'STATS' || kind === 'IRMAP_CACHE';
  return [isService ? SERVICE_MAGIC : COMMON_MAGIC, magics[kind]];
}

/** True if another word of the header follows the first one. */
export function hasSecondWord(first: number): boolean {
  return first === COMMON_MAGIC || first === SERVICE_MAGIC;
}

/** The kind of a file that begins with these words. */
export function kindOfHeader(words: readonly number[]): ImageKind | undefined {
  const magic = words.at(-1);
  const kinds = Object.keys(magics) as ImageKind[];
  return kinds.find((kind) => magics[kind] === magic);
}

export function isImageKind(name: unknown): name is ImageKind {
  return typeof name === 'string' && Object.hasOwn(magics, name);
}
