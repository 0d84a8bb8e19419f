import { CriuError } from '../errors.ts';
import { readSockets } from '../procfs/descriptors.ts';
import { readTcpListeners } from '../procfs/net-tcp.ts';
import { descendantsOf } from '../procfs/tree.ts';

/** A TCP port that the program of a template listens on. */
export interface ListeningPort {
  readonly port: number;
  /** Several sockets may listen on it (SO_REUSEPORT): the kernel divides the connections among them. */
  readonly isShared: boolean;
}

/**
 * Refuses a copy that would share a port with another program: CRIU lets both listen, and one of them gets all
 * connections.
 * @param pid the root of the copy, which is complete but does not run yet
 * @throws CriuError ERR_CRIU_ADDRESS_IN_USE
 */
export async function assertOwnPorts(
  operation: string,
  pid: number,
  ports: readonly ListeningPort[],
): Promise<void> {
  const wanted = ports.filter(({ isShared }) => !isShared);
  if (wanted.length === 0) return;
  const sockets = await Promise.all(descendantsOf(pid).map(readSockets));
  const own = new Set(sockets.flat().map(({ inode }) => inode));
  for (const { port } of wanted) {
    const listeners = await readTcpListeners(pid, port);
    if ([...listeners].every((inode) => own.has(inode))) continue;
    const message =
      `${operation}: port ${port} of the template is in use in the network of the copy; give the copy a network of ` +
      "its own (publish or network: 'own'), or let the program listen after the restore (onAfterRestore)";
    throw new CriuError('ERR_CRIU_ADDRESS_IN_USE', message, { operation });
  }
}
