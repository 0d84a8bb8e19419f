import { constants } from 'node:fs';
import { chmod, copyFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { MANIFEST } from '../image-names.ts';

/** Logs are not copied, nor the manifest: see {@link writeNewManifest}. */
const isLeftOut = (name: string) => name.endsWith('.log') || name === MANIFEST;

/**
 * Copies the files of an images directory, as clones where the file system has them. Directories and links are left
 * out, such as the one to the parent images.
 * @param except names of files that are written in another way
 */
export async function copyFiles(
  directory: string,
  target: string,
  except: (name: string) => boolean,
): Promise<void> {
  const entries = await readdir(directory, { withFileTypes: true });
  for (const entry of entries) {
    if (!entry.isFile() || isLeftOut(entry.name) || except(entry.name)) continue;
    await cloneFile(join(directory, entry.name), join(target, entry.name));
  }
}

/** Copies a file, as a clone where the file system has them, with access for its owner only. */
export async function cloneFile(from: string, to: string): Promise<void> {
  await copyFile(from, to, constants.COPYFILE_FICLONE | constants.COPYFILE_EXCL);
  await chmod(to, 0o600);
}
