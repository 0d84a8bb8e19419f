import type {
  ApparmorEntry,
  AutofsEntry,
  BinfmtMiscEntry,
  BpfmapDataEntry,
  BpfmapFileEntry,
  CgroupEntry,
  CoreEntry,
  CpuinfoEntry,
  CredsEntry,
  EventfdFileEntry,
  EventpollFileEntry,
  EventpollTfdEntry,
  ExtFileEntry,
  FanotifyFileEntry,
  FanotifyMarkEntry,
  FdinfoEntry,
  FifoEntry,
  FileEntry,
  FileLockEntry,
  FsEntry,
  GhostChunkEntry,
  GhostFileEntry,
  InetSkEntry,
  InotifyFileEntry,
  InotifyWdEntry,
  InventoryEntry,
  IpcMsgEntry,
  IpcSemEntry,
  IpcShmEntry,
  IpcVarEntry,
  IrmapCacheEntry,
  ItimerEntry,
  MemfdInodeEntry,
  MmEntry,
  MntEntry,
  NetDeviceEntry,
  NetlinkSkEntry,
  NetnsEntry,
  NsFileEntry,
  PacketSockEntry,
  PagemapEntry,
  PagemapHead,
  PidfdEntry,
  PidnsEntry,
  PipeDataEntry,
  PipeEntry,
  PosixTimerEntry,
  PstreeEntry,
  RegFileEntry,
  RemapFilePathEntry,
  RlimitEntry,
  SaEntry,
  SeccompEntry,
  SiginfoEntry,
  SignalfdEntry,
  SkPacketEntry,
  StatsEntry,
  TaskKobjIdsEntry,
  TcpStreamEntry,
  TimensEntry,
  TimerfdEntry,
  TtyDataEntry,
  TtyFileEntry,
  TtyInfoEntry,
  TunfileEntry,
  UnixSkEntry,
  UsernsEntry,
  UtsnsEntry,
  VmaEntry,
} from '../generated/images/types.ts';

/** The messages of each kind of image. Their fields have the names that CRIU has for them. */
export interface ImageMessages {
  APPARMOR: ApparmorEntry;
  AUTOFS: AutofsEntry;
  BINFMT_MISC: BinfmtMiscEntry;
  BPFMAP_DATA: BpfmapDataEntry;
  BPFMAP_FILE: BpfmapFileEntry;
  CGROUP: CgroupEntry;
  CORE: CoreEntry;
  CPUINFO: CpuinfoEntry;
  CREDS: CredsEntry;
  EVENTFD_FILE: EventfdFileEntry;
  EVENTPOLL_FILE: EventpollFileEntry;
  EVENTPOLL_TFD: EventpollTfdEntry;
  EXT_FILES: ExtFileEntry;
  FANOTIFY_FILE: FanotifyFileEntry;
  FANOTIFY_MARK: FanotifyMarkEntry;
  FDINFO: FdinfoEntry;
  FIFO: FifoEntry;
  FIFO_DATA: PipeDataEntry;
  FILES: FileEntry;
  FILE_LOCKS: FileLockEntry;
  FS: FsEntry;
  GHOST_FILE: GhostFileEntry | GhostChunkEntry;
  IDS: TaskKobjIdsEntry;
  INETSK: InetSkEntry;
  INOTIFY_FILE: InotifyFileEntry;
  INOTIFY_WD: InotifyWdEntry;
  INVENTORY: InventoryEntry;
  IPCNS_MSG: IpcMsgEntry;
  IPCNS_SEM: IpcSemEntry;
  IPCNS_SHM: IpcShmEntry;
  IPC_VAR: IpcVarEntry;
  IRMAP_CACHE: IrmapCacheEntry;
  ITIMERS: ItimerEntry;
  MEMFD_INODE: MemfdInodeEntry;
  MM: MmEntry;
  MNTS: MntEntry;
  NETDEV: NetDeviceEntry;
  NETLINK_SK: NetlinkSkEntry;
  NETNS: NetnsEntry;
  NS_FILES: NsFileEntry;
  PACKETSK: PacketSockEntry;
  PAGEMAP: PagemapHead | PagemapEntry;
  PIDFD: PidfdEntry;
  PIDNS: PidnsEntry;
  PIPES: PipeEntry;
  PIPES_DATA: PipeDataEntry;
  POSIX_TIMERS: PosixTimerEntry;
  PSTREE: PstreeEntry;
  REG_FILES: RegFileEntry;
  REMAP_FPATH: RemapFilePathEntry;
  RLIMIT: RlimitEntry;
  SECCOMP: SeccompEntry;
  SIGACT: SaEntry;
  SIGNAL: SiginfoEntry;
  SIGNALFD: SignalfdEntry;
  SK_QUEUES: SkPacketEntry;
  STATS: StatsEntry;
  TCP_STREAM: TcpStreamEntry;
  TIMENS: TimensEntry;
  TIMERFD: TimerfdEntry;
  TTY_DATA: TtyDataEntry;
  TTY_FILES: TtyFileEntry;
  TTY_INFO: TtyInfoEntry;
  TUNFILE: TunfileEntry;
  UNIXSK: UnixSkEntry;
  USERNS: UsernsEntry;
  UTSNS: UtsnsEntry;
  VMAS: VmaEntry;
}
