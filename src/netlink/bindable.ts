import { builtins } from '../builtins.ts';

/** True if a socket can be bound to an address: binds a datagram socket to a free port for a moment. */
export async function canBind(address: string): Promise<boolean> {
  const socket = builtins.dgram.createSocket(address.includes(':') ? 'udp6' : 'udp4');
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind({ address, port: 0, exclusive: true }, resolve);
    });
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'EADDRNOTAVAIL';
  } finally {
    socket.close();
  }
}
