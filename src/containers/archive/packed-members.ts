import { lstat, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { asCriuError, CriuError } from '../../errors.ts';
import { INVENTORY } from '../../images/image-names.ts';
import { BadStream } from '../../stream/byte-input.ts';
import { DELETED_FILES, IMAGES, memberOf, ROOTFS_DIFF } from './archive-members.ts';
import { PLAIN } from './tar-entry.ts';
import { chunksOfFile, type NewTarEntry } from './tar-writer.ts';
import type { ArchiveOutput, NewCheckpointArchive } from './write-options.ts';

/** The members of an archive that is made of images and metadata. */
export async function* newMembers(
  operation: string,
  options: Omit<NewCheckpointArchive, keyof ArchiveOutput>,
): AsyncGenerator<NewTarEntry, void> {
  const { imagesDirectory, spec, config, deletedFiles = [], networkStatus } = options;
  yield json('config.dump', { ...sharedMemoryOf(spec), ...config });
  yield json('spec.dump', withManager(spec));
  yield json('network.status', networkStatus ?? null);
  yield { entry: { ...PLAIN, type: 'directory', path: `${IMAGES}/`, mode: 0o700 } };
  const names = (await readdir(imagesDirectory)).sort();
  if (!names.includes(INVENTORY)) throw noImages(operation, imagesDirectory);
  if (names.includes('parent')) {
    const message = `${operation}: the images in ${imagesDirectory} need those of a parent: merge them first (mergeImages)`;
    throw new CriuError('ERR_CRIU_BAD_IMAGE', message, { operation });
  }
  // Podman has the statistics and the log beside the images.
  const besides = new Map([
    ['stats-dump', 'stats-dump'],
    ['dump.log', 'dump.log'],
  ]);
  for (const name of names) {
    const path = join(imagesDirectory, name);
    if (!(await lstat(path)).isFile()) continue;
    yield await member(besides.get(name) ?? `${IMAGES}/${name}`, path);
  }
  if (options.rootfsDiff !== undefined) yield await member(ROOTFS_DIFF, options.rootfsDiff);
  if (deletedFiles.length > 0) yield json(DELETED_FILES, deletedFiles);
  if (options.devShm !== undefined) yield await member('devshm-checkpoint.tar', options.devShm);
  if (options.log !== undefined) yield await member('ctr.log', options.log);
}

/** The members of an archive that was unpacked. */
export async function* packedMembers(
  operation: string,
  directory: string,
): AsyncGenerator<NewTarEntry, void> {
  const names = await membersIn(directory);
  if (!names.includes(`${IMAGES}/${INVENTORY}`)) throw noImages(operation, join(directory, IMAGES));
  const made = new Set<string>();
  for (const name of names) {
    const above = name.includes('/') ? name.slice(0, name.indexOf('/') + 1) : undefined;
    if (above !== undefined && !made.has(above)) {
      made.add(above);
      yield { entry: { ...PLAIN, type: 'directory', path: above, mode: 0o700 } };
    }
    yield await member(name, join(directory, name));
  }
  if (!made.has('pre-checkpoint/')) return;
  const link = { type: 'symlink', path: `${IMAGES}/parent`, target: '../pre-checkpoint' } as const;
  yield { entry: { ...PLAIN, ...link, mode: 0o777 } };
}

async function member(name: string, path: string): Promise<NewTarEntry> {
  try {
    await using file = await open(path);
    const { size, mtimeMs } = await file.stat();
    const entry = { ...PLAIN, path: name, size, modifiedMs: Math.floor(mtimeMs / 1000) * 1000 };
    return { entry, content: chunksOfFile(path, size) };
  } catch (error) {
    throw asCriuError('writeCheckpointArchive', error);
  }
}

function json(name: string, value: unknown): NewTarEntry {
  const content = Buffer.from(JSON.stringify(value, null, 2));
  const modifiedMs = Math.floor(Date.now() / 1000) * 1000;
  return { entry: { ...PLAIN, path: name, size: content.length, modifiedMs }, content: [content] };
}

/** What podman calls the directory of the host that it mounts on /dev/shm: without it, it unmounts another one. */
function sharedMemoryOf(spec: Readonly<Record<string, unknown>>): object {
  const mounts = Array.isArray(spec.mounts) ? spec.mounts : [];
  const mount = mounts.find((one) => one?.destination === '/dev/shm' && one.type === 'bind');
  return mount === undefined ? {} : { ShmDir: mount.source, mounts: [mount.source] };
}

function withManager(spec: Readonly<Record<string, unknown>>): unknown {
  const annotations = { 'io.container.manager': 'libpod', ...(spec.annotations ?? {}) };
  return { ...spec, annotations };
}

function noImages(operation: string, directory: string): CriuError {
  const message = `${operation}: ${directory} has no ${INVENTORY}`;
  return new CriuError('ERR_CRIU_BAD_IMAGE', message, { operation });
}

/** The known members that are files in a directory, by name. @throws BadStream if one is no regular file */
export async function membersIn(directory: string): Promise<string[]> {
  const names: string[] = [];
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const inner = entry.isDirectory()
      ? await readdir(join(directory, entry.name), { withFileTypes: true })
      : [];
    const inside = inner.map((one) => ({ name: `${entry.name}/${one.name}`, entry: one }));
    for (const found of [{ name: entry.name, entry }, ...inside]) {
      if (found.entry.isDirectory()) continue;
      const isMember = memberOf({ ...PLAIN, path: found.name }) !== undefined;
      if (!isMember || found.name === 'checkpoint/parent') continue;
      if (!found.entry.isFile()) throw new BadStream(`${found.name} is not a regular file`, 0);
      names.push(found.name);
    }
  }
  return names.sort();
}
