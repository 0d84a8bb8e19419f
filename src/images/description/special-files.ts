import type {
  EventpollFileEntry,
  FileEntry,
  InotifyFileEntry,
  MemfdFileEntry,
  TimerfdEntry,
  TtyFileEntry,
} from '../../generated/images/types.ts';
import type {
  Epoll,
  EventFd,
  FileWatches,
  MemFd,
  NamespaceFile,
  OtherFile,
  SignalFd,
  Terminal,
  TimerFd,
} from './described-file.ts';
import type { FileTable } from './file-table.ts';
import { clockName, epollEvents, sealNames, signalNames } from './names.ts';
import { namespaceKindOf } from './namespaces.ts';
import type { WithText } from './sockets.ts';

type Special =
  | EventFd
  | Epoll
  | FileWatches
  | SignalFd
  | TimerFd
  | Terminal
  | MemFd
  | NamespaceFile
  | OtherFile;

/** Describes a file that is neither a regular one nor a pipe or socket. */
export function describeSpecial(file: FileEntry, table: FileTable): WithText<Special> {
  const { efd, epfd, sgfd, tfd, ify, ffy, tty, memfd, nsf, pidfd, bpf, tunf, ext } = file;
  if (efd) {
    const counter = Number(efd.counter);
    return { type: 'eventfd', counter, text: `eventfd, counter ${counter}` };
  }
  if (epfd) return describeEpoll(epfd);
  if (sgfd) {
    const signals = signalNames(sgfd.sigmask);
    return { type: 'signalfd', signals, text: `signalfd ${signals.join(' ')}` };
  }
  if (tfd) return describeTimer(tfd);
  if (ify) return describeWatches(ify);
  if (ffy) {
    const watches = (ffy.mark ?? []).map(({ me, ie, mask }) => ({
      path: me?.path ?? ie?.f_handle.path,
      mask,
    }));
    return { type: 'fanotify', watches, text: `fanotify, ${counted(watches.length, 'mark')}` };
  }
  if (tty) return describeTerminal(tty, table);
  if (memfd) return describeMemfd(memfd, table);
  if (nsf) {
    const kind = namespaceKindOf(nsf.ns_cflag);
    return { type: 'namespace', kind, namespace: nsf.ns_id, text: `${kind} namespace` };
  }
  if (pidfd) return { type: 'pidfd', text: `pidfd of process ${pidfd.nspid}` };
  if (bpf) return { type: 'bpf-map', text: `bpf map ${bpf.map_name}` };
  if (tunf) return { type: 'tun', text: `tun ${tunf.netdev ?? ''}`.trimEnd() };
  if (ext) return { type: 'external', text: 'restored by a plugin of CRIU' };
  return { type: 'unknown', text: `file of type ${file.type}` };
}

function describeEpoll({ tfd = [] }: EventpollFileEntry): WithText<Epoll> {
  const watches = tfd.map(({ tfd: fd, events }) => ({ fd, events: epollEvents(events) }));
  const fds = watches.map(({ fd }) => fd).join(' ');
  return { type: 'epoll', watches, text: fds === '' ? 'epoll' : `epoll, watches ${fds}` };
}

function describeWatches({ wd = [] }: InotifyFileEntry): WithText<FileWatches> {
  const watches = wd.map(({ mask, f_handle: { path } }) => ({ path, mask }));
  const paths = watches.flatMap(({ path }) => path ?? []);
  const named = paths.length === watches.length && paths.length > 0;
  const text = named ? paths.join(' ') : counted(watches.length, 'watch', 'watches');
  return { type: 'inotify', watches, text: `inotify, ${text}` };
}

function describeTimer(timer: TimerfdEntry): WithText<TimerFd> {
  const clock = clockName(timer.clockid);
  const remainingMs = milliseconds(timer.vsec, timer.vnsec);
  const intervalMs = milliseconds(timer.isec, timer.insec);
  const when = remainingMs === 0 ? 'not armed' : `expires in ${remainingMs} ms`;
  const period = intervalMs === 0 ? '' : `, every ${intervalMs} ms`;
  const expirations = Number(timer.ticks);
  const text = `timerfd ${clock}, ${when}${period}`;
  return { type: 'timerfd', clock, remainingMs, intervalMs, expirations, text };
}

function describeTerminal(
  { tty_info_id, regf_id }: TtyFileEntry,
  { terminals, files }: FileTable,
): WithText<Terminal> {
  const info = terminals.get(tty_info_id);
  const kind = String(info?.type ?? 'unknown').toLowerCase();
  const path = regf_id === undefined ? undefined : files.get(regf_id)?.reg?.name;
  const index = info?.pty?.index;
  const size = info?.winsize;
  return {
    type: 'tty',
    kind,
    path,
    index,
    rows: size?.ws_row,
    columns: size?.ws_col,
    sid: info && info.sid !== 0 ? info.sid : undefined,
    text: path ?? (index === undefined ? `terminal (${kind})` : `/dev/pts/${index}`),
  };
}

function describeMemfd({ inode_id, pos }: MemfdFileEntry, { memfds }: FileTable): WithText<MemFd> {
  const inode = memfds.get(inode_id);
  const name = inode?.name ?? '';
  return {
    type: 'memfd',
    name,
    size: Number(inode?.size ?? 0n),
    position: Number(pos),
    seals: sealNames(inode?.seals ?? 0),
    shared: inode?.shmid,
    text: `memfd:${name}`,
  };
}

const milliseconds = (seconds: bigint, nanoseconds: bigint) =>
  Number(seconds) * 1000 + Math.round(Number(nanoseconds) / 1e6);

const counted = (count: number, one: string, many = `${one}s`) =>
  count === 1 ? `1 ${one}` : `${count} ${many}`;
