import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { criuPath } from '../../scripts/criu-path.mjs';
import { temporaryDirectory } from './workload.ts';

export interface CriuService {
  /** The socket that it listens on. */
  readonly socket: string;
  /** The pid of the service, whose children are the criu processes at work. */
  readonly pid: number;
}

/** Starts a `criu service` that listens in a private directory and is ended after the test. */
export async function startCriuService(): Promise<CriuService> {
  const directory = await temporaryDirectory();
  const socket = join(directory, 'criu_service.socket');
  const args = ['service', '--address', socket, '--work-dir', directory, '--log-file', 'log'];
  const command = 'umask 022; exec "$@"';
  const child = spawn('sh', ['-c', command, 'sh', criuPath(), ...args, '--status-fd', '3'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe'],
  });
  const ended = once(child, 'exit');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  // It writes one byte once it listens.
  await once(child.stdio[3] as NodeJS.ReadableStream, 'data');
  return { socket, pid: child.pid as number };
}

/** Lets other users connect to a service. */
export async function openToOthers({ socket }: CriuService): Promise<void> {
  await chmod(join(socket, '..'), 0o755);
  await chmod(socket, 0o666);
}
