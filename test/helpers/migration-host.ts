import { randomUUID } from 'node:crypto';
import { readdir, readFile, readlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { compileFixture } from './compile.ts';
import { LibraryProcess } from './library-process.ts';
import { startProgram, temporaryDirectory, waitFor, waitGone } from './workload.ts';

const BOOT_ID = '/proc/sys/kernel/random/boot_id';

/** The command that runs a program in a new pid namespace with its own boot id, like a host after a boot. */
export async function bootedAnew(): Promise<string[]> {
  const path = join(await temporaryDirectory(), 'boot_id');
  await writeFile(path, `${randomUUID()}\n`);
  const fresh = ['--pid', '--fork', '--mount-proc', '--kill-child'];
  return ['unshare', ...fresh, 'sh', '-c', `mount --bind ${path} ${BOOT_ID} && exec "$@"`, 'sh'];
}

/**
 * A destination: a pid namespace with an agent that serves migrations. The agent can be killed and
 * started again alone, or with the whole namespace.
 */
export class MigrationHost {
  readonly directory: string;
  readonly #options: object;
  #init = 0;
  #agent!: LibraryProcess;
  /** The ports of the control and of the pages. */
  ports: [number, number] = [0, 0];

  /** @param options the options of its servers, without `listen` and `directory` */
  static async start(options: object): Promise<MigrationHost> {
    const host = new MigrationHost(await temporaryDirectory(), options);
    await host.#boot();
    return host;
  }

  private constructor(directory: string, options: object) {
    this.directory = directory;
    this.#options = options;
  }

  get agent(): LibraryProcess {
    return this.#agent;
  }

  async #boot(): Promise<void> {
    const reaper = [await compileFixture('reaper'), 'sleep', 'infinity'];
    const [program, ...args] = [...(await bootedAnew()), ...reaper] as [string, ...string[]];
    const { pid } = await startProgram(program, args);
    const childOf = async (parent: number) =>
      Number(await readFile(`/proc/${parent}/task/${parent}/children`, 'utf8').catch(() => ''));
    await waitFor(async () => (await childOf(pid)) > 0, 'the pid namespace exists');
    this.#init = await childOf(pid);
    await waitFor(async () => (await childOf(this.#init)) > 0, 'its first process runs');
    await this.startAgent();
  }

  /** Starts an agent on the ports and in the directory of the earlier one. */
  async startAgent(): Promise<void> {
    this.#agent = await LibraryProcess.start([
      'nsenter',
      `--target=${this.#init}`,
      '--pid',
      '--mount',
    ]);
    const [port, pagePort] = this.ports;
    const listen = { host: '127.0.0.1', port, pagePort };
    await this.#agent.ask('serve', { ...this.#options, listen, directory: this.directory });
    this.ports = await this.#agent.ask<[number, number]>('ports');
  }

  /** Kills the agent, but not the processes that it has started. */
  async killAgent(): Promise<void> {
    await this.#agent.do('crash');
    await this.#agent.ended;
  }

  /** Kills all processes of the host. */
  async kill(): Promise<void> {
    process.kill(this.#init, 'SIGKILL');
    await this.#agent.ended;
    await waitGone(this.#init);
  }

  /** Starts whatever was killed again. */
  async recover(): Promise<void> {
    await this.#agent.ended;
    if (await readlink(`/proc/${this.#init}/exe`).catch(() => undefined)) await this.startAgent();
    else await this.#boot();
  }

  /** The criu processes of the host. */
  async criu(): Promise<number[]> {
    return await criuBeside(this.#init);
  }
}

/** The criu processes in the pid namespace of a process. */
export async function criuBeside(other: number): Promise<number[]> {
  const space = await readlink(`/proc/${other}/ns/pid`);
  return await criuProcesses(async (pid) => (await readlink(`/proc/${pid}/ns/pid`)) === space);
}

/** The criu processes that work in one of these directories. */
export async function criuIn(directories: readonly string[]): Promise<number[]> {
  const isThere = (path: string) => directories.some((directory) => path.startsWith(directory));
  return await criuProcesses(async (pid) => {
    const names = await readdir(`/proc/${pid}/fd`);
    const links = names.map((fd) => readlink(`/proc/${pid}/fd/${fd}`).catch(() => ''));
    return (await Promise.all([...links, readlink(`/proc/${pid}/cwd`)])).some(isThere);
  });
}

async function criuProcesses(isMeant: (pid: string) => Promise<boolean>): Promise<number[]> {
  const isFound = async (pid: string) => {
    const comm = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '');
    return comm === 'criu\n' && (await isMeant(pid).catch(() => false));
  };
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const found = await Promise.all(pids.map(isFound));
  return pids.filter((_, index) => found[index]).map(Number);
}
