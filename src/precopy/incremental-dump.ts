import { readdir, realpath, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { CriuError } from '../errors.ts';
import { isCheckpoint, isImageName } from '../images/image-names.ts';
import type { Client } from '../operations/client.ts';
import {
  type DumpOptions,
  type DumpResult,
  dump,
  type PreDumpOptions,
} from '../operations/dump.ts';
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
  const options: DumpOptions = withDefaults('dump', given, client.defaults);
  const { parentImage, trackMem = parentImage !== undefined } = options;
  // A criu service cannot inherit the connection that a dump without memory needs.
  if (trackMem !== true || client.socket !== undefined) {
    return await dump(client, 'dump', pid, given);
  }
  checkValue('dump', 'pid', positiveInteger, pid);
  using resolved = await resolveOptions(client, 'dump', given);
  const { cancellation, translation } = resolved;
  const endpoint = await locate('dump', client);
  if (await supportsMemTrack('dump', endpoint, cancellation)) {
    return await dump(client, 'dump', pid, given);
  }
  const untracked = withoutTracking(client);
  if (parentImage === undefined) {
    return await dump(untracked, 'dump', pid, { ...options, trackMem: false });
  }

  assertComparable('dump', options);
  await assertNoDirectories('dump', 'configFile', options.configFile);
  assertExists(client, 'dump', pid, `dump of process ${pid}`);
  const needs = { newest: translation.newest, memTrack: false, lazyPages: true };
  await requireSupport('dump', endpoint, { ...needs, since: FIRST_LAZY_DUMP }, cancellation);
  await requireLargePipes('dump');
  const round = await roundOn('dump', pid, options);
  cancellation.throwIfRequested();
  const comparing = comparingBy(untracked);
  try {
    return await comparing.dump(pid, round);
  } finally {
    await comparing.end();
  }
}

/**
 * Makes a pre-dump. On a kernel that does not track changed memory, the memory of the running processes is read, and
 * compared with the parent images if there are any.
 */
export async function incrementalPreDump(
  client: Client,
  pid: number,
  given: PreDumpOptions,
): Promise<DumpResult> {
  if (client.socket !== undefined) return await dump(client, 'preDump', pid, given);
  checkValue('preDump', 'pid', positiveInteger, pid);
  using resolved = await resolveOptions(client, 'preDump', given);
  const { cancellation } = resolved;
  const endpoint = await locate('preDump', client);
  if (await supportsMemTrack('preDump', endpoint, cancellation)) {
    return await dump(client, 'preDump', pid, given);
  }

  const options: DumpOptions = withDefaults('preDump', given, client.defaults);
  assertComparable('preDump', options);
  await assertNoDirectories('preDump', 'configFile', options.configFile);
  assertExists(client, 'preDump', pid, `preDump of process ${pid}`);
  const round = await roundOn('preDump', pid, options);
  cancellation.throwIfRequested();
  const comparing = comparingBy(withoutTracking(client));
  try {
    return await comparing.readRound(pid, round);
  } catch (error) {
    await removeImages(round.options.imagesDirectory);
    throw error;
  } finally {
    await comparing.end();
  }
}

/** The client without defaults for tracking: the dump that CRIU makes knows of no parent. */
function withoutTracking(client: Client): Client {
  const { trackMem: _, parentImage: __, ...defaults } = client.defaults;
  return { ...client, defaults };
}

function comparingBy(client: Client): Comparing {
  return new Comparing(client, undefined, {
    ...{ compareWith: 'hashes', rateLimit: undefined, lowPriority: false },
  });
}

/** A round on top of the parent images. @throws CriuError ERR_CRIU_INVALID_ARGUMENT, ERR_CRIU_BAD_IMAGE */
async function roundOn(operation: 'dump' | 'preDump', pid: number, options: DumpOptions) {
  const { imagesDirectory: given, parentImage } = options;
  const imagesDirectory = await emptyDirectory(operation, given as DirectoryLike);
  const round = { options: { ...options, imagesDirectory } };
  if (parentImage === undefined) return round;
  const parent = resolve(imagesDirectory, parentImage);
  await assertParentIntact(operation, parent, `process ${pid}`, true);
  return { ...round, parentPages: await findParentPages(operation, parent) };
}

/** @throws CriuError ERR_CRIU_INVALID_ARGUMENT for an option with which CRIU has to write the memory */
function assertComparable(operation: string, options: DumpOptions): void {
  const option = UNCOMPARABLE.find((name) => options[name]);
  if (option === undefined) return;
  const [refused, reading] =
    operation === 'dump'
      ? ['combined with parentImage', 'the memory is compared with the parent images']
      : ['used', 'this process reads the memory itself'];
  const message = `${operation}: ${option} cannot be ${refused}: this kernel does not track changed memory (it lacks CONFIG_MEM_SOFT_DIRTY), so ${reading}`;
  throw new CriuError('ERR_CRIU_INVALID_ARGUMENT', message, { operation, option });
}

/**
 * The absolute path of a directory that has no images, if it exists: those of other processes would be taken for
 * images of this dump.
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT
 */
async function emptyDirectory(operation: string, given: DirectoryLike): Promise<string> {
  const named = directoryPath(given);
  const path = await realpath(named).catch(() => resolve(named));
  const names = await readdir(path).catch((): string[] => []);
  if (!names.some(isImageName)) return path;
  const held = isCheckpoint(names) ? 'a checkpoint' : 'images';
  const what = operation === 'dump' ? 'dump' : 'pre-dump';
  const message = `${operation}: imagesDirectory ${path} already holds ${held}: a ${what} that compares memory needs a directory without images`;
  const facts = { operation, option: 'imagesDirectory' };
  throw new CriuError('ERR_CRIU_INVALID_ARGUMENT', message, facts);
}

/** Removes what a pre-dump that has failed has written into a directory without images. */
async function removeImages(directory: string): Promise<void> {
  const names = await readdir(directory).catch((): string[] => []);
  for (const name of names.filter(isImageName)) await rm(join(directory, name), { force: true });
}
