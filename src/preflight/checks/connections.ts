import { constants } from 'node:fs';
import { externalUnix } from '../../launch/outside-descriptors.ts';
import type { SocketFacts } from '../../netlink/sock-diag.ts';
import type { Mount } from '../../procfs/mountinfo.ts';
import { inodeOf, type OutsideProcess, type Snapshot } from '../snapshot.ts';
import { type Check, descriptorsOf, found, nameOf, type Subject } from './check.ts';

/** `, also open in process 12 (bash)` */
const alsoOpenIn = (owner: OutsideProcess | undefined) =>
  owner ? `, also open in process ${owner.pid} (${owner.name})` : '';

export const packetPipes: Check = ({ snapshot }) => {
  // The kernel puts the pipes of autofs in packet mode, and CRIU restores them.
  const autofs = new Set([...snapshot.mounts.values()].flatMap(pipeOfAutofs));
  return descriptorsOf(snapshot)
    .filter(
      ([, { link, info }]) =>
        link.startsWith('pipe:') && !autofs.has(link) && isIn(info?.flags, constants.O_DIRECT),
    )
    .map(([process, { fd, link }]) =>
      found('PACKET_PIPE', process, {
        message: `descriptor ${fd} of ${nameOf(process)} is ${link} in packet mode (O_DIRECT)`,
        fd,
        remedy: 'Use a pipe without O_DIRECT, or a unix socket of type seqpacket.',
      }),
    );
};

function pipeOfAutofs({ type, options }: Mount): string[] {
  const inode = options.find((option) => option.startsWith('pipe_ino='))?.slice('pipe_ino='.length);
  return type === 'autofs' && inode !== undefined ? [`pipe:[${inode}]`] : [];
}

const isIn = (flags = 0, flag: number) => (flags & flag) !== 0;

/** CRIU restores such a pipe, but without its connection to the process outside. */
export const pipes: Check = ({ snapshot, options }) =>
  descriptorsOf(snapshot).flatMap(([process, { fd, link }]) => {
    const owner = snapshot.outsideOwners.get(link);
    const isUnknown = snapshot.unknownPeers.has(link);
    if (!link.startsWith('pipe:') || !(owner || isUnknown)) return [];
    if (options.inheritFd && Object.hasOwn(options.inheritFd, link)) return [];
    const others = owner
      ? alsoOpenIn(owner)
      : ', and there was no time to find out whether a process outside the tree has its other end';
    return found('PIPE_OUTSIDE', process, {
      severity: 'warning',
      message: `descriptor ${fd} of ${nameOf(process)} is ${link}${others}`,
      fd,
      remedy: `Pass a replacement to the restore as inheritFd['${link}'].`,
    });
  });

/** The connected unix sockets whose peer is outside the tree, each with a process that has it open. */
export function outsidePeers(snapshot: Snapshot) {
  const own = new Set(descriptorsOf(snapshot).map(([, { link }]) => link));
  return socketsOf(snapshot).filter(
    ([, , { peer }]) => peer !== undefined && peer !== 0 && !own.has(`socket:[${peer}]`),
  );
}

export const unixConnections: Check = ({ snapshot, options }) =>
  outsidePeers(snapshot).flatMap(([process, fd, socket]) => {
    const peer = snapshot.sockets.get(socket.peer as number);
    if (!isRefused({ snapshot, options }, socket, peer)) return [];
    const { inode, type } = socket;
    const name = peer?.name ? ` "${peer.name}"` : '';
    const owner = alsoOpenIn(snapshot.outsideOwners.get(`socket:[${socket.peer}]`));
    const byOption = peer?.type === 'dgram' && peer.name;
    return found('UNIX_PEER_OUTSIDE', process, {
      message: `descriptor ${fd} of ${nameOf(process)} is unix ${type} socket ${inode}, connected to socket ${socket.peer}${name} outside the tree${owner}`,
      fd,
      remedy: byOption
        ? 'Set externalUnixConnections for the dump and the restore.'
        : `Add ${externalUnix(inode)} to external, and pass a replacement to the restore as inheritFd['socket:[${inode}]'].`,
    });
  });

/** A restore fails without the replacement, also with externalUnixConnections. */
export const unixReplacements: Check = ({ snapshot, options: { external = [], inheritFd = {} } }) =>
  socketsOf(snapshot).flatMap(([process, fd, { inode, type }]) => {
    const link = `socket:[${inode}]`;
    if (!external.includes(externalUnix(inode)) || Object.hasOwn(inheritFd, link)) return [];
    return found('UNIX_PEER_OUTSIDE', process, {
      severity: 'warning',
      message: `descriptor ${fd} of ${nameOf(process)} is the external unix ${type} socket ${inode}, for which the restore needs a replacement`,
      fd,
      remedy: `Pass a replacement to the restore as inheritFd['${link}'].`,
    });
  });

/** Source: CRIU's criu/sk-unix.c, __dump_external_socket. */
function isRefused(
  { options }: Pick<Subject, 'snapshot' | 'options'>,
  { inode }: SocketFacts,
  peer: SocketFacts | undefined,
): boolean {
  const { external = [], unixSkIno = [], externalUnixConnections } = options;
  if (external.includes(externalUnix(inode)) || unixSkIno.includes(inode)) return false;
  return !(externalUnixConnections && peer?.type === 'dgram' && peer.name);
}

export const brokenUnixConnections: Check = ({ snapshot }) =>
  socketsOf(snapshot)
    .filter(([, , { waiting }]) => waiting.includes(0))
    .map(([process, fd, { inode, name }]) =>
      found('UNIX_CONNECTION_BROKEN', process, {
        message: `descriptor ${fd} of ${nameOf(process)} is unix socket ${inode} "${name}", with a client that closed its connection before it was accepted`,
        fd,
        remedy: 'Let the process accept its clients before the dump.',
      }),
    );

/** CRIU cannot read what was sent to a connection that nobody has accepted. Source: CRIU's criu/sk-unix.c. */
export const unixInFlight: Check = ({ snapshot }) => {
  const all = socketsOf(snapshot);
  const awaited = new Set(all.flatMap(([, , { waiting }]) => waiting));
  return all
    .filter(([, , { inode, unread }]) => unread && awaited.has(inode))
    .map(([process, fd, { inode }]) =>
      found('UNIX_IN_FLIGHT', process, {
        message: `descriptor ${fd} of ${nameOf(process)} is unix socket ${inode}, which has sent data before its connection was accepted`,
        fd,
        remedy: 'Let the server accept its clients before the dump.',
      }),
    );
};

const LISTEN = 10;
/** The states that CRIU treats as a connection: established, half closed and connecting. */
const CONNECTED = [1, 2, 4, 5, 8, 9, 11];

export const tcpConnections: Check = ({ snapshot, options }) =>
  options.tcpEstablished || options.tcpClose
    ? []
    : socketsOf(snapshot)
        .filter(([, , { type, state }]) => type === 'tcp' && CONNECTED.includes(state))
        .map(([process, fd, { name }]) =>
          found('TCP_ESTABLISHED', process, {
            message: `descriptor ${fd} of ${nameOf(process)} is a TCP connection, ${name}`,
            fd,
            remedy:
              'Set tcpEstablished for the dump and the restore, or tcpClose to close the connection at the restore.',
          }),
        );

export const tcpInFlight: Check = ({ snapshot, options }) =>
  options.tcpSkipInFlight
    ? []
    : socketsOf(snapshot)
        .filter(([, , { type, state, queued }]) => type === 'tcp' && state === LISTEN && queued > 0)
        .map(([process, fd, { name, queued }]) =>
          found('TCP_IN_FLIGHT', process, {
            message: `descriptor ${fd} of ${nameOf(process)} listens at ${name} and has ${queued} connection${queued > 1 ? 's' : ''} waiting to be accepted`,
            fd,
            remedy: 'Let the process accept them, or set tcpSkipInFlight to drop them.',
          }),
        );

/** The kernel's names of the protocols that CRIU dumps. */
const protocols = /^(UNIX(-STREAM)?|(TCP|UDP|RAW|PING)(v6)?|UDP-Lite|UDPLITEv6|NETLINK|PACKET)$/;

export const unsupportedSockets: Check = ({ snapshot }) =>
  descriptorsOf(snapshot)
    .filter(([, { protocol }]) => protocol !== undefined && !protocols.test(protocol))
    .map(([process, { fd, link, protocol }]) =>
      found('UNSUPPORTED_SOCKET', process, {
        message: `descriptor ${fd} of ${nameOf(process)} is ${link} of protocol ${protocol}, which CRIU does not support`,
        fd,
        remedy: protocol?.startsWith('MPTCP')
          ? 'Use plain TCP; for a Go program set GODEBUG=multipathtcp=0.'
          : 'Close it before the dump.',
      }),
    );

/** The protocols whose sockets a CRIU before 4.2 cannot dump since Linux 6.16. */
const withoutPassOptions = /^((TCP|UDP|RAW|PING)(v6)?|UDP-Lite|UDPLITEv6|PACKET)$/;

/** A warning, because a distribution can have mended its CRIU without a new version. */
export const socketsOfOldCriu: Check = ({ snapshot, host: { socketRefusal } }) => {
  if (!socketRefusal) return [];
  const first = descriptorsOf(snapshot).find(([, { protocol = '' }]) =>
    withoutPassOptions.test(protocol),
  );
  if (!first) return [];
  const [process, { fd, protocol }] = first;
  return [
    found('CRIU_TOO_OLD', process, {
      severity: 'warning',
      message: `descriptor ${fd} of ${nameOf(process)} is a socket of ${protocol}, and ${socketRefusal}`,
      fd,
      remedy: 'Install CRIU 4.2 or newer.',
    }),
  ];
};

export const uncheckedSockets: Check = ({ snapshot }) =>
  snapshot.uncheckedSockets.map(({ pid, reason }) =>
    found(
      'SOCKETS_UNCHECKED',
      { pid },
      {
        severity: 'warning',
        message: `the sockets in the network namespace of process ${pid} could not be listed: ${reason}`,
        remedy: 'Run as root, or with the capability CAP_SYS_ADMIN.',
      },
    ),
  );

/** Each socket of the tree once, with a process that has it open. */
function socketsOf(snapshot: Snapshot) {
  const seen = new Set<string>();
  return descriptorsOf(snapshot).flatMap(([process, { fd, link }]) => {
    if (!link.startsWith('socket:') || seen.has(link)) return [];
    seen.add(link);
    const socket = snapshot.sockets.get(inodeOf(link));
    return socket ? [[process, fd, socket] as const] : [];
  });
}
