import { major, minor } from '../../procfs/device.ts';
import type { OpenFile } from '../snapshot.ts';
import { type Check, descriptorsOf, filesOf, found, nameOf } from './check.ts';
import { isTerminal } from './terminals.ts';

/** Anonymous inodes that CRIU dumps. */
const known =
  /^anon_inode:\[?(eventfd|eventpoll|inotify|fanotify|signalfd|timerfd|pidfd|bpf-map)\]?$/;
const namespace = /^(cgroup|ipc|mnt|net|pid|time|user|uts)(_for_children)?:\[\d+\]$/;
/** The types of BPF maps that a CRIU with libbpf dumps: hash and array. */
const dumpableMaps = [1, 2];

/** CRIU fails on an io_uring without naming it. */
export const ioUrings: Check = ({ snapshot }) => {
  const remedy =
    'Start the program where io_uring_setup fails: with spawnCheckpointable or node-criu run, or in a ' +
    'container with a seccomp profile that refuses it. Node 22 and newer then work without one.';
  const open = descriptorsOf(snapshot)
    .filter(([, { link }]) => isIoUring(link))
    .map(([process, { fd }]) =>
      found('IO_URING', process, {
        message: `descriptor ${fd} of ${nameOf(process)} is an io_uring`,
        fd,
        remedy,
      }),
    );
  const mapped = snapshot.processes
    .filter(({ mappings }) => mappings.some(({ path }) => isIoUring(path)))
    .filter((process) => !process.descriptors.some(({ link }) => isIoUring(link)))
    .map((process) =>
      found('IO_URING', process, { message: `${nameOf(process)} has mapped an io_uring`, remedy }),
    );
  return [...open, ...mapped];
};

export const isIoUring = (link: string) => link === 'anon_inode:[io_uring]';

export const unsupportedDescriptors: Check = ({ snapshot }) =>
  descriptorsOf(snapshot).flatMap(([process, { fd, link, info }]) => {
    if (/^(\/|socket:|pipe:|pidfd:)/.test(link) || namespace.test(link) || isIoUring(link))
      return [];
    if (!known.test(link)) {
      return found('UNSUPPORTED_DESCRIPTOR', process, {
        message: `descriptor ${fd} of ${nameOf(process)} is ${link}, which CRIU does not support`,
        fd,
        remedy: 'Close it before the dump.',
      });
    }
    if (info?.mapType === undefined) return [];
    return found('UNSUPPORTED_DESCRIPTOR', process, {
      severity: dumpableMaps.includes(info.mapType) ? 'warning' : 'error',
      message: `descriptor ${fd} of ${nameOf(process)} is a BPF map of type ${info.mapType}`,
      fd,
      remedy: 'Close it, or use a CRIU built with libbpf, which dumps hash and array maps.',
    });
  });

const MEMORY_MAJOR = 1;
const MISC_MAJOR = 10;
const TUN = 200;
const AUTOFS = 235;
/** Devices of graphics processors, for which CRIU has plugins. */
export const withPlugin = /^\/dev\/(kfd|dri\/|nvidia)/;

export const PLUGIN_REMEDY =
  'Start the program without the graphics processor (Chromium: --disable-gpu), or use a CRIU with a plugin for it.';

export const unsupportedDevices: Check = ({ snapshot }) =>
  filesOf(snapshot).flatMap(({ process, file, descriptor }) => {
    const { stats, path } = file;
    if (!descriptor || !isDevice(file) || isTerminal(stats.rdev)) return [];
    const needs = deviceNeeds(file);
    if (needs === undefined) return [];
    if (needs && process.namespaces.get('net') !== snapshot.caller.namespaces.get('net')) return [];
    return found('UNSUPPORTED_DESCRIPTOR', process, {
      severity: withPlugin.test(path) ? 'warning' : 'error',
      message: `descriptor ${descriptor.fd} of ${nameOf(process)} is the device ${path}`,
      fd: descriptor.fd,
      remedy:
        needs ||
        (withPlugin.test(path)
          ? PLUGIN_REMEDY
          : 'No option helps, because CRIU does not support the device: close it before the dump, or start the program so that it does not use it.'),
    });
  });

const isDevice = ({ stats }: OpenFile) => stats.isCharacterDevice() || stats.isBlockDevice();

/** The remedy for a device: undefined if CRIU dumps it, empty if there is none. */
function deviceNeeds({ stats }: OpenFile): string | undefined {
  if (stats.isBlockDevice()) return '';
  const [kind, number] = [major(stats.rdev), minor(stats.rdev)];
  if (kind === MEMORY_MAJOR || (kind === MISC_MAJOR && number === AUTOFS)) return undefined;
  return kind === MISC_MAJOR && number === TUN
    ? 'Run the tree in a network namespace of its own: CRIU dumps tun devices only there.'
    : '';
}

export const pidfds: Check = ({ snapshot }) => {
  const tree = new Set(snapshot.processes.map(({ pid }) => pid));
  const threads = new Set(
    snapshot.processes.flatMap((process) => process.threads.map(({ pids: [id] }) => id)),
  );
  return descriptorsOf(snapshot).flatMap(([process, { fd, info }]) => {
    const target = info?.process;
    if (target === undefined || target === -1 || tree.has(target)) return [];
    if (threads.has(target)) {
      return found('UNSUPPORTED_DESCRIPTOR', process, {
        message: `descriptor ${fd} of ${nameOf(process)} is a pidfd of thread ${target}, which CRIU does not support`,
        fd,
        remedy: 'Close it before the dump, or use a pidfd of the process.',
      });
    }
    return found('PIDFD_OUTSIDE', process, {
      message: `descriptor ${fd} of ${nameOf(process)} is a pidfd of process ${target}, outside the tree`,
      fd,
      remedy: 'Close it, or dump a tree that contains that process.',
    });
  });
};

export const namespaceDescriptors: Check = ({ snapshot }) => {
  const known = new Set(
    [snapshot.caller, ...snapshot.processes].flatMap(({ namespaces }) => [...namespaces.values()]),
  );
  return descriptorsOf(snapshot).flatMap(([process, { fd, link }]) => {
    if (!namespace.test(link) || known.has(link)) return [];
    return found('NAMESPACE_OUTSIDE', process, {
      message: `descriptor ${fd} of ${nameOf(process)} is the namespace ${link}, which no process of the tree is in`,
      fd,
      remedy: 'Close it before the dump.',
    });
  });
};

export const watches: Check = ({ snapshot }) =>
  descriptorsOf(snapshot).flatMap(([process, { fd, unresolved = [] }]) =>
    unresolved.map((what) =>
      found('UNRESOLVED_WATCH', process, {
        message: `descriptor ${fd} of ${nameOf(process)} watches ${what}, for which CRIU finds no path`,
        fd,
        remedy:
          'Remove the watch, or set forceIrmap and add a directory that contains the file to irmapScanPaths.',
      }),
    ),
  );
