import { type Pid, textOf } from './read.ts';

/** The state of a connected socket, as /proc/net/unix prints it. */
const CONNECTED = '03';

/** Reads the inodes of the connected unix sockets in a process's network namespace. */
export async function readConnectedUnixSockets(pid: Pid): Promise<Set<number>> {
  const table = (await textOf(`/proc/${pid}/net/unix`, 65_536)) ?? '';
  const columns = table.split('\n').map((line) => line.split(/ +/));
  return new Set(
    columns.flatMap(([, , , , , state, inode]) => (state === CONNECTED ? [Number(inode)] : [])),
  );
}
