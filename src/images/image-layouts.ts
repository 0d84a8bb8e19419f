import * as files from '../generated/images/files.ts';
import * as host from '../generated/images/host.ts';
import { inventory_entry, task_kobj_ids_entry } from '../generated/images/inventory.ts';
import * as memory from '../generated/images/memory.ts';
import { autofs_entry, mnt_entry } from '../generated/images/mounts.ts';
import * as namespaces from '../generated/images/namespaces.ts';
import { pagemap_entry, pagemap_head } from '../generated/images/pagemap.ts';
import { pstree_entry } from '../generated/images/pstree.ts';
import * as sockets from '../generated/images/sockets.ts';
import { stats_entry } from '../generated/images/stats.ts';
import * as tasks from '../generated/images/tasks.ts';
import * as terminals from '../generated/images/terminals.ts';
import type { BpfmapDataEntry, PipeDataEntry, SkPacketEntry } from '../generated/images/types.ts';
import type { MessageType } from '../protobuf/message-type.ts';
import type { ImageKind } from './image-kinds.ts';
import {
  bytesOf,
  ghostContent,
  messageQueue,
  type PayloadFormat,
  semaphores,
  sharedMemory,
  tcpQueues,
} from './payload-formats.ts';

/** What the entries of a kind of images are. */
export interface Layout {
  /** The message of each entry. */
  readonly message: MessageType;
  /** The message of the first entry, if it is another one. */
  readonly head?: MessageType;
  /** What follows each entry. */
  readonly payload?: PayloadFormat;
}

export const layouts: Readonly<Record<ImageKind, Layout>> = {
  APPARMOR: { message: host.apparmor_entry },
  AUTOFS: { message: autofs_entry },
  BINFMT_MISC: { message: namespaces.binfmt_misc_entry },
  BPFMAP_DATA: {
    message: files.bpfmap_data_entry,
    payload: bytesOf<BpfmapDataEntry>((entry) => entry.keys_bytes + entry.values_bytes),
  },
  BPFMAP_FILE: { message: files.bpfmap_file_entry },
  CGROUP: { message: host.cgroup_entry },
  CORE: { message: tasks.core_entry },
  CPUINFO: { message: host.cpuinfo_entry },
  CREDS: { message: tasks.creds_entry },
  EVENTFD_FILE: { message: files.eventfd_file_entry },
  EVENTPOLL_FILE: { message: files.eventpoll_file_entry },
  EVENTPOLL_TFD: { message: files.eventpoll_tfd_entry },
  EXT_FILES: { message: files.ext_file_entry },
  FANOTIFY_FILE: { message: files.fanotify_file_entry },
  FANOTIFY_MARK: { message: files.fanotify_mark_entry },
  FDINFO: { message: files.fdinfo_entry },
  FIFO: { message: files.fifo_entry },
  FIFO_DATA: {
    message: files.pipe_data_entry,
    payload: bytesOf<PipeDataEntry>(({ bytes }) => bytes),
  },
  FILES: { message: files.file_entry },
  FILE_LOCKS: { message: files.file_lock_entry },
  FS: { message: files.fs_entry },
  GHOST_FILE: {
    head: files.ghost_file_entry,
    message: files.ghost_chunk_entry,
    payload: ghostContent,
  },
  IDS: { message: task_kobj_ids_entry },
  INETSK: { message: sockets.inet_sk_entry },
  INOTIFY_FILE: { message: files.inotify_file_entry },
  INOTIFY_WD: { message: files.inotify_wd_entry },
  INVENTORY: { message: inventory_entry },
  IPCNS_MSG: { message: namespaces.ipc_msg_entry, payload: messageQueue },
  IPCNS_SEM: { message: namespaces.ipc_sem_entry, payload: semaphores },
  IPCNS_SHM: { message: namespaces.ipc_shm_entry, payload: sharedMemory },
  IPC_VAR: { message: namespaces.ipc_var_entry },
  IRMAP_CACHE: { message: files.irmap_cache_entry },
  ITIMERS: { message: tasks.itimer_entry },
  MEMFD_INODE: { message: memory.memfd_inode_entry },
  MM: { message: memory.mm_entry },
  MNTS: { message: mnt_entry },
  NETDEV: { message: namespaces.net_device_entry },
  NETLINK_SK: { message: sockets.netlink_sk_entry },
  NETNS: { message: namespaces.netns_entry },
  NS_FILES: { message: files.ns_file_entry },
  PACKETSK: { message: sockets.packet_sock_entry },
  PAGEMAP: { head: pagemap_head, message: pagemap_entry },
  PIDFD: { message: files.pidfd_entry },
  PIDNS: { message: namespaces.pidns_entry },
  PIPES: { message: files.pipe_entry },
  PIPES_DATA: {
    message: files.pipe_data_entry,
    payload: bytesOf<PipeDataEntry>(({ bytes }) => bytes),
  },
  POSIX_TIMERS: { message: tasks.posix_timer_entry },
  PSTREE: { message: pstree_entry },
  REG_FILES: { message: files.reg_file_entry },
  REMAP_FPATH: { message: files.remap_file_path_entry },
  RLIMIT: { message: tasks.rlimit_entry },
  SECCOMP: { message: host.seccomp_entry },
  SIGACT: { message: tasks.sa_entry },
  SIGNAL: { message: tasks.siginfo_entry },
  SIGNALFD: { message: files.signalfd_entry },
  SK_QUEUES: {
    message: sockets.sk_packet_entry,
    payload: bytesOf<SkPacketEntry>(({ length }) => length),
  },
  STATS: { message: stats_entry },
  TCP_STREAM: { message: sockets.tcp_stream_entry, payload: tcpQueues },
  TIMENS: { message: namespaces.timens_entry },
  TIMERFD: { message: files.timerfd_entry },
  TTY_DATA: { message: terminals.tty_data_entry },
  TTY_FILES: { message: terminals.tty_file_entry },
  TTY_INFO: { message: terminals.tty_info_entry },
  TUNFILE: { message: files.tunfile_entry },
  UNIXSK: { message: sockets.unix_sk_entry },
  USERNS: { message: namespaces.userns_entry },
  UTSNS: { message: namespaces.utsns_entry },
  VMAS: { message: memory.vma_entry },
};

/** The message of an entry. */
export function messageOf({ head, message }: Layout, index: number): MessageType {
  return index === 0 && head ? head : message;
}
