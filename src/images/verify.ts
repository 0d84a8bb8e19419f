import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { CriuError, invalid } from '../errors.ts';
import { native } from '../native/index.ts';
import { BadImage, entriesOf } from './image-file.ts';
import { firstMissing, type Pagemap, readPagemap } from './pagemap.ts';
import { treePids } from './pstree.ts';

/** Something that is wrong with images: see {@link verifyImages}. */
export interface ImageFinding {
  /**
   * - `MISSING`: a file is not there.
   * - `BAD_FILE`: it is not what its name says, or its end is missing.
   * - `PAGES_TRUNCATED`: a file of pages is shorter than its pagemap says; a restore would not end.
   * - `PAGES_MISSING`: pages that should be in a parent image are not.
   * - `PARENT_MISSING`: the link to the parent images leads nowhere, or in a circle.
   */
  readonly code: 'MISSING' | 'BAD_FILE' | 'PAGES_TRUNCATED' | 'PAGES_MISSING' | 'PARENT_MISSING';
  /** Path of the file or link. */
  readonly path: string;
  /** One sentence that names it. */
  readonly message: string;
}

/**
 * Looks whether the images of a dump and of all its parents are there and fit together; reports
 * nothing if so. It reads what tells of memory, not the memory itself, and of other files only
 * whether they are whole: processes, their cores and their memory maps.
 * @param directory what a restore takes; each parent is found by the link `parent` in the one after
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT, ERR_CRIU_BAD_IMAGE if the directory cannot be read
 */
export async function verifyImages(directory: string): Promise<ImageFinding[]> {
  if (typeof directory !== 'string') {
    throw invalid('verifyImages', 'directory', 'a path', directory);
  }
  await readdir(directory).catch((cause: Error) => {
    const message = `verifyImages: ${directory} cannot be read: ${cause.message}`;
    throw new CriuError('ERR_CRIU_BAD_IMAGE', message, { operation: 'verifyImages', cause });
  });
  return [...(await tree(directory)), ...(await verifyMemory(directory))];
}

/**
 * The same for one who has verified the parent of these images before its child was made: what they
 * are to their parent, and of all others whether they are still there.
 */
export async function verifyNewest(directory: string): Promise<ImageFinding[]> {
  return await verifyMemory(directory, 2);
}

/**
 * The same of pre-dumps, which have memory alone: what parents are to their children.
 * @param most how many of them are looked at, the newest first, and not only looked for
 */
async function verifyMemory(
  directory: string,
  most = Number.POSITIVE_INFINITY,
): Promise<ImageFinding[]> {
  const findings: ImageFinding[] = [];
  const seen = new Set<string>();
  let wanted: Pagemaps = new Map();
  let at: string | undefined = directory;
  while (at !== undefined) {
    const place: string | undefined = await realpath(at).catch(() => undefined);
    if (place === undefined || seen.has(place)) {
      findings.push(found('PARENT_MISSING', at, seen.size > 0 ? 'leads nowhere' : 'is missing'));
      return findings;
    }
    // A path through one link after the other would say little.
    const here = seen.size === 0 ? directory : place;
    seen.add(place);
    findings.push(...(await verifyInventory(here)));
    at = await parentOf(here);
    if (seen.size > most) {
      wanted = new Map();
      continue;
    }
    const { pagemaps, findings: own } = await memory(here);
    findings.push(...own, ...lacking(here, wanted, pagemaps));
    wanted = new Map(
      [...pagemaps].map(([name, map]) => [
        name,
        { ...map, ranges: map.ranges.filter(({ inParent }) => inParent) },
      ]),
    );
  }
  const orphans = [...wanted].filter(([, { ranges }]) => ranges.length > 0);
  const last = [...seen].at(-1) as string;
  return orphans.length === 0
    ? findings
    : [...findings, found('PARENT_MISSING', join(last, 'parent'), 'is missing')];
}

type Pagemaps = ReadonlyMap<string, Pagemap>;

/** The link to the parent images, if there is one. */
async function parentOf(directory: string): Promise<string | undefined> {
  return (await readdir(directory)).includes('parent') ? join(directory, 'parent') : undefined;
}

/** Whether there are images at all. */
export async function verifyInventory(directory: string): Promise<ImageFinding[]> {
  return await whole(join(directory, 'inventory.img'));
}

/** The processes of a dump: a pre-dump has none, and cannot be restored. */
async function tree(directory: string): Promise<ImageFinding[]> {
  const names = new Set(await readdir(directory));
  const findings = await whole(join(directory, 'pstree.img'));
  for (const pid of treePids(directory)) {
    // What has ended and was not waited for has a core and nothing else.
    const alive = ['ids', 'fs', 'mm', 'pagemap'].some((kind) => names.has(`${kind}-${pid}.img`));
    const needed = alive ? ['core', 'mm', 'pagemap'] : ['core'];
    for (const kind of needed) {
      const path = join(directory, `${kind}-${pid}.img`);
      if (kind !== 'pagemap') findings.push(...(await whole(path)));
      else if (!names.has(`pagemap-${pid}.img`))
        findings.push(found('MISSING', path, 'is missing'));
    }
  }
  return findings;
}

/** The pagemaps of a directory, and what is wrong with them or with their pages. */
async function memory(
  directory: string,
): Promise<{ pagemaps: Pagemaps; findings: ImageFinding[] }> {
  const pagemaps = new Map<string, Pagemap>();
  const findings: ImageFinding[] = [];
  for (const name of await readdir(directory)) {
    if (!/^pagemap-.*\.img$/.test(name)) continue;
    try {
      const pagemap = await readPagemap(join(directory, name));
      pagemaps.set(name, pagemap);
      findings.push(...(await pages(directory, pagemap)));
    } catch (error) {
      findings.push(bad(join(directory, name), error));
    }
  }
  return { pagemaps, findings };
}

/** The file of pages has to be as long as the pagemap says. */
async function pages(directory: string, { pagesFile, ranges }: Pagemap): Promise<ImageFinding[]> {
  const count = ranges.reduce((sum, range) => sum + (range.present ? range.count : 0), 0);
  if (count === 0) return [];
  const path = join(directory, pagesFile);
  const size = await stat(path).then(
    (file) => file.size,
    () => undefined,
  );
  if (size === undefined) return [found('MISSING', path, 'is missing')];
  const needed = count * native().pageSize;
  if (size >= needed) return [];
  return [found('PAGES_TRUNCATED', path, `has ${size} bytes of ${needed}`)];
}

/** What the pagemaps of a child want of these, and do not get. */
function lacking(directory: string, wanted: Pagemaps, pagemaps: Pagemaps): ImageFinding[] {
  return [...wanted].flatMap(([name, { ranges }]) => {
    const own = pagemaps.get(name)?.ranges ?? [];
    const address = firstMissing(ranges, own, native().pageSize);
    if (address === undefined) return [];
    const what = `lacks the page at 0x${address.toString(16)} that its child wants`;
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
  const missing = error.message === 'is missing';
  return found(missing ? 'MISSING' : 'BAD_FILE', path, error.message);
}

function found(code: ImageFinding['code'], path: string, what: string): ImageFinding {
  return { code, path, message: `${path} ${what}.` };
}
