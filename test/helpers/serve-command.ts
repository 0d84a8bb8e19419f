import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';
import { criuPath } from '../../scripts/criu-path.mjs';
import { childrenOf } from '../../src/procfs/tree.ts';
import { main } from './command.ts';
import { bootedAnew } from './migration-host.ts';

/** `node-criu serve` on what is another host as far as pids go. */
export interface ServeCommand {
  /** Where it listens, as its first line says. */
  readonly port: number;
  /** Its lines on standard output so far. */
  readonly said: readonly string[];
  /** All that it has written on standard error so far. */
  stderr(): string;
  /** Sends it a signal, as a terminal would. */
  signal(name: NodeJS.Signals): void;
  /** Ends it, with all that runs there; resolves when that is done. */
  kill(): Promise<void>;
  /** Its exit code, once it has ended and all is read. */
  readonly ended: Promise<number | null>;
}

/** Starts one; resolves when it listens. It is killed after the test. */
export async function serve(...args: string[]): Promise<ServeCommand> {
  const [unshare = '', ...through] = await bootedAnew();
  const child = spawn(unshare, [...through, process.execPath, main, 'serve', ...args], {
    env: { ...process.env, CRIU_PATH: criuPath() },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'close').then(([code]) => code as number | null);
  const kill = async () => {
    child.kill('SIGKILL');
    await ended;
  };
  onTestFinished(kill);
  let stderr = '';
  child.stderr.on('data', (text: Buffer) => {
    stderr += text;
  });
  const said: string[] = [];
  const lines = createInterface(child.stdout);
  lines.on('line', (line) => said.push(line));
  await Promise.race([once(lines, 'line'), ended]);
  const [first = ''] = said;
  if (first === '') throw new Error(`it does not serve: ${stderr}`);
  const port = Number(/(?:"port":|:)(\d+)/.exec(first)?.[1]);
  const signal = (name: NodeJS.Signals) => {
    for (const pid of childrenOf(child.pid as number)) process.kill(pid, name);
  };
  return { port, said, stderr: () => stderr, signal, kill, ended };
}

/** A port of the loopback device that nobody listens at just now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
