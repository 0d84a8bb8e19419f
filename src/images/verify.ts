import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CriuError, invalid } from '../errors.ts';
import { native } from '../native/index.ts';
import { checkOptions } from '../options/check.ts';
import { flag } from '../options/kinds.ts';
import { filesIn } from '../process/files.ts';
import { eachOf } from '../procfs/read.ts';
import { FileChecksums } from './file-checksums.ts';
import { BadImage, entriesOf } from './image-file.ts';
import { MANIFEST } from './image-names.ts';
import { manifestIn } from './manifest.ts';
import { firstMissing, type Pagemap, pagesFileSize, readPagemap } from './pagemap.ts';
import { treePids } from './pstree.ts';

/** A defect of images: see `verifyImages`. */
export interface ImageFinding {
  /**
   * - `MISSING`: a file does not exist.
   * - `BAD_FILE`: a file is truncated, or is not what its name says.
   * - `PAGES_TRUNCATED`: a pages file is shorter than its pagemap says; a restore would hang.
   * - `PAGES_MISSING`: a parent image lacks pages that its child needs.
   * - `PARENT_MISSING`: the link to the parent images leads nowhere, or in a circle.
   * - `CHANGED`: the content of a file is not what the dump wrote (with `deep`).
   * - `NO_CHECKSUMS`: there is no `node-criu.json` with which contents could be compared (with `deep`).
   */
  readonly code:
    | 'MISSING'
    | 'BAD_FILE'
    | 'PAGES_TRUNCATED'
    | 'PAGES_MISSING'
    | 'PARENT_MISSING'
    | 'CHANGED'
    | 'NO_CHECKSUMS';
  /** Path of the file or link. */
  readonly path: string;
  /** One sentence that names the file and the defect. */
  readonly message: string;
}

/** Options of {@link verifyImages}. */
export interface VerifyImagesOptions {
  /**
   * Read all files, the memory too, and compare them with the checksums in `node-criu.json`, which finds a
   * single changed byte. Default false.
   */
  readonly deep?: boolean | undefined;
}

/**
 * Verifies that the images of a dump and of all its parents exist and fit together. Unless `deep` is true, it
 * reads the pagemaps, not the memory itself; of the processes, their cores and their memory maps it checks only
 * that the files are whole.
 * @param directory the images directory of a restore; the link `parent` leads from each directory to
 * its parent
 * @returns the defects; empty if there are none
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT; ERR_CRIU_BAD_IMAGE if the directory cannot be read
 */
export async function verifyImages(
  directory: string,
  options: VerifyImagesOptions = {},
): Promise<ImageFinding[]> {
  if (typeof directory !== 'string') {
    throw invalid('verifyImages', 'directory', 'a path', directory);
  }
  const { deep = false } = checkOptions('verifyImages', options, { deep: flag });
  await readdir(directory).catch((cause: Error) => {
    const message = `verifyImages: ${directory} cannot be read: ${cause.message}`;
    throw new CriuError('ERR_CRIU_BAD_IMAGE', message, { operation: 'verifyImages', cause });
  });
  const findings = [...(await tree(directory)), ...(await verifyMemory(directory, { deep }))];
  // A missing image is also a file without its content.
  const byMessage = new Map(findings.map((finding) => [finding.message, finding]));
  return [...byMessage.values()];
}

/**
 * Verifies the newest images of a chain whose parents were verified before: the newest images against
 * their parent, and that all others still exist.
 */
export async function verifyNewest(directory: string): Promise<ImageFinding[]> {
  return await verifyMemory(directory, { most: 2 });
}

/**
 * Verifies the memory of a chain of images, in which pre-dumps have nothing else.
 * @param most how many directories are verified, the newest first; the others need only exist
 * @param deep also compares all files with their checksums
 */
async function verifyMemory(
  directory: string,
  { most = Number.POSITIVE_INFINITY, deep = false },
): Promise<ImageFinding[]> {
  const findings: ImageFinding[] = [];
  const seen = new Set<string>();
  let needed: Pagemaps = new Map();
  let at: string | undefined = directory;
  while (at !== undefined) {
    const realPath: string | undefined = await realpath(at).catch(() => undefined);
    if (realPath === undefined || seen.has(realPath)) {
      findings.push(found('PARENT_MISSING', at, seen.size > 0 ? 'leads nowhere' : 'is missing'));
      return findings;
    }
    // Name a parent by its real path, not by a chain of links.
    const here = seen.size === 0 ? directory : realPath;
    seen.add(realPath);
    findings.push(...(await verifyInventory(here)));
    if (deep) findings.push(...(await verifyChecksums(here)));
    at = await parentOf(here);
    if (seen.size > most) {
      needed = new Map();
      continue;
    }
    const { pagemaps, findings: own } = await memory(here);
    findings.push(...own, ...missingPages(here, needed, pagemaps));
    needed = new Map(
      [...pagemaps].map(([name, map]) => [
        name,
        { ...map, ranges: map.ranges.filter(({ inParent }) => inParent) },
      ]),
    );
  }
  const orphans = [...needed].filter(([, { ranges }]) => ranges.length > 0);
  const last = [...seen].at(-1) as string;
  return orphans.length === 0
    ? findings
    : [...findings, found('PARENT_MISSING', join(last, 'parent'), 'is missing')];
}

type Pagemaps = ReadonlyMap<string, Pagemap>;

/** The path of the link to the parent images; undefined without parent images. */
async function parentOf(directory: string): Promise<string | undefined> {
  return (await readdir(directory)).includes('parent') ? join(directory, 'parent') : undefined;
}

/** Verifies the inventory, which every images directory has. */
export async function verifyInventory(directory: string): Promise<ImageFinding[]> {
  return await whole(join(directory, 'inventory.img'));
}

/** Compares the files of a directory with their checksums. */
async function verifyChecksums(directory: string): Promise<ImageFinding[]> {
  const path = join(directory, MANIFEST);
  const files = await filesIn(directory);
  const manifest = await manifestIn('verifyImages', directory, files).catch((error: CriuError) =>
    found('BAD_FILE', path, error.message.slice(error.message.indexOf(path) + path.length + 1)),
  );
  if (manifest === undefined) {
    return [found('NO_CHECKSUMS', path, 'is missing, so that the contents cannot be compared')];
  }
  if ('code' in manifest) return [manifest];
  const checksums = new FileChecksums(manifest.checksum, files);
  const findings: ImageFinding[] = [];
  for (const [name, { bytes, checksum }] of Object.entries(manifest.files)) {
    const file = join(directory, name);
    const now = await checksums.of(file).catch((error: NodeJS.ErrnoException) => error);
    if (now instanceof Error) {
      const isMissing = now.code === 'ENOENT';
      const what = isMissing ? 'is missing' : `cannot be read: ${now.message}`;
      findings.push(found(isMissing ? 'MISSING' : 'BAD_FILE', file, what));
    } else if (now.bytes !== bytes) {
      findings.push(found('CHANGED', file, `has ${now.bytes} bytes, and had ${bytes}`));
    } else if (now.checksum !== checksum) {
      findings.push(found('CHANGED', file, 'has another content than the dump wrote'));
    }
  }
  return findings;
}

/** Verifies the processes of a dump. A pre-dump has none, and cannot be restored. */
async function tree(directory: string): Promise<ImageFinding[]> {
  const names = new Set(await readdir(directory));
  const findings = await whole(join(directory, 'pstree.img'));
  const needed = treePids(directory).flatMap((pid) => {
    // A zombie has a core and nothing else.
    const alive = ['ids', 'fs', 'mm', 'pagemap'].some((kind) => names.has(`${kind}-${pid}.img`));
    return (alive ? ['core', 'mm', 'pagemap'] : ['core']).map((kind) => `${kind}-${pid}.img`);
  });
  const own = await eachOf(needed, async (name) => {
    const path = join(directory, name);
    // Its content is verified with the memory.
    if (!name.startsWith('pagemap-')) return await whole(path);
    return names.has(name) ? [] : [found('MISSING', path, 'is missing')];
  });
  return [...findings, ...own.flat()];
}

/** Reads the pagemaps of a directory, and verifies them and their pages files. */
async function memory(
  directory: string,
): Promise<{ pagemaps: Pagemaps; findings: ImageFinding[] }> {
  const names = (await readdir(directory)).filter((name) => /^pagemap-.*\.img$/.test(name));
  const all = await eachOf(names, async (name) => {
    try {
      const pagemap = await readPagemap(join(directory, name));
      return { name, pagemap, findings: await pages(directory, pagemap) };
    } catch (error) {
      return { findings: [bad(join(directory, name), error)] };
    }
  });
  return {
    pagemaps: new Map(all.flatMap(({ name, pagemap }) => (pagemap ? [[name, pagemap]] : []))),
    findings: all.flatMap(({ findings }) => findings),
  };
}

/** Verifies that the pages file is as long as the pagemap says. */
async function pages(directory: string, { pagesFile, ranges }: Pagemap): Promise<ImageFinding[]> {
  const needed = pagesFileSize(ranges, native().pageSize);
  if (needed === 0) return [];
  const path = join(directory, pagesFile);
  const size = await stat(path).then(
    (file) => file.size,
    () => undefined,
  );
  if (size === undefined) return [found('MISSING', path, 'is missing')];
  if (size >= needed) return [];
  return [found('PAGES_TRUNCATED', path, `has only ${size} of ${needed} bytes`)];
}

/** Finds the pages that a child needs from these pagemaps, and that they lack. */
function missingPages(directory: string, needed: Pagemaps, pagemaps: Pagemaps): ImageFinding[] {
  return [...needed].flatMap(([name, { ranges }]) => {
    const own = pagemaps.get(name)?.ranges ?? [];
    const address = firstMissing(ranges, own, native().pageSize);
    if (address === undefined) return [];
    const what = `lacks the page at 0x${address.toString(16)} that its child needs`;
    return [found('PAGES_MISSING', join(directory, name), what)];
  });
}

async function whole(path: string): Promise<ImageFinding[]> {
  try {
    await entriesOf(path);
    return [];
  } catch (error) {
    return [bad(path, error)];
  }
}

function bad(path: string, error: unknown): ImageFinding {
  if (!(error instanceof BadImage)) throw error;
  return found(error.isMissing ? 'MISSING' : 'BAD_FILE', path, error.message);
}

function found(code: ImageFinding['code'], path: string, what: string): ImageFinding {
  return { code, path, message: `${path} ${what}.` };
}
