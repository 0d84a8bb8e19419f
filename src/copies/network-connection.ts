import { Socket } from 'node:net';
import { native } from '../native/index.ts';

/** Connects to a TCP port in a network namespace. @throws an error of the system if there can be no socket */
export function connectIn(netns: number, host: string, port: number): Socket {
  const fd = native().tcpSocket(host.includes(':') ? 6 : 4, netns);
  native().release(fd);
  const socket = new Socket({ fd });
  socket.connect({ host: host === 'localhost' ? '127.0.0.1' : host, port });
  return socket;
}
