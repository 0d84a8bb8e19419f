import { join } from 'node:path';
import { CriuError } from '../../errors.ts';
import { check, checkOptions, checkValue, record, type Shape } from '../../options/check.ts';
import { flag, isText, text } from '../../options/kinds.ts';
import { abortSignal } from '../../options/operation-options.ts';
import { decodeImage, type ImageEntry } from '../decode-image.ts';
import { encodeImage } from '../encode-image.ts';
import { chainOf } from '../image-chain.ts';
import { applyPatches, type EditedVariable, environmentPatches } from './edit-environment.ts';
import { type EditedListener, type ListenEdit, ListenerEdits } from './edit-listeners.ts';
import { type EditedPath, PathEdits } from './edit-paths.ts';
import { type MergedImages, writeMergedImages } from './merged-images.ts';
import { writeDirectory } from './new-directory.ts';

const operation = 'editCheckpoint';
const FILES = 'files.img';

/** Options of {@link editCheckpoint}: at least one change. */
export interface EditCheckpointOptions {
  /** Where sockets listen instead: TCP sockets, and UDP sockets without a peer. */
  readonly listen?: readonly ListenEdit[] | undefined;
  /**
   * Absolute paths of files and directories, and what takes their place, also in the paths below them: of open and
   * mapped files, programs, working and root directories, deleted files, UNIX sockets, and what is watched.
   */
  readonly paths?: Readonly<Record<string, string>> | undefined;
  /** Variables of the environment, in all processes that have them. A value must fit into the space of the old one. */
  readonly environment?: Readonly<Record<string, string>> | undefined;
  /** Replace a checkpoint that the target holds; default false. */
  readonly overwrite?: boolean | undefined;
  /** Ends it with the reason of the signal; nothing is left behind. */
  readonly signal?: AbortSignal | undefined;
}

/** What has changed in the new images. */
export interface EditedCheckpoint extends MergedImages {
  /** The sockets that listen elsewhere. */
  readonly listen: readonly EditedListener[];
  /** The paths that are others, each once. */
  readonly paths: readonly EditedPath[];
  /** The variables that have another value. */
  readonly environment: readonly EditedVariable[];
}

const isPath = (value: unknown): value is string => isText(value) && value.startsWith('/');
const isPlace = (value: unknown) => typeof value === 'string' || typeof value === 'number';

const shape: Shape<EditCheckpointOptions> = {
  listen: check('an array of { from, to }', (value) => {
    return Array.isArray(value) && value.every(({ from, to }) => isPlace(from) && isPlace(to));
  }),
  paths: record('absolute paths', isPath, check('an absolute path', isPath)),
  environment: record(
    'names of variables',
    (name) => isText(name) && !name.includes('='),
    check('a string without NUL', (value) => value === '' || isText(value)),
  ),
  overwrite: flag,
  signal: abortSignal,
};

/**
 * Writes the images of a dump with changes into a new directory: other addresses and ports to listen on, other paths of
 * files, other values of variables of the environment. The directory is that of a full set of images, as
 * {@link mergeImages} makes it, also if there were rounds before the dump.
 *
 * What the program has in its own memory stays as it is, such as a port or a path that it remembers. A variable is
 * changed where the program found it at its start, which is where getenv(3) and `process.env` look unless the program
 * has set it anew.
 * @param directory the images directory of the dump
 * @param target the directory to make, which may exist if it is empty
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT for a change that nothing matches or that is not possible, and for
 * `target` if it holds a checkpoint or other files; ERR_CRIU_BAD_IMAGE; ERR_CRIU_SYSTEM; the reason of the signal
 */
export async function editCheckpoint(
  directory: string,
  target: string,
  options: EditCheckpointOptions,
): Promise<EditedCheckpoint> {
  checkValue(operation, 'directory', text, directory);
  checkValue(operation, 'target', text, target);
  const given = checkOptions(operation, options, shape);
  const { listen = [], paths = {}, environment = {}, overwrite = false, signal } = given;
  if (listen.length + Object.keys(paths).length + Object.keys(environment).length === 0) {
    const message = `${operation}: nothing is to be changed: give listen, paths or environment`;
    throw new CriuError('ERR_CRIU_INVALID_ARGUMENT', message, { operation, option: 'listen' });
  }
  const listeners = new ListenerEdits(operation, listen);
  const names = new PathEdits(operation, paths);
  const patches = await environmentPatches(operation, directory, environment);
  const place = { target, overwrite, sources: await chainOf(directory) };
  return await writeDirectory(operation, place, async (staging) => {
    const files = editedFiles(join(directory, FILES), listeners, names);
    await encodeImage(join(staging, FILES), 'FILES', files);
    listeners.assertUsed();
    names.assertUsed();
    const isFiles = (name: string) => name === FILES;
    const merged = await writeMergedImages(operation, directory, staging, signal, isFiles);
    await applyPatches(operation, staging, patches);
    return {
      ...merged,
      ...{ listen: listeners.edited, paths: names.edited },
      environment: patches.map(({ pid, name }) => ({ pid, name })),
    };
  });
}

async function* editedFiles(
  path: string,
  listeners: ListenerEdits,
  names: PathEdits,
): AsyncGenerator<ImageEntry<'FILES'>> {
  for await (const entry of decodeImage(path, { kind: 'FILES' })) {
    if (entry.message.isk) listeners.apply(entry.message.isk);
    names.apply(entry.message);
    yield entry;
  }
}
