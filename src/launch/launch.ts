import { constants as fs } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { spawnSlot } from '../concurrency/spawn-slot.ts';
import { CriuError, invalid, systemFailure, unknownOption } from '../errors.ts';
import { native } from '../native/index.ts';
import { readOptions } from '../options/given.ts';
import { each, openDescriptorOf } from '../options/kinds.ts';
import type { DescriptorLike } from '../options/types.ts';
import { findExecutable } from '../process/executable.ts';
import { ProcessHandle } from '../process/process-handle.ts';
import { refuseIoUring } from './io-uring-filter.ts';
import { leadingOut, type Outside } from './outside-descriptors.ts';

/**
 * What a standard stream is connected to: `'ignore'` is /dev/null, any other string the path of a
 * file (created with mode 0600 and appended to, or read), else a descriptor of this process, which
 * is made to block, as programs expect of their streams.
 */
export type StdioTarget = 'ignore' | (string & {}) | DescriptorLike;

/** Options of {@link spawnCheckpointable}. Paths are relative to this process's own directory. */
export interface SpawnCheckpointableOptions {
  /** Working directory. Default: that of this process. */
  cwd?: string;
  /** Environment. Default: that of this process. */
  env?: Readonly<Record<string, string | undefined>>;
  /** Standard input. Default `'ignore'`. */
  stdin?: StdioTarget;
  /** Standard output. Default `'ignore'`. */
  stdout?: StdioTarget;
  /** Standard error. Default `'ignore'`. */
  stderr?: StdioTarget;
  /** Further descriptors, by the number that they have in the program, 3 and up. */
  descriptors?: Readonly<Record<number, DescriptorLike>>;
}

/** A program started by {@link spawnCheckpointable}: a child of this process. */
export class CheckpointableProcess extends ProcessHandle {
  /**
   * What CRIU calls the descriptors that lead out of the program, by their number in it: the keys
   * of `inheritFd` at a restore.
   */
  readonly inheritNames: Readonly<Record<number, string>>;
  /** What `external` needs at a dump, so that CRIU lets these descriptors lead out. */
  readonly external: readonly string[];

  /** @internal */
  constructor(pid: number, pidfd: number, outside: readonly Outside[]) {
    super(pid, pidfd);
    this.inheritNames = Object.fromEntries(outside.map(({ number, name }) => [number, name]));
    this.external = [...new Set(outside.flatMap(({ external }) => external ?? []))];
  }
}

const OPERATION = 'spawnCheckpointable';
const OPTIONS = ['cwd', 'env', 'stdin', 'stdout', 'stderr', 'descriptors'];
const STREAMS = ['stdin', 'stdout', 'stderr'] as const;

/** A descriptor for the program: `[number there, number here]`. */
type Mapping = readonly [number, number];

/**
 * Starts a program so that CRIU can dump it: in a session of its own, with no descriptor but those
 * named here, and without io_uring, which Node 22 and newer open whenever they can and CRIU cannot
 * dump. Children of the program inherit all that. It runs on when this process ends.
 *
 * Node 20 on a processor with protection keys also needs `--no-wasm-memory-protection-keys` among
 * its arguments: CRIU does not restore the keys, and V8 ends at its next WebAssembly compilation.
 *
 * Descriptors stay the caller's, who keeps them open until this resolves and may close them then.
 * Without CAP_SYS_ADMIN the program cannot gain privileges: set-user-id bits have no effect in it.
 *
 * @param file a path, or a name to look up on PATH
 * @param args the arguments, without the program's own name
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT, ERR_CRIU_NOT_FOUND, ERR_CRIU_NO_PERMISSION,
 * ERR_CRIU_SYSTEM
 */
export async function spawnCheckpointable(
  file: string,
  args: readonly string[] = [],
  options: SpawnCheckpointableOptions = {},
): Promise<CheckpointableProcess> {
  return await start(check(file, args, options));
}

/** What is to be started, all of it read once and checked. */
interface Input extends SpawnCheckpointableOptions {
  readonly file: string;
  readonly args: readonly string[];
}

async function start(options: Input): Promise<CheckpointableProcess> {
  const { file, args, cwd, env = process.env } = options;
  const environment = Object.entries(env).flatMap(([name, value]) =>
    value === undefined ? [] : `${name}=${value}`,
  );
  const given = givenDescriptors(options);
  await checkDirectory(cwd);
  const { path } = await findExecutable(OPERATION, file, {
    ...(cwd !== undefined && { cwd }),
    searchPath: env.PATH,
  });
  const opened: FileHandle[] = [];
  try {
    const files = await openFiles(options, opened);
    const outside = await leadingOut(given);
    await spawnSlot();
    for (const [number, fd] of given) if (number < STREAMS.length) native().setBlocking(fd);
    const { pid, pidfd } = native().spawn({
      file: path,
      args: [file, ...args],
      env: environment,
      ...(cwd !== undefined && { cwd }),
      descriptors: [...given, ...files],
      newSession: true,
      seccompFilter: refuseIoUring(),
    });
    return new CheckpointableProcess(pid, pidfd, outside);
  } catch (error) {
    throw error instanceof CriuError ? error : failure(file, error as NodeJS.ErrnoException);
  } finally {
    await Promise.all(opened.map((handle) => handle.close()));
  }
}

// --- What can be told to be wrong before anything is opened or started ---------------------------

/** Neither a NUL nor half a surrogate pair can reach a program. */
const isText = (value: unknown): value is string =>
  typeof value === 'string' && !/[\0\p{Surrogate}]/u.test(value);

/** A copy of an object that is no Map, say, whose entries would be overlooked. */
function record<T extends object>(option: string, takes: string, value: T): T {
  if (!isRecord(value)) throw invalid(OPERATION, option, takes, value);
  return readOptions(OPERATION, value, option);
}

function isRecord(value: unknown): boolean {
  try {
    return Object.prototype.toString.call(value) === '[object Object]';
  } catch {
    // A revoked proxy.
    return false;
  }
}

function strings(value: unknown): string[] | undefined {
  try {
    return Array.isArray(value)
      ? each(value, (text) => (isText(text) ? text : undefined))
      : undefined;
  } catch {
    return undefined;
  }
}

function check(file: unknown, given: unknown, options: SpawnCheckpointableOptions): Input {
  if (!isText(file) || file === '') throw invalid(OPERATION, 'file', 'the name of a program', file);
  const args = strings(given);
  if (!args) throw invalid(OPERATION, 'args', 'an array of strings', given);
  return { file, args, ...checkOptions(options) };
}

function checkOptions(given: SpawnCheckpointableOptions): SpawnCheckpointableOptions {
  const options = record('options', 'an object', given);
  for (const name of Object.keys(options)) {
    if (!OPTIONS.includes(name)) throw unknownOption(OPERATION, name);
  }
  const { cwd } = options;
  if (cwd !== undefined && !isText(cwd)) throw invalid(OPERATION, 'cwd', 'a path', cwd);
  if (options.env !== undefined && options.env !== process.env) {
    options.env = record('env', 'a record of strings', options.env);
    checkEnvironment(options.env);
  }
  if (options.descriptors !== undefined) {
    const takes = 'a record of open descriptors';
    options.descriptors = record('descriptors', takes, options.descriptors);
  }
  for (const name of STREAMS) {
    const target = options[name];
    if (typeof target === 'string' && (!isText(target) || target === '')) {
      throw invalid(OPERATION, name, 'a path or an open descriptor', target);
    }
  }
  return options;
}

function checkEnvironment(env: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(env)) {
    if (!isText(name) || name === '' || name.includes('=')) {
      throw invalid(OPERATION, 'env', 'names that are not empty and hold no =', name);
    }
    if (value !== undefined && !isText(value)) {
      throw invalid(OPERATION, `env.${name}`, 'a string', value);
    }
  }
}

/** The descriptors that the caller names, the standard streams first. */
function givenDescriptors(options: SpawnCheckpointableOptions): Mapping[] {
  const streams = STREAMS.flatMap((name, number) => {
    const target = options[name];
    if (target === undefined || typeof target === 'string') return [];
    return [[number, descriptor(name, 'a path or an open descriptor', target)] as const];
  });
  const others = Object.entries(options.descriptors ?? {}).map(([key, like]) => {
    const number = Number(key);
    if (!/^[1-9]\d*$/.test(key) || number < STREAMS.length || number >= 0x7fffffff) {
      throw invalid(OPERATION, 'descriptors', 'numbers from 3', key);
    }
    return [number, descriptor(`descriptors.${key}`, 'an open descriptor', like)] as const;
  });
  return [...streams, ...others];
}

function descriptor(option: string, takes: string, like: unknown): number {
  const fd = openDescriptorOf(like);
  if (fd === undefined) throw invalid(OPERATION, option, takes, like);
  return fd;
}

async function checkDirectory(cwd: string | undefined): Promise<void> {
  if (cwd === undefined) return;
  const stats = await stat(cwd).catch(() => undefined);
  if (!stats?.isDirectory()) throw invalid(OPERATION, 'cwd', 'an existing directory', cwd);
}

// --- Opening and failing -------------------------------------------------------------------------

/** Opens the streams that are files; `opened` gets the handles, also if one cannot be opened. */
async function openFiles(
  options: SpawnCheckpointableOptions,
  opened: FileHandle[],
): Promise<Mapping[]> {
  const files: Mapping[] = [];
  for (const [number, name] of STREAMS.entries()) {
    const target = options[name] ?? 'ignore';
    if (typeof target !== 'string') continue;
    const path = target === 'ignore' ? '/dev/null' : target;
    const flags = name === 'stdin' ? fs.O_RDONLY : fs.O_WRONLY | fs.O_APPEND | fs.O_CREAT;
    try {
      // A terminal that is named by its path must not become the one that controls this process.
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

/** What the system says of a program that is there and still cannot be started. */
function failure(file: string, error: NodeJS.ErrnoException): CriuError {
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
