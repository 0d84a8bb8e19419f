import { invalid } from '../errors.ts';
import { native } from '../native/index.ts';

/**
 * Sets the connection to a page server to blocking mode. The sockets of Node.js do not block, and CRIU
 * takes a read that would block for the end of the connection.
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT if the descriptor is not open
 */
export function makeBlocking(operation: string, connection: number | undefined): void {
  if (connection === undefined) return;
  try {
    native().setBlocking(connection);
  } catch (error) {
    const takes = `{ fd: a connected socket's descriptor } (${(error as Error).message})`;
    throw invalid(operation, 'pageServer', takes, connection);
  }
}
