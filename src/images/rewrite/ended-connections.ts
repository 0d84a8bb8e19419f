import type { OpenFile } from './rewrite-files.ts';

/** States of a socket, from net/tcp_states.h. */
const ESTABLISHED = 1;
const CLOSED = 7;

/**
 * Has unix connections whose other end is gone restored by inheritFd: CRIU otherwise waits for ever for the other end that it
 * invents for them.
 * @param names CRIU's names of the sockets
 * @returns the change of each file
 */
export function endConnections(names: readonly string[]): (file: OpenFile) => void {
  const wanted = new Set(names);
  return ({ usk }) => {
    const isEnded = usk?.state === ESTABLISHED && usk.peer === 0;
    if (isEnded && wanted.has(`socket:[${usk.ino}]`)) usk.state = CLOSED;
  };
}
