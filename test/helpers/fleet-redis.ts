import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { onTestFinished } from 'vitest';
import { temporaryDirectory, waitFor } from './workload.ts';

/** A Redis of this test, on a unix socket. */
export interface FleetRedis {
  /** Options with which a fleet connects. */
  readonly options: { readonly path: string };
  /** A connection of the test's own. */
  readonly client: Redis;
  /** Ends the server as a crash does, and starts it again with what it has on its disk. */
  restart(): Promise<void>;
  /** Ends the server as a crash does. */
  crash(): Promise<void>;
}

/** Starts a Redis with an append-only file that ends with the test. @param more arguments of redis-server */
export async function fleetRedis(...more: readonly string[]): Promise<FleetRedis> {
  const directory = await temporaryDirectory();
  const path = join(directory, 'redis.sock');
  const files = ['--dir', directory, '--appendonly', 'yes', '--save', ''];
  const args = ['--port', '0', '--unixsocket', path, ...files, ...more];
  let server: ChildProcess;
  const start = () => {
    server = spawn('redis-server', args, { stdio: 'ignore' });
  };
  const end = async (signal: NodeJS.Signals) => {
    if (server.exitCode !== null || server.signalCode !== null) return;
    const ended = once(server, 'exit');
    server.kill(signal);
    await ended;
  };
  const crash = () => end('SIGKILL');
  start();
  onTestFinished(() => end('SIGTERM'));
  const client = new Redis({ path, maxRetriesPerRequest: null });
  client.on('error', () => {});
  onTestFinished(() => client.disconnect());
  const answers = async () => (await client.ping()) === 'PONG';
  await waitFor(answers, 'Redis answers');
  return {
    options: { path },
    client,
    crash,
    async restart() {
      await crash();
      start();
      await waitFor(answers, 'Redis answers again');
    },
  };
}
