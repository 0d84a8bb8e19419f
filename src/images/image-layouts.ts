import * as files from '../generated/images/files.ts';
import * as host from '../generated/images/host.ts';
import {
  type InventoryEntry,
  inventory_entry,
  type TaskKobjIdsEntry,
  task_kobj_ids_entry,
} from '../generated/images/inventory.ts';
import * as memory from '../generated/images/memory.ts';
import {
  type AutofsEntry,
  autofs_entry,
  type MntEntry,
  mnt_entry,
} from '../generated/images/mounts.ts';
import * as namespaces from '../generated/images/namespaces.ts';
import {
  type PagemapEntry,
  type PagemapHead,
  pagemap_entry,
  pagemap_head,
} from '../generated/images/pagemap.ts';
import { type PstreeEntry, pstree_entry } from '../generated/images/pstree.ts';
import * as sockets from '../generated/images/sockets.ts';
import { type StatsEntry, stats_entry } from '../generated/images/stats.ts';
import * as tasks from '../generated/images/tasks.ts';
import * as terminals from '../generated/images/terminals.ts';
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
    payload: bytesOf<files.BpfmapDataEntry>((entry) => entry.keys_bytes + entry.values_bytes),
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
    payload: bytesOf<files.PipeDataEntry>(({ bytes }) => bytes),
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
    payload: bytesOf<files.PipeDataEntry>(({ bytes }) => bytes),
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
    payload: bytesOf<sockets.SkPacketEntry>(({ length }) => length),
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

/** The messages of each kind of image. Their fields have the names that CRIU has for them. */
export interface ImageMessages {
  APPARMOR: host.ApparmorEntry;
  AUTOFS: AutofsEntry;
  BINFMT_MISC: namespaces.BinfmtMiscEntry;
  BPFMAP_DATA: files.BpfmapDataEntry;
  BPFMAP_FILE: files.BpfmapFileEntry;
  CGROUP: host.CgroupEntry;
  CORE: tasks.CoreEntry;
  CPUINFO: host.CpuinfoEntry;
  CREDS: tasks.CredsEntry;
  EVENTFD_FILE: files.EventfdFileEntry;
  EVENTPOLL_FILE: files.EventpollFileEntry;
  EVENTPOLL_TFD: files.EventpollTfdEntry;
  EXT_FILES: files.ExtFileEntry;
  FANOTIFY_FILE: files.FanotifyFileEntry;
  FANOTIFY_MARK: files.FanotifyMarkEntry;
  FDINFO: files.FdinfoEntry;
  FIFO: files.FifoEntry;
  FIFO_DATA: files.PipeDataEntry;
  FILES: files.FileEntry;
  FILE_LOCKS: files.FileLockEntry;
  FS: files.FsEntry;
  GHOST_FILE: files.GhostFileEntry | files.GhostChunkEntry;
  IDS: TaskKobjIdsEntry;
  INETSK: sockets.InetSkEntry;
  INOTIFY_FILE: files.InotifyFileEntry;
  INOTIFY_WD: files.InotifyWdEntry;
  INVENTORY: InventoryEntry;
  IPCNS_MSG: namespaces.IpcMsgEntry;
  IPCNS_SEM: namespaces.IpcSemEntry;
  IPCNS_SHM: namespaces.IpcShmEntry;
  IPC_VAR: namespaces.IpcVarEntry;
  IRMAP_CACHE: files.IrmapCacheEntry;
  ITIMERS: tasks.ItimerEntry;
  MEMFD_INODE: memory.MemfdInodeEntry;
  MM: memory.MmEntry;
  MNTS: MntEntry;
  NETDEV: namespaces.NetDeviceEntry;
  NETLINK_SK: sockets.NetlinkSkEntry;
  NETNS: namespaces.NetnsEntry;
  NS_FILES: files.NsFileEntry;
  PACKETSK: sockets.PacketSockEntry;
  PAGEMAP: PagemapHead | PagemapEntry;
  PIDFD: files.PidfdEntry;
  PIDNS: namespaces.PidnsEntry;
  PIPES: files.PipeEntry;
  PIPES_DATA: files.PipeDataEntry;
  POSIX_TIMERS: tasks.PosixTimerEntry;
  PSTREE: PstreeEntry;
  REG_FILES: files.RegFileEntry;
  REMAP_FPATH: files.RemapFilePathEntry;
  RLIMIT: tasks.RlimitEntry;
  SECCOMP: host.SeccompEntry;
  SIGACT: tasks.SaEntry;
  SIGNAL: tasks.SiginfoEntry;
  SIGNALFD: files.SignalfdEntry;
  SK_QUEUES: sockets.SkPacketEntry;
  STATS: StatsEntry;
  TCP_STREAM: sockets.TcpStreamEntry;
  TIMENS: namespaces.TimensEntry;
  TIMERFD: files.TimerfdEntry;
  TTY_DATA: terminals.TtyDataEntry;
  TTY_FILES: terminals.TtyFileEntry;
  TTY_INFO: terminals.TtyInfoEntry;
  TUNFILE: files.TunfileEntry;
  UNIXSK: sockets.UnixSkEntry;
  USERNS: namespaces.UsernsEntry;
  UTSNS: namespaces.UtsnsEntry;
  VMAS: memory.VmaEntry;
}
