import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { onTestFinished } from 'vitest';
import { GuestChannel } from '../../src/copies/guest-channel.ts';
import { native } from '../../src/native/index.ts';
import { Output } from './descriptors.ts';
import { root } from './pages.ts';
import { temporaryDirectory } from './workload.ts';

/** What `node-criu/guest` leads to in the built package. */
export const guestFile = join(root, 'dist/guest.js');

/** The beginning of a program that uses the library. */
export const guestImport = `
  import { checkpoint, onAfterRestore, onBeforeCheckpoint } from ${JSON.stringify(pathToFileURL(guestFile).href)};`;

/** The path of a program that listens on a port, and then wants to be checkpointed. */
export async function listeningGuest(port: number): Promise<string> {
  const app = join(await temporaryDirectory(), 'app.mjs');
  const script = `${guestImport}
    import { createServer } from 'node:net';
    createServer().listen(${port}, '127.0.0.1', () => checkpoint());`;
  await writeFile(app, script);
  return app;
}

/** A pair of connected sockets: one for Node, closed after the test, and a descriptor for another process. */
export function socketPair(): [Socket, number] {
  const [mine, theirs] = native().streamPair(65_536);
  native().release(mine);
  const socket = new Socket({ fd: mine });
  onTestFinished(() => void socket.destroy());
  return [socket, theirs];
}

/** The host's end of a connection, and the descriptor for the program. */
export function guestChannel(): [GuestChannel, number] {
  const [socket, theirs] = socketPair();
  return [new GuestChannel(socket), theirs];
}

export interface GuestProgram {
  readonly child: ChildProcess;
  readonly output: Output;
  readonly exited: Promise<unknown[]>;
}

export interface GuestProgramOptions {
  /** The program's end of the connection, which becomes its descriptor 3. */
  readonly fd?: number;
  readonly node?: string;
  readonly flags?: readonly string[];
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** The extension of the file. Default: mjs. */
  readonly extension?: string;
}

/** Starts Node with a program. It is killed after the test. */
export async function startGuest(
  script: string,
  options: GuestProgramOptions = {},
): Promise<GuestProgram> {
  const { fd, node = process.execPath, flags = [], args = [], extension = 'mjs' } = options;
  const file = join(await temporaryDirectory(), `app.${extension}`);
  await writeFile(file, script);
  const variable = fd === undefined ? {} : { NODE_CRIU_GUEST_FD: '3' };
  const child = spawn(node, [...flags, file, ...args], {
    env: { ...process.env, ...variable, ...options.env },
    stdio: ['ignore', 'pipe', 'inherit', ...(fd === undefined ? [] : [fd])],
  });
  if (fd !== undefined) native().close(fd);
  const exited = once(child, 'exit');
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  if (!child.stdout) throw new Error('there is no pipe');
  return { child, output: new Output(child.stdout), exited };
}

/** Starts Node with a program that takes part, and connects to it. */
export async function startGuestWithHost(script: string, options: GuestProgramOptions = {}) {
  const [channel, fd] = guestChannel();
  const program = await startGuest(script, { ...options, fd });
  await channel.hello();
  return { channel, ...program };
}
