import { constants as fs } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { CriuError, invalid, systemFailure } from '../errors.ts';
import { native } from '../native/index.ts';
import { openDescriptorOf } from '../options/kinds.ts';
import type { DescriptorLike } from '../options/types.ts';
import { findExecutable } from '../process/executable.ts';
import { CheckpointableProcess } from './checkpointable-process.ts';
import { NEW_NAMESPACE } from './clone-flags.ts';
import { ioUringFilter } from './io-uring-filter.ts';
import {
  assertDirectory,
  checkLaunch,
  environmentStrings,
  type Launch,
  OPERATION,
  type SpawnCheckpointableOptions,
  STREAMS,
} from './launch-options.ts';
import { outsideDescriptors } from './outside-descriptors.ts';

/** A descriptor for the program: `[number in the program, number here]`. */
type Mapping = readonly [number, number];

/**
 * Starts a program so that CRIU can dump it: in a session of its own, with no descriptors except
 * those named here, and without io_uring, which Node 22 and newer use whenever they can and CRIU
 * cannot dump. Children of the program inherit all of this. The program keeps running when this
 * process ends.
 *
 * On a processor with memory protection keys, Node 20 also needs
 * `--no-wasm-memory-protection-keys` among its arguments: CRIU does not restore the keys, and V8
 * aborts at its next WebAssembly compilation.
 *
 * The descriptors remain the caller's, who must keep them open until the promise resolves and may
 * close them afterwards. Without CAP_SYS_ADMIN the program cannot gain privileges: set-user-id bits
 * have no effect in it.
 *
 * @param file a path, or a name to look up on PATH
 * @param args the arguments, without the name of the program
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT, ERR_CRIU_NOT_FOUND, ERR_CRIU_NO_PERMISSION,
 * ERR_CRIU_SYSTEM
 */
export async function spawnCheckpointable(
  file: string,
  args: readonly string[] = [],
  options: SpawnCheckpointableOptions = {},
): Promise<CheckpointableProcess> {
  return await start(checkLaunch(file, args, options));
}

async function start(launch: Launch): Promise<CheckpointableProcess> {
  const { file, args, cwd, env = process.env, uid, gid, groups = [] } = launch;
  const given = givenDescriptors(launch);
  await assertDirectory(OPERATION, cwd);
  const { path } = await findExecutable(OPERATION, file, {
    ...(cwd !== undefined && { cwd }),
    searchPath: env.PATH,
  });
  const opened: FileHandle[] = [];
  try {
    const files = await openFiles(launch, opened);
    const outside = await outsideDescriptors(given);
    for (const [number, fd] of given) if (number < STREAMS.length) native().setBlocking(fd);
    const { pid, pidfd } = await native().spawn({
      file: path,
      args: [file, ...args],
      env: environmentStrings(env),
      ...(cwd !== undefined && { cwd }),
      descriptors: [...given, ...files],
      newSession: true,
      ...(uid !== undefined && gid !== undefined && { ids: [uid, gid, ...groups] as const }),
      cloneFlags:
        (launch.pidNamespace ? NEW_NAMESPACE.pid : 0) |
        (launch.ipcNamespace ? NEW_NAMESPACE.ipc : 0),
      seccompFilter: ioUringFilter(),
    });
    return new CheckpointableProcess(pid, pidfd, outside);
  } catch (error) {
    throw error instanceof CriuError ? error : startFailure(file, error as NodeJS.ErrnoException);
  } finally {
    await Promise.all(opened.map((handle) => handle.close()));
  }
}

/** The descriptors that the caller names, the standard streams first. */
function givenDescriptors(launch: Launch): Mapping[] {
  const streams = STREAMS.flatMap((name, number) => {
    const target = launch[name];
    if (target === undefined || typeof target === 'string') return [];
    return [[number, numberOf(name, target)] as const];
  });
  const others = Object.entries(launch.descriptors ?? {}).map(
    ([number, target]) => [Number(number), numberOf(`descriptors.${number}`, target)] as const,
  );
  return [...streams, ...others];
}

function numberOf(option: string, target: DescriptorLike): number {
  const fd = openDescriptorOf(target);
  if (fd === undefined) throw invalid(OPERATION, option, 'an open descriptor', target);
  return fd;
}

/**
 * Opens the streams that are files.
 * @param opened receives each handle at once, so that the caller can close them after a failure
 */
async function openFiles(launch: Launch, opened: FileHandle[]): Promise<Mapping[]> {
  const files: Mapping[] = [];
  for (const [number, name] of STREAMS.entries()) {
    const target = launch[name] ?? 'ignore';
    if (typeof target !== 'string') continue;
    const path = target === 'ignore' ? '/dev/null' : target;
    const flags = name === 'stdin' ? fs.O_RDONLY : fs.O_WRONLY | fs.O_APPEND | fs.O_CREAT;
    try {
      // O_NOCTTY: a terminal opened by its path must not become the controlling one of this process.
      const handle = await open(path, flags | fs.O_NOCTTY, 0o600);
      opened.push(handle);
      files.push([number, handle.fd]);
    } catch (error) {
      const takes = `a file that can be opened (${(error as Error).message})`;
      throw systemFailure(OPERATION, error) ?? invalid(OPERATION, name, takes, target);
    }
  }
  return files;
}

/** The error for a program that exists but cannot be started. */
function startFailure(file: string, error: NodeJS.ErrnoException): CriuError {
  const { code, syscall, message } = error;
  const errno = error.errno && Math.abs(error.errno);
  const details = { operation: OPERATION, errno, cause: error };
  const text = (reason: string) => `${OPERATION}: cannot start ${file}: ${reason}`;
  if (syscall === 'execve' && code === 'ENOENT') {
    return new CriuError('ERR_CRIU_NOT_FOUND', text('there is no such interpreter'), details);
  }
  if (syscall === 'execve' && code === 'ENOEXEC') {
    const reason = text('it is neither a program for this system nor a script that begins with #!');
    return new CriuError('ERR_CRIU_SYSTEM', reason, details);
  }
  const denied = code === 'EACCES' || code === 'EPERM';
  return new CriuError(
    denied ? 'ERR_CRIU_NO_PERMISSION' : 'ERR_CRIU_SYSTEM',
    text(message),
    details,
  );
}
