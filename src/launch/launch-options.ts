import { stat } from 'node:fs/promises';
import { CriuError, invalid } from '../errors.ts';
import {
  type Check,
  check,
  checkOptions,
  checkValue,
  record,
  type Shape,
} from '../options/check.ts';
import {
  descriptor,
  each,
  flag,
  isInteger,
  isText,
  openDescriptorOf,
  text,
} from '../options/kinds.ts';
import type { DescriptorLike } from '../options/types.ts';

/**
 * What a standard stream of the program is connected to.
 *
 * - `'ignore'`: /dev/null.
 * - Any other string: the path of a file, which is read (stdin), or appended to and created with
 *   mode 0600 (stdout and stderr).
 * - A descriptor of this process, which is set to blocking mode, as programs expect of their streams.
 */
export type StdioTarget = 'ignore' | (string & {}) | DescriptorLike;

/** What a program that is started gets of its parent. */
export interface ProgramOptions {
  /** Working directory. Default: the directory of this process. */
  cwd?: string;
  /** Environment. Default: the environment of this process. */
  env?: Readonly<Record<string, string | undefined>>;
  /**
   * User id of the program. `gid` is required with it. Default: that of this process, which opens the program's
   * files, such as `stdout`, in any case.
   */
  uid?: number;
  /** Group id of the program. Needs `uid`. */
  gid?: number;
  /** Supplementary groups of the program. Needs `uid`. Default with `uid`: none. */
  groups?: readonly number[];
}

/** Options of {@link spawnCheckpointable}. Relative paths start at the directory of this process. */
export interface SpawnCheckpointableOptions extends ProgramOptions {
  /**
   * Start the program in a pid namespace of its own, in which it has pid 1. It is then restored with
   * pids that no other process can have, but must reap orphans, and signals without a handler do not
   * end it. It has to stay root: CRIU cannot dump a program of another user there. Needs CAP_SYS_ADMIN. Default false.
   */
  pidNamespace?: boolean;
  /**
   * Start the program in an IPC namespace of its own, with System V shared memory, semaphores and
   * message queues that no other process uses. Needs CAP_SYS_ADMIN. Default false.
   */
  ipcNamespace?: boolean;
  /** Standard input. Default `'ignore'`. */
  stdin?: StdioTarget;
  /** Standard output. Default `'ignore'`. */
  stdout?: StdioTarget;
  /** Standard error. Default `'ignore'`. */
  stderr?: StdioTarget;
  /** Further descriptors, by the number that each has in the program, 3 and up. */
  descriptors?: Readonly<Record<number, DescriptorLike>>;
}

/** The function, as errors name it. */
export const OPERATION = 'spawnCheckpointable';

/** The standard streams, in the order of their numbers. */
export const STREAMS = ['stdin', 'stdout', 'stderr'] as const;

/** A program to start, with its options read once and validated. */
export interface Launch extends SpawnCheckpointableOptions {
  readonly file: string;
  readonly args: readonly string[];
}

const stream = check(
  'a path or an open descriptor',
  (value) => isText(value) || openDescriptorOf(value) !== undefined,
);

const isId = (value: unknown) => isInteger(value, 0, 0x7fffffff);
const isIdOf = (value: unknown) => (isId(value) ? value : undefined);

/** Variables of an environment. */
export const environment = record(
  'a record of strings, whose names are not empty and contain no =',
  (name) => isText(name) && !name.includes('='),
  check('a string', (value) => value === '' || isText(value)),
);

const id = check('an integer from 0 to 2147483647', isId);

/** The checks of {@link ProgramOptions}. */
export const programShape: Shape<ProgramOptions> = {
  cwd: text,
  uid: id,
  gid: id,
  groups: check('an array of group ids', (value) => Array.isArray(value) && !!each(value, isIdOf)),
  // The environment of this process can contain anything, and is passed on as it is.
  env: {
    ...environment,
    read: (operation, option, value) =>
      value === process.env ? value : environment.read?.(operation, option, value),
  },
};

const shape: Shape<SpawnCheckpointableOptions> = {
  ...programShape,
  pidNamespace: flag,
  ipcNamespace: flag,
  stdin: stream,
  stdout: stream,
  stderr: stream,
  descriptors: record(
    'a record of open descriptors by their number in the program, 3 and up',
    (name) =>
      /^[1-9]\d*$/.test(name) && Number(name) >= STREAMS.length && Number(name) < 0x7fffffff,
    descriptor,
  ),
};

/** A path, or a name to look up on PATH. */
export const programName: Check = check('the name of a program', isText);

const argument = (value: unknown) => (value === '' || isText(value) ? value : undefined);

/** The arguments of a program. */
export const argumentList: Check = {
  ...check('an array of strings', (value) => Array.isArray(value) && !!each(value, argument)),
  read: (_operation, _option, value) => [...(value as string[])],
};

/** Validates what {@link spawnCheckpointable} is given. @throws CriuError ERR_CRIU_INVALID_ARGUMENT */
export function checkLaunch(
  file: string,
  args: readonly string[],
  options: SpawnCheckpointableOptions,
): Launch {
  const checked = checkOptions(OPERATION, options, shape);
  assertUser(OPERATION, checked);
  assertOwnProc(checked);
  return {
    file: checkValue(OPERATION, 'file', programName, file),
    args: checkValue(OPERATION, 'args', argumentList, args),
    ...checked,
  };
}

/** Refuses a user without a group, and groups without a user. @throws CriuError ERR_CRIU_INVALID_ARGUMENT */
export function assertUser(operation: string, { uid, gid, groups }: ProgramOptions): void {
  if (uid === undefined ? gid !== undefined || groups !== undefined : gid === undefined) {
    throw invalid(operation, uid === undefined ? 'uid' : 'gid', 'a number', undefined);
  }
}

/**
 * Refuses pids of its own to a program of another user: CRIU has the program mount the /proc of its pid namespace, which
 * only root may. Source: CRIU's criu/pie/parasite.c, get_proc_fd. @throws CriuError ERR_CRIU_INVALID_ARGUMENT
 */
function assertOwnProc({ uid = 0, pidNamespace }: SpawnCheckpointableOptions): void {
  if (!pidNamespace || uid === 0) return;
  throw new CriuError(
    'ERR_CRIU_INVALID_ARGUMENT',
    `${OPERATION}: pidNamespace is for programs of root: CRIU cannot dump one of user ${uid}, who may not mount the /proc of its pids`,
    { operation: OPERATION, option: 'pidNamespace' },
  );
}

/** The environment of a program as execve(2) takes it. */
export function environmentStrings(env: Readonly<Record<string, string | undefined>>): string[] {
  return Object.entries(env).flatMap(([name, value]) =>
    value === undefined ? [] : `${name}=${value}`,
  );
}

/** Refuses a working directory that does not exist. @throws CriuError ERR_CRIU_INVALID_ARGUMENT */
export async function assertDirectory(operation: string, cwd: string | undefined): Promise<void> {
  if (cwd === undefined) return;
  const stats = await stat(cwd).catch(() => undefined);
  if (!stats?.isDirectory()) throw invalid(operation, 'cwd', 'an existing directory', cwd);
}
