import { chmod, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asCriuError } from '../errors.ts';
import { launcher } from '../native/built-files.ts';

/** Called at each step of CRIU; if it rejects, CRIU rolls back. */
export type OnStep = (script: string, pid: number | undefined) => Promise<void>;

/** A line with a step and a pid is short. */
const MAX_LINE = 256;

/**
 * Listens to the steps of a criu that another program has started, by a configuration file with an action script. If
 * this process dies, CRIU gets no answer, and rolls back.
 */
export class StepListener implements AsyncDisposable {
  /** For the environment of the program: CRIU reads the file that it names. */
  readonly configFile: string;
  readonly #directory: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  /**
   * @param lines further lines of the configuration
   * @throws CriuError ERR_CRIU_SYSTEM
   */
  static async start(
    operation: string,
    onStep: OnStep,
    lines: readonly string[],
  ): Promise<StepListener> {
    try {
      const directory = await mkdtemp(join(tmpdir(), 'node-criu-steps-'));
      const socket = join(directory, 'socket');
      const script = join(directory, 'script');
      const configFile = join(directory, 'criu.conf');
      // It finds the socket beside the link.
      await symlink(launcher(), script);
      const config = [await givenConfig(), ...lines, `action-script ${script}`, ''].join('\n');
      await writeFile(configFile, config, { mode: 0o600 });
      const server = createServer();
      const listener = new StepListener(directory, configFile, server, onStep);
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(socket, resolve);
      });
      await chmod(socket, 0o600);
      return listener;
    } catch (error) {
      throw asCriuError(operation, error);
    }
  }

  private constructor(directory: string, configFile: string, server: Server, onStep: OnStep) {
    this.#directory = directory;
    this.configFile = configFile;
    this.#server = server;
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      // CRIU notices that it gets no answer.
      socket.on('error', () => socket.destroy());
      answer(socket, onStep);
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
    await rm(this.#directory, { recursive: true, force: true });
  }
}

function answer(socket: Socket, onStep: OnStep): void {
  let line = '';
  socket.setEncoding('utf8');
  socket.on('data', (chunk: string) => {
    line += chunk;
    const end = line.indexOf('\n');
    if (end < 0 && line.length < MAX_LINE) return;
    socket.removeAllListeners('data');
    const [script = '', pid] = line.slice(0, end).split(' ');
    onStep(script, pid ? Number(pid) : undefined).then(
      () => socket.end('go'),
      () => socket.end('no'),
    );
  });
}

/** What CRIU would read without ours. */
async function givenConfig(): Promise<string> {
  const { CRIU_CONFIG_FILE: path } = process.env;
  if (!path) return '';
  return await readFile(path, 'utf8').catch(() => '');
}
