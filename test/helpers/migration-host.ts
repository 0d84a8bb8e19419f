import { randomUUID } from 'node:crypto';
import { readdir, readFile, readlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { compileFixture } from './compile.ts';
import { LibraryProcess } from './library-process.ts';
import { startProgram, temporaryDirectory, waitFor, waitGone } from './workload.ts';

const BOOT_ID = '/proc/sys/kernel/random/boot_id';

/** Starts a program on a host of its own, as far as pids go, that was just booted. */
export async function bootedAnew(): Promise<string[]> {
  const path = join(await temporaryDirectory(), 'boot_id');
  await writeFile(path, `${randomUUID()}\n`);
  const fresh = ['--pid', '--fork', '--mount-proc', '--kill-child'];
  return ['unshare', ...fresh, 'sh', '-c', `mount --bind ${path} ${BOOT_ID} && exec "$@"`, 'sh'];
}

/**
 * A destination, as far as pids go: a pid namespace with an agent that takes migrations. The agent may
 * die alone, and another start in its place; or all of it may end.
 */
export class MigrationHost {
  readonly directory: string;
  readonly #options: object;
  #init = 0;
  #agent!: LibraryProcess;
  /** Of the control, and of the pages. */
  ports: [number, number] = [0, 0];

  /** @param options of its servers, but for where they listen and keep things */
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
    await waitFor(async () => (await childOf(pid)) > 0, 'there is a pid namespace');
    this.#init = await childOf(pid);
    await waitFor(async () => (await childOf(this.#init)) > 0, 'its first process runs');
    await this.startAgent();
  }

  /** Starts an agent, where an earlier one was. */
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

  /** The agent is killed; what it has started is not. */
  async killAgent(): Promise<void> {
    await this.#agent.do('crash');
    await this.#agent.ended;
  }

  /** The host ends at once, with all in it. */
  async kill(): Promise<void> {
    process.kill(this.#init, 'SIGKILL');
    await this.#agent.ended;
    await waitGone(this.#init);
  }

  /** Starts again what was killed. */
  async recover(): Promise<void> {
    await this.#agent.ended;
    if (await readlink(`/proc/${this.#init}/exe`).catch(() => undefined)) await this.startAgent();
    else await this.#boot();
  }

  /** The criu processes in there. */
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
