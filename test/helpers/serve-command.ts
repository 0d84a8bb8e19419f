import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';
import { criuPath } from '../../scripts/criu-path.mjs';
import { childrenOf } from '../../src/procfs/tree.ts';
import { main } from './command.ts';
import { bootedAnew } from './migration-host.ts';

/** `node-criu serve` in a pid namespace of its own, which stands in for another host. */
export interface ServeCommand {
  /** The address on which it listens, from its first line. */
  readonly port: number;
  /** The lines of its standard output so far. */
  readonly said: readonly string[];
  /** Its standard error so far. */
  stderr(): string;
  /** Closes the pipes of its output, as a reader that ends does. */
  hangUp(): void;
  /** Sends it a signal, as a terminal does. */
  signal(name: NodeJS.Signals): void;
  /** Ends it and all processes there; resolves when they have ended. */
  kill(): Promise<void>;
  /** Its exit code, after its output has been read to the end. */
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
  const hangUp = () => {
    child.stdout.destroy();
    child.stderr.destroy();
  };
  return { port, said, stderr: () => stderr, hangUp, signal, kill, ended };
}

/** A free port of the loopback device. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
