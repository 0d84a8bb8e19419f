import { mkdir, mkdtemp, realpath, rmdir, symlink, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { asCriuError, invalid } from '../errors.ts';
import { NEW_NAMESPACE } from '../launch/clone-flags.ts';
import { launcher } from '../native/built-files.ts';
import { directoryPath } from '../options/kinds.ts';
import type { Client, GivenOptions } from './client.ts';

/** What a restore uses instead of the client and the options that it was given. */
export interface BoundRoot<Options> extends AsyncDisposable {
  readonly client: Client;
  readonly given: Options;
  /** Lines of CRIU's configuration. */
  readonly config: readonly string[];
}

/** An external mount that is an empty tmpfs. */
const EMPTY = /^(mnt\[[^\]]*\]:)tmpfs$/;

/**
 * Lets a restore take any directory as its root: CRIU wants a mount point, and a mount that this process made would
 * stay if it died.
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT, ERR_CRIU_SYSTEM
 */
export async function bindRoot<Options extends GivenOptions>(
  operation: string,
  client: Client,
  given: Options,
): Promise<BoundRoot<Options>> {
  const options = { ...client.defaults, ...given };
  const { bindRoot, root } = options;
  if (bindRoot !== true) return { client, given, config: [], async [Symbol.asyncDispose]() {} };
  if (typeof root !== 'string') {
    throw invalid(operation, 'bindRoot', 'true only together with root', bindRoot);
  }
  if (client.socket !== undefined) {
    const takes = 'nothing with the criu of a service, which has its own mounts';
    throw invalid(operation, 'bindRoot', takes, bindRoot);
  }
  const needsEmpty = options.external?.some((each) => EMPTY.test(each));
  const { path, point, work, empty } = await makePoint(operation, options, needsEmpty);
  const enclosure = {
    cloneFlags: NEW_NAMESPACE.mnt,
    launcher: launcher(),
    // Slaves, so that external mounts of the tree go on receiving what is mounted on the host.
    steps: ['slave', 'rbind', root, point, ...(needsEmpty ? ['tmpfs', empty] : [])],
  };
  return {
    client: { ...client, enclosure },
    given: {
      ...{ ...given, root: point, bindRoot: false },
      ...(needsEmpty && {
        external: options.external?.map((each) => each.replace(EMPTY, `$1${empty}`)),
      }),
    },
    // CRIU mounts below its working directory, which must be in its own mounts: a descriptor is in ours.
    config: [`work-dir "${work}"`],
    async [Symbol.asyncDispose]() {
      // Not recursive: the files of the root are not ours to remove.
      for (const each of [point, empty]) await rmdir(each).catch(() => {});
      await unlink(work).catch(() => {});
      await rmdir(path).catch(() => {});
    },
  };
}

/** A directory to mount on, and a link to the working directory, whose name can be written to a configuration. */
async function makePoint(
  operation: string,
  { imagesDirectory, workDirectory = imagesDirectory }: GivenOptions,
  needsEmpty = false,
): Promise<Record<'path' | 'point' | 'work' | 'empty', string>> {
  try {
    const path = await mkdtemp(join(tmpdir(), 'node-criu-root-'));
    const [point, work, empty] = [join(path, 'root'), join(path, 'work'), join(path, 'empty')];
    for (const each of needsEmpty ? [point, empty] : [point]) await mkdir(each);
    const directory = directoryPath(workDirectory);
    // A directory that does not exist is refused with the option's name.
    await symlink(await realpath(directory).catch(() => resolve(directory)), work);
    return { path, point, work, empty };
  } catch (error) {
    throw asCriuError(operation, error);
  }
}
