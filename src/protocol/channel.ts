import { CriuError } from '../errors.ts';
import type { Packet } from '../native/index.ts';

/** A connection to one criu that carries whole packets. */
export interface Channel {
  /** Sends one packet. Throws the error of the socket, such as EPIPE or EMSGSIZE. */
  send(packet: Uint8Array): void;
  /** Resolves with the next packet, or undefined after the end of the other side. Rejects as the socket does. */
  receive(): Promise<Packet | undefined>;
  /** Kills the other side. */
  kill(): void;
}

/** The error for a criu that ended before it replied. */
export function endOfChannel(): CriuError {
  return new CriuError('ERR_CRIU_EOF', 'criu ended without a reply');
}

/**
 * The error for a system call on the channel that failed.
 * @param size the size of the packet to send, in bytes
 */
export function channelError(error: unknown, size?: number): CriuError {
  const { code, errno, message } = error as NodeJS.ErrnoException;
  // The kernel reports a closed other side in either way.
  if (code === 'EPIPE' || code === 'ECONNRESET') return endOfChannel();
  if (code === 'EMSGSIZE') {
    const text = `the request has ${size} bytes, more than the socket accepts in one packet`;
    return new CriuError('ERR_CRIU_REQUEST_TOO_LARGE', text, { errno, cause: error });
  }
  return new CriuError('ERR_CRIU_SYSTEM', `the channel to criu failed: ${message}`, {
    errno,
    cause: error,
  });
}
