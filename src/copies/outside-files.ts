import { statSync } from 'node:fs';
import { invalid } from '../errors.ts';
import { externalUnix } from '../launch/outside-descriptors.ts';
import { externalFiles, outsideStreamsOf } from '../launch/outside-streams.ts';
import { type SocketFacts, socketsIn } from '../netlink/sock-diag.ts';
import { descriptorPath, readDescriptorLinkSync, readSockets } from '../procfs/descriptors.ts';
import { descendantsOf } from '../procfs/tree.ts';
import { GUEST_FD, LIFE_FD } from './template-program.ts';

/** What a copy has of the process that has started it, by CRIU's names: keys of inheritFd. */
export interface OutsideFiles {
  /** Its connections to that process, which may have ended. */
  readonly sockets: readonly string[];
  /** Its standard streams: /dev/null, opened outside. */
  readonly streams: readonly string[];
  /** The entries of the option external. */
  readonly external: readonly string[];
}

/**
 * Finds what a copy has of the process that has started it.
 * @param root the init of the copy
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT if a stream leads anywhere else
 */
export async function outsideFilesOf(operation: string, root: number): Promise<OutsideFiles> {
  const sockets = await connectionsOf(root);
  const streams = await streamsOf(operation, root);
  return {
    sockets: sockets.map((inode) => `socket:[${inode}]`),
    streams,
    external: [...streams, ...sockets.map(externalUnix)],
  };
}

/** The inodes of the connections of the init, and of those that programs have for the guest library. */
async function connectionsOf(root: number): Promise<number[]> {
  const listed = descendantsOf(root).map(async (pid) => {
    return (await readSockets(pid)).map((socket) => ({ pid, ...socket }));
  });
  const open = (await Promise.all(listed)).flat();
  const known = new Map((await socketsIn(-1)).map((socket) => [socket.inode, socket]));
  const inside = new Set(open.map(({ inode }) => inode));
  const isOutside = (inode: number) => {
    const socket = known.get(inode);
    return socket !== undefined && !inside.has(socket.peer ?? 0) && isPair(socket, known);
  };
  const own = open.filter(({ pid, fd }) => fd === (pid === root ? LIFE_FD : GUEST_FD));
  return [...new Set(own.map(({ inode }) => inode))].filter(isOutside);
}

/** True for an end of a pair; a connection to a service leads to a socket with a name. */
function isPair({ family, name, peer }: SocketFacts, known: ReadonlyMap<number, SocketFacts>) {
  return family === 'unix' && name === '' && (known.get(peer ?? 0)?.name ?? '') === '';
}

async function streamsOf(operation: string, root: number): Promise<string[]> {
  const { rdev } = statSync('/dev/null');
  for (const fd of [0, 1, 2]) {
    const stats = statSync(descriptorPath(root, fd), { throwIfNoEntry: false });
    if (stats === undefined || stats.rdev === rdev) continue;
    const link = readDescriptorLinkSync(root, fd);
    throw invalid(operation, 'pid', `a copy whose descriptor ${fd} is /dev/null`, link);
  }
  return externalFiles(await outsideStreamsOf(root));
}
