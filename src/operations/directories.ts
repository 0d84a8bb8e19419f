import { constants } from 'node:fs';
import { readlink } from 'node:fs/promises';
import { type CriuError, invalid, systemFailure } from '../errors.ts';
import { descriptorOf } from '../options/kinds.ts';
import type { DirectoryLike } from '../options/types.ts';
import { type Files, filesIn, remoteFiles } from '../process/files.ts';
import { makePrivateDirectory } from '../process/private-directory.ts';

/** A directory that CRIU reads or writes, open for the time of an operation. */
export interface Directory extends AsyncDisposable {
  readonly path: string;
  /** CRIU opens the directory through /proc/PID/fd, so that it may be renamed meanwhile. */
  readonly fd: number;
  /** How to make calls on files in it. */
  readonly files: Files;
}

/**
 * Opens the directory of an option. A descriptor that the caller passes stays open afterwards.
 * @param known how to make calls on files in it, if that is known
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT with the name of the option
 */
export async function openDirectory(
  operation: string,
  option: string,
  given: DirectoryLike | undefined,
  create: boolean,
  known?: Files,
): Promise<Directory | undefined> {
  if (given === undefined) return undefined;
  try {
    if (typeof given !== 'string') {
      const fd = descriptorOf(given) as number;
      // Appending "/." makes the open fail for anything but a directory.
      const opened = `/proc/self/fd/${fd}/.`;
      await remoteFiles.open(opened, 'r').then(remoteFiles.close);
      const path = await readlink(`/proc/self/fd/${fd}`);
      return { path, fd, files: await filesIn(opened), async [Symbol.asyncDispose]() {} };
    }
    const files = known ?? (await filesIn(given));
    if (create) await makePrivateDirectory(given, false, files);
    const fd = await files.open(given, constants.O_RDONLY | constants.O_DIRECTORY);
    return { path: given, fd, files, [Symbol.asyncDispose]: () => files.close(fd) };
  } catch (error) {
    throw unusable(operation, option, given, create, error);
  }
}

/** The error of a directory that cannot be opened, or made. */
export function unusable(
  operation: string,
  option: string,
  given: DirectoryLike,
  create: boolean,
  error: unknown,
): CriuError {
  const usable = create ? 'a directory that can be made and opened' : 'a directory that exists';
  return (
    systemFailure(operation, error) ??
    invalid(operation, option, `${usable} (${(error as Error).message})`, given)
  );
}
