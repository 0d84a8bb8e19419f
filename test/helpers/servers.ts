import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { chown } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { onTestFinished } from 'vitest';
import { temporaryDirectory, waitFor } from './workload.ts';

/** A PostgreSQL that only this test uses, on a socket. */
export interface Postgres {
  /** The variables with which clients find it. */
  readonly env: Record<string, string>;
  /** Resolves with the values, a line for each row. */
  query(sql: string): Promise<string>;
}

/** Starts a server of PostgreSQL, which ends with the test. @param sql is executed first */
export async function postgres(sql: string): Promise<Postgres> {
  const directory = await temporaryDirectory();
  const [uid, gid] = ['-u', '-g'].map((flag) =>
    Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' })),
  ) as [number, number];
  await chown(directory, uid, gid);
  const options = { cwd: directory, uid, gid, stdio: 'ignore' } as const;
  const data = join(directory, 'data');
  const [program, initdb] = ['postgres', 'initdb'].map(postgresProgram) as [string, string];
  execFileSync(initdb, ['-D', data, '-U', 'test', '-A', 'trust', '--no-sync'], options);
  const settings = ['fsync=off', 'listen_addresses=', `unix_socket_directories=${directory}`];
  const args = ['-D', data, ...settings.flatMap((setting) => ['-c', setting])];
  const server = spawn(program, args, options);
  endAfterTest(server, 'SIGINT');
  const env = { PGHOST: directory, PGUSER: 'test', PGDATABASE: 'postgres' };
  const query = async (text: string) => {
    const client = { env: { ...process.env, ...env } };
    const { stdout } = await promisify(execFile)(postgresProgram('psql'), ['-Atqc', text], client);
    return stdout.trim();
  };
  const serves = async () => (await query('select 1').catch(() => '')) === '1';
  await waitFor(serves, 'PostgreSQL serves');
  await query(sql);
  return { env, query };
}

/** The path of a program of the newest PostgreSQL that Debian has installed. */
function postgresProgram(name: string): string {
  const base = '/usr/lib/postgresql';
  const versions = readdirSync(base).sort((one, other) => Number(other) - Number(one));
  return join(base, versions[0] ?? '', 'bin', name);
}

/** Starts a server of Redis, which ends with the test. */
export async function redis(): Promise<{ readonly socket: string }> {
  const directory = await temporaryDirectory();
  const socket = join(directory, 'socket');
  const args = ['--port', '0', '--unixsocket', socket, '--save', '', '--dir', directory];
  const server = spawn('redis-server', args, { stdio: 'ignore' });
  endAfterTest(server, 'SIGTERM');
  await waitFor(async () => existsSync(socket), 'Redis serves');
  return { socket };
}

function endAfterTest(server: ChildProcess, signal: NodeJS.Signals): void {
  const ended = once(server, 'exit');
  onTestFinished(async () => {
    server.kill(signal);
    await ended;
  });
}
