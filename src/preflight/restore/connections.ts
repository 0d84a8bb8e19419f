import { hasOwnNamespace } from '../../images/checkpoint.ts';
import { found } from '../checks/check.ts';
import { filesOf, type RestoreCheck } from './subject.ts';

const TCP = 6;
const DATAGRAM = 2;
/** A flag of unix sockets: outside the tree. */
const OUTSIDE = 1;
/** The access mode in the flags of open(2). */
const ACCESS = 3;
const WRITING_END = 2;
const BOTH_ENDS = 3;

/** Connections that CRIU restores only with an option, which its error does not name. */
export const tcpConnections: RestoreCheck = ({ checkpoint, options }) => {
  const [root] = checkpoint.processes;
  const closed = checkpoint.tcpClose && !options.tcpClose && root;
  if (closed) {
    return [
      found('TCP_ESTABLISHED', root, {
        message:
          'the dump had the option tcpClose, with which the restore has to close connections',
        remedy: 'Set tcpClose.',
      }),
    ];
  }
  if (options.tcpEstablished || options.tcpClose) return [];
  return filesOf(checkpoint)
    .filter(({ file: { isk } }) => isk?.proto === TCP && isk.dst_port !== 0)
    .map(({ process, fd, place }) =>
      found('TCP_ESTABLISHED', process, {
        message: `${place} is a TCP connection`,
        fd,
        remedy: 'Set tcpEstablished, or tcpClose to close the connection.',
      }),
    );
};

/** Sockets whose peer was outside the tree. Source: CRIU's criu/sk-unix.c, open_unixsk_standalone. */
export const unixConnections: RestoreCheck = ({ checkpoint, options }) => {
  const { inheritFd = {}, externalUnixConnections = false } = options;
  const peers = [...checkpoint.files.values()].flatMap(({ usk }) => (usk ? [usk] : []));
  const outside = new Set(peers.filter(({ uflags }) => uflags & OUTSIDE).map(({ ino }) => ino));
  return filesOf(checkpoint).flatMap(({ process, file: { usk }, fd, place }) => {
    if (!usk || !outside.has(usk.peer)) return [];
    const link = `socket:[${usk.ino}]`;
    const byOption = usk.type === DATAGRAM;
    if (Object.hasOwn(inheritFd, link) || (byOption && externalUnixConnections)) return [];
    return found('UNIX_PEER_OUTSIDE', process, {
      message: `${place} is unix socket ${usk.ino}, whose peer was outside the tree`,
      fd,
      remedy: byOption
        ? 'Set externalUnixConnections.'
        : `Pass a replacement to the restore as inheritFd['${link}'].`,
    });
  });
};

/** Pipes with one end in the images, which CRIU restores without the other end. */
export const pipes: RestoreCheck = ({ checkpoint, options: { inheritFd = {} } }) => {
  // Descriptors in flight, in the queue of a socket, are in the images as well.
  const ends = new Map<number, number>();
  for (const { pipe } of checkpoint.files.values()) {
    if (pipe) ends.set(pipe.pipe_id, (ends.get(pipe.pipe_id) ?? 0) | endsOf(pipe));
  }
  return filesOf(checkpoint).flatMap(({ process, file: { pipe }, fd, place }) => {
    if (!pipe || ends.get(pipe.pipe_id) === BOTH_ENDS) return [];
    const link = `pipe:[${pipe.pipe_id}]`;
    if (Object.hasOwn(inheritFd, link)) return [];
    const [end, effect] =
      endsOf(pipe) === WRITING_END
        ? ['writing', 'writes will fail with EPIPE']
        : ['reading', 'reads will find the end of the stream'];
    return found('PIPE_OUTSIDE', process, {
      severity: 'warning',
      message: `${place} is the ${end} end of ${link}, whose other end is not in the images: ${effect}`,
      fd,
      remedy: `Pass a replacement to the restore as inheritFd['${link}'].`,
    });
  });
};

/** The ends of a pipe that a descriptor has; with O_RDWR it has both. */
const endsOf = ({ flags }: { readonly flags: number }) =>
  [1, WRITING_END][flags & ACCESS] ?? BOTH_ENDS;

/** Whether the sockets are restored in the network namespace of criu, where others use addresses too. */
export function isInHostNetwork({
  checkpoint,
  options: { joinNs = [] },
}: Parameters<RestoreCheck>[0]): boolean {
  return !hasOwnNamespace(checkpoint, 'net_ns_id') && !joinNs.some(({ ns }) => ns === 'net');
}
