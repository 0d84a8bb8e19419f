import { readdir, realpath } from 'node:fs/promises';
import { resolve } from 'node:path';
import { CriuError } from '../errors.ts';
import { isImageName } from '../images/image-names.ts';
import type { Client } from '../operations/client.ts';
import { type DumpOptions, type DumpResult, dump } from '../operations/dump.ts';
import { assertExists } from '../operations/existing-process.ts';
import { requireSupport, supportsMemTrack } from '../operations/probe.ts';
import { resolveOptions } from '../operations/resolve.ts';
import { checkValue } from '../options/check.ts';
import { assertNoDirectories } from '../options/config-file.ts';
import { directoryPath, pid as positiveInteger } from '../options/kinds.ts';
import { withDefaults } from '../options/translate.ts';
import type { DirectoryLike } from '../options/types.ts';
import { FIRST_LAZY_DUMP } from '../postcopy/lazy-dump.ts';
import { requireLargePipes } from '../preflight/pipes.ts';
import { locate } from '../worker/endpoint.ts';
import { Comparing } from './compare/comparing.ts';
import { findParentPages } from './compare/parent-pages.ts';
import { assertParentIntact } from './round-checks.ts';

const OPERATION = 'dump';
/** Options with which CRIU itself has to write the memory. */
const UNCOMPARABLE = ['lazyPages', 'pageServer', 'stream', 'compress', 'autoDedup'] as const;

/**
 * Makes a dump. With `parentImage`, on a kernel that does not track changed memory, the memory of the frozen
 * processes is compared with the parent images.
 */
export async function incrementalDump(
  client: Client,
  pid: number,
  given: DumpOptions,
): Promise<DumpResult> {
  const options: DumpOptions = withDefaults(OPERATION, given, client.defaults);
  const { parentImage, trackMem = parentImage !== undefined } = options;
  // A criu service cannot inherit the connection that a dump without memory needs.
  if (trackMem !== true || client.socket !== undefined) {
    return await dump(client, OPERATION, pid, given);
  }
  checkValue(OPERATION, 'pid', positiveInteger, pid);
  using resolved = await resolveOptions(client, OPERATION, given);
  const { cancellation, translation } = resolved;
  const endpoint = await locate(OPERATION, client);
  if (await supportsMemTrack(OPERATION, endpoint, cancellation)) {
    return await dump(client, OPERATION, pid, given);
  }
  const { trackMem: _, parentImage: __, ...defaults } = client.defaults;
  const untracked = { ...client, defaults };
  if (parentImage === undefined) {
    return await dump(untracked, OPERATION, pid, { ...options, trackMem: false });
  }

  assertComparable(options);
  await assertNoDirectories(OPERATION, 'configFile', options.configFile);
  assertExists(client, OPERATION, pid, `${OPERATION} of process ${pid}`);
  const needs = { newest: translation.newest, memTrack: false, lazyPages: true };
  await requireSupport(OPERATION, endpoint, { ...needs, since: FIRST_LAZY_DUMP }, cancellation);
  await requireLargePipes(OPERATION);
  const imagesDirectory = await emptyDirectory(options.imagesDirectory as DirectoryLike);
  const parent = resolve(imagesDirectory, parentImage);
  await assertParentIntact(OPERATION, parent, `process ${pid}`, true);
  const parentPages = await findParentPages(OPERATION, parent);
  cancellation.throwIfRequested();

  const reading = { compareWith: 'hashes', rateLimit: undefined, lowPriority: false } as const;
  const comparing = new Comparing(untracked, undefined, reading);
  try {
    const round = { options: { ...options, imagesDirectory }, parentPages };
    return await comparing.dump(pid, round);
  } finally {
    await comparing.end();
  }
}

/** @throws CriuError ERR_CRIU_INVALID_ARGUMENT for an option with which CRIU has to write the memory */
function assertComparable(options: DumpOptions): void {
  const option = UNCOMPARABLE.find((name) => options[name]);
  if (option === undefined) return;
  const message = `${OPERATION}: ${option} cannot be combined with parentImage: this kernel does not track changed memory (it lacks CONFIG_MEM_SOFT_DIRTY), so the memory is compared with the parent images`;
  throw new CriuError('ERR_CRIU_INVALID_ARGUMENT', message, { operation: OPERATION, option });
}

/**
 * The absolute path of a directory that has no images, if it exists: those of other processes would be taken for
 * images of this dump.
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT
 */
async function emptyDirectory(given: DirectoryLike): Promise<string> {
  const named = directoryPath(given);
  const path = await realpath(named).catch(() => resolve(named));
  const names = await readdir(path).catch((): string[] => []);
  if (!names.some(isImageName)) return path;
  const message = `${OPERATION}: imagesDirectory ${path} already has images: a dump that compares memory with parentImage needs a directory without any`;
  const facts = { operation: OPERATION, option: 'imagesDirectory' };
  throw new CriuError('ERR_CRIU_INVALID_ARGUMENT', message, facts);
}
