import { invalid } from '../errors.ts';
import { native } from '../native/index.ts';

/**
 * Readies the connection of a page server for CRIU, which takes a read that would have to wait for
 * the end: Node's sockets do not block.
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT if it is not open
 */
export function handOver(operation: string, connection: number | undefined): void {
  if (connection === undefined) return;
  try {
    native().setBlocking(connection);
  } catch (error) {
    const takes = `{ fd: a connected socket's descriptor } (${(error as Error).message})`;
    throw invalid(operation, 'pageServer', takes, connection);
  }
}
