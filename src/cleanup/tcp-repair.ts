import { native } from '../native/index.ts';
import { openPidfd } from '../process/exit.ts';
import { readSockets } from '../procfs/descriptors.ts';
import { readNamespace } from '../procfs/namespaces.ts';
import { readTcpConnections, type TcpConnection } from '../procfs/net-tcp.ts';

/** A connected TCP socket of a process. */
export interface Connection extends TcpConnection {
  readonly pid: number;
  readonly fd: number;
}

/** Lists the connected TCP sockets of processes, as far as this process may read them. */
export async function connectionsOf(pids: readonly number[]): Promise<Connection[]> {
  const tables = new Map<string | undefined, ReturnType<typeof readTcpConnections>>();
  const found = await Promise.all(
    pids.map(async (pid) => {
      const sockets = await readSockets(pid).catch(() => []);
      if (sockets.length === 0) return [];
      const namespace = await readNamespace(pid, 'net').catch(() => undefined);
      const known = tables.get(namespace) ?? readTcpConnections(pid).catch(() => new Map());
      tables.set(namespace, known);
      const table = await known;
      return sockets.flatMap(({ fd, inode }) => {
        const connection = table.get(inode);
        return connection ? { pid, fd, ...connection } : [];
      });
    }),
  );
  return found.flat();
}

/**
 * Takes a connection out of the TCP repair mode in which CRIU reads it, and in which it transfers no
 * data. SO_REUSEADDR is on afterwards, because the repair mode overwrites the earlier value.
 * @returns true if the connection was in that mode
 */
export function endRepair({ pid, fd }: Connection): boolean {
  const pidfd = openPidfd(pid);
  if (pidfd === undefined) return false;
  try {
    return native().endTcpRepair(pidfd, fd);
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    // The process has closed the socket, or has ended.
    if (['EBADF', 'ESRCH'].includes(code)) return false;
    throw error;
  } finally {
    native().close(pidfd);
  }
}
