import { mkdtemp, open, readdir, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { writeDirectory } from '../../images/rewrite/new-directory.ts';
import { native } from '../../native/index.ts';
import { replaceFile } from '../../process/replaced-file.ts';
import { BadStream } from '../../stream/byte-input.ts';
import { untilAborted } from '../archive/archive-failure.ts';
import { plainPath } from '../archive/archive-members.ts';
import { PLAIN } from '../archive/tar-entry.ts';
import { readTar, type TarLimits } from '../archive/tar-reader.ts';
import { chunksOfFile, type NewTarEntry, tarOf } from '../archive/tar-writer.ts';
import { LAYOUT, LayoutDirectory } from './layout-directory.ts';

const BLOB = /^blobs\/sha256\/[0-9a-f]{64}$/;

/** Makes a layout: a directory, or a tar archive of it if the path ends with `.tar`. */
export async function makeLayout<T>(
  operation: string,
  path: string,
  name: string | undefined,
  write: (layout: LayoutDirectory) => Promise<T>,
): Promise<T> {
  const writeInto = async (directory: string) => {
    const layout = new LayoutDirectory(directory, name);
    await layout.make();
    const result = await write(layout);
    await native().syncFiles(join(directory, 'blobs/sha256'));
    return result;
  };
  if (!path.endsWith('.tar')) {
    const where = { target: resolve(path), overwrite: false, sources: [] };
    return await writeDirectory(operation, where, writeInto);
  }
  return await inTemporary(dirname(resolve(path)), async (directory) => {
    const result = await writeInto(directory);
    await replaceFile(path, async (file) => {
      for await (const chunk of tarOf(filesOf(directory))) await file.writeFile(chunk);
      await file.sync();
    });
    return result;
  });
}

/**
 * Opens a layout, of which a tar archive is unpacked meanwhile.
 * @param beside a directory on the file system that a tar archive is unpacked into
 */
export async function withLayout<T>(
  operation: string,
  path: string,
  name: string | undefined,
  unpacking: {
    readonly beside: string;
    readonly limits: TarLimits;
    readonly signal?: AbortSignal | undefined;
  },
  read: (layout: LayoutDirectory) => Promise<T>,
): Promise<T> {
  if ((await stat(path)).isDirectory()) return await read(new LayoutDirectory(path, name));
  return await inTemporary(unpacking.beside, async (directory) => {
    const layout = new LayoutDirectory(directory, name);
    await layout.make();
    const chunks = untilAborted(operation, unpacking.signal, chunksOfFile(path));
    await unpackLayout(chunks, unpacking.limits, directory);
    return await read(layout);
  });
}

/** True for a directory that is a layout. */
export async function isLayout(directory: string): Promise<boolean> {
  return await stat(join(directory, LAYOUT)).then(
    (found) => found.isFile(),
    () => false,
  );
}

async function unpackLayout(
  chunks: AsyncIterable<Buffer>,
  limits: TarLimits,
  directory: string,
): Promise<void> {
  const found = new Set<string>();
  await readTar(chunks, limits, async (entry, content) => {
    const path = plainPath(entry.path);
    if (!BLOB.test(path) && path !== 'index.json') return;
    if (entry.type !== 'file' || found.has(path)) {
      throw new BadStream(`${path} is no file, or comes twice`, 0);
    }
    found.add(path);
    await using file = await open(join(directory, path), 'wx', 0o600);
    for await (const chunk of content) await file.writeFile(chunk);
  });
  if (!found.has('index.json')) throw new BadStream('it is no layout of an OCI image', 0);
}

async function* filesOf(directory: string): AsyncGenerator<NewTarEntry, void> {
  const blobs = await readdir(join(directory, 'blobs/sha256'));
  const paths = [LAYOUT, 'index.json', ...blobs.map((name) => `blobs/sha256/${name}`)];
  for (const path of paths) {
    const { size } = await stat(join(directory, path));
    const entry = { ...PLAIN, path, size, mode: 0o644 };
    yield { entry, content: chunksOfFile(join(directory, path), size) };
  }
}

/** Makes a directory for as long as it is used. */
export async function inTemporary<T>(
  parent: string,
  use: (directory: string) => Promise<T>,
): Promise<T> {
  const directory = await mkdtemp(join(parent, '.node-criu-image-'));
  try {
    return await use(directory);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
