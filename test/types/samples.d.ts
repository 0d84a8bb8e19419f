// What the samples of the documentation take for granted: names that stand for the reader's own.
import type { Socket } from 'node:net';
import type { Criu as Client, Iteration, TlsOptions } from 'node-criu';
import type { Fleet, FleetView } from 'node-criu/fleet';

declare global {
  const criu: Client;
  const pid: number;
  const port: number;
  const imagesDirectory: string;
  const iteration: Iteration;
  const tls: TlsOptions;
  const fleet: Fleet;
  const view: FleetView;
  const redis: string;
  const privateKey: string;
  const pipe: Socket;
  const anotherPipe: Socket;
  const pool: { end(): Promise<void>; connect(url?: string): Promise<void> };
  function powerOff(host: string): Promise<void>;
  function warmUp(): Promise<void>;
  function upload(directory: string): Promise<void>;
  function copyImages(directory: string, host: string): Promise<void>;
  function mountVolume(id: string): Promise<void>;
  function unmountVolume(id: string): Promise<void>;
  function moveAddress(to: 'source' | 'destination'): Promise<void>;
}
