import { resolve } from 'node:path';
import { asCriuError, CriuError, type ExitStatus } from '../errors.ts';
import { FD_VARIABLE, STACKS_VARIABLE } from '../guest/protocol.ts';
import { ioUringFilter } from '../launch/io-uring-filter.ts';
import { environmentStrings } from '../launch/launch-options.ts';
import { launcher } from '../native/built-files.ts';
import { native } from '../native/index.ts';
import { findExecutable } from '../process/executable.ts';
import { ProcessHandle } from '../process/process-handle.ts';
import { allMounts, templateEnclosure } from './enclosures.ts';
import { GuestChannel } from './guest-channel.ts';
import { findHostMounts, type HostMount } from './host-mounts.ts';
import { ProgramOutput } from './program-output.ts';
import { makeScratch, type Scratch } from './scratch.ts';
import { SocketPair } from './socket-pair.ts';
import { externalStreams } from './stream-names.ts';
import type { ExternalFiles } from './template-file.ts';
import type { CheckedTemplateOptions } from './template-options.ts';

/** How the launcher ends if it cannot prepare the mounts: see launcher.h. */
const LAUNCHER_FAILED = 125;
/** What ps(1) shows as the init of a template and of its copies. */
const INIT_NAME = 'node-criu-init';
/** The number of the connection to the guest library in the program. */
export const GUEST_FD = 3;
/** The number of a connection that only the init has: see {@link LifeLine}. */
export const LIFE_FD = 4;
/** The number of its network namespace, until the launcher has entered that. */
const NETWORK_FD = 5;

/** What a program is started with, and what has to be closed when it has ended. */
interface Means {
  readonly output: ProgramOutput;
  /** The launcher mounts on it. */
  readonly scratch: Scratch;
  readonly guest: SocketPair;
  readonly life: SocketPair;
  /** A network namespace of its own. */
  readonly netns: number | undefined;
  /** Closes all of them. */
  close(): Promise<void>;
}

/** The program of a template while it starts: a process tree in namespaces of its own, with an init of this package. */
export class TemplateProgram implements AsyncDisposable {
  readonly mounts: readonly HostMount[];
  readonly output: ProgramOutput;
  readonly guest: GuestChannel;
  /** CRIU's names of what it has of this process. */
  readonly files: ExternalFiles;
  readonly external: readonly string[];
  readonly #operation: string;
  readonly #init: ProcessHandle;
  readonly #means: Means;

  /**
   * Starts a program.
   * @throws CriuError ERR_CRIU_INVALID_ARGUMENT, ERR_CRIU_NOT_FOUND, ERR_CRIU_NO_PERMISSION, ERR_CRIU_SYSTEM
   */
  static async start(
    operation: string,
    file: string,
    args: readonly string[],
    options: CheckedTemplateOptions,
  ): Promise<TemplateProgram> {
    const { cwd = process.cwd(), env = process.env, uid, gid, groups = [], namespaces } = options;
    const { path } = await findExecutable(operation, file, { cwd, searchPath: env.PATH });
    const named = args.map((argument) => resolve(cwd, argument));
    const needed = [path, cwd, launcher(), ...named, ...options.mounts];
    const mounts = allMounts(await findHostMounts(needed));
    const means = await openMeans(operation, namespaces.includes('net'));
    const { output, guest, life, scratch, netns } = means;
    const isIsolated = netns !== undefined;
    try {
      const networkFd = isIsolated ? NETWORK_FD : undefined;
      const enclosure = templateEnclosure(scratch, mounts, namespaces, networkFd);
      const user = uid === undefined ? [] : ['user', `${uid}:${[gid, ...groups].join()}`];
      const { pid, pidfd } = await native().spawn({
        file: enclosure.launcher,
        args: [
          ...[enclosure.launcher, ...enclosure.steps, '--', launcher(), INIT_NAME],
          ...['init', String(LIFE_FD), 'directory', resolve(cwd), ...user],
          ...['--', path, file, ...args],
        ],
        env: environmentStrings({
          ...env,
          [FD_VARIABLE]: String(GUEST_FD),
          ...(options.reportHandles && { [STACKS_VARIABLE]: '1' }),
        }),
        descriptors: [
          ...output.descriptors,
          [GUEST_FD, guest.there],
          [LIFE_FD, life.there],
          ...(isIsolated ? [[NETWORK_FD, netns] as const] : []),
        ],
        newSession: true,
        cloneFlags: enclosure.cloneFlags,
        seccompFilter: ioUringFilter(),
      });
      const init = new ProcessHandle(pid, pidfd);
      return new TemplateProgram(operation, mounts, means, await externalFiles(means), init);
    } catch (error) {
      await means.close();
      throw asCriuError(operation, error);
    }
  }

  private constructor(
    operation: string,
    mounts: readonly HostMount[],
    means: Means,
    files: ExternalFiles,
    init: ProcessHandle,
  ) {
    const { output, guest, life } = means;
    this.#operation = operation;
    this.#means = means;
    this.#init = init;
    this.mounts = mounts;
    this.output = output;
    this.files = files;
    this.external = [...externalStreams(files.streams), guest.external, life.external];
    for (const pair of [guest, life]) pair.closeThere();
    this.guest = new GuestChannel(guest.take());
  }

  /** The pid of the init. */
  get pid(): number {
    return this.#init.pid;
  }

  /** True while it runs. */
  get isRunning(): boolean {
    return this.#init.kill(0);
  }

  /** Resolves with the error that says how the program has ended, when it has. */
  async ended(): Promise<CriuError> {
    const exit = await this.#init.ended;
    const isLaunchers = exit.code === LAUNCHER_FAILED;
    const said = await this.output.tail();
    const words = said === '' ? '; it wrote nothing to its standard error' : `: ${said}`;
    const text = isLaunchers
      ? said
      : `the program ended with ${shown(exit)} before its checkpoint${words}`;
    const code = isLaunchers ? 'ERR_CRIU_SYSTEM' : 'ERR_CRIU_PROGRAM_ENDED';
    const operation = this.#operation;
    return new CriuError(code, `${operation}: ${text}`, { operation, pid: this.pid, exit });
  }

  /** Kills what runs, and waits for its end. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#init.kill('SIGKILL');
    await this.#init.exited;
    this.guest.close();
    await this.#means.close();
  }
}

async function openMeans(operation: string, hasNetwork: boolean): Promise<Means> {
  const closers: (() => unknown)[] = [];
  const close = async () => {
    for (let one = closers.pop(); one; one = closers.pop()) await one();
  };
  try {
    const output = await ProgramOutput.open(operation);
    closers.push(() => output[Symbol.asyncDispose]());
    const scratch = await makeScratch(operation);
    closers.push(() => scratch[Symbol.asyncDispose]());
    const netns = hasNetwork ? native().newNetwork() : undefined;
    if (netns !== undefined) closers.push(() => native().close(netns));
    const guest = new SocketPair(netns ?? -1);
    closers.push(() => guest[Symbol.dispose]());
    const life = new SocketPair(netns ?? -1);
    closers.push(() => life[Symbol.dispose]());
    return { output, scratch, netns, guest, life, close };
  } catch (error) {
    await close();
    throw asCriuError(operation, error);
  }
}

async function externalFiles({ output, guest, life }: Means): Promise<ExternalFiles> {
  return { streams: await output.names(), guest: guest.name, life: life.name };
}

function shown({ code, signal }: ExitStatus): string {
  return signal ? `signal ${signal}` : `exit code ${code}`;
}
