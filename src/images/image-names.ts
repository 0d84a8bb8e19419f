import { type Files, remoteFiles } from '../process/files.ts';

/** The image without which the others are no checkpoint. */
export const INVENTORY = 'inventory.img';

/** What a dump says of itself, beside the images. */
export const MANIFEST = 'node-criu.json';

/** The only file with the memory of an encrypted template. */
export const ENCRYPTED_TEMPLATE = 'template.enc';

/** Beginning of the name of a directory in which a dump puts its images until they are complete. */
export const STAGING = '.dump-';

/** True if a directory holds the images of processes, complete or not. */
export async function holdsCheckpoint(
  directory: string,
  files: Files = remoteFiles,
): Promise<boolean> {
  const names = await files.readdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return isCheckpoint(names);
}

/** True if these names of files in a directory are those of images of processes, complete or not. */
export function isCheckpoint(names: readonly string[]): boolean {
  return names.some(
    (name) => name === INVENTORY || name === 'pstree.img' || /^core-\d+\.img$/.test(name),
  );
}

/** True for what belongs to a checkpoint, or was to become one; logs and statistics do not. */
export function isImageName(name: string): boolean {
  return (
    isCheckpointFile(name) || name === MANIFEST || name === 'parent' || name.startsWith(STAGING)
  );
}

/** True for the files of a checkpoint whose content a restore needs. */
export function isCheckpointFile(name: string): boolean {
  return /\.img$|^irmap-cache$/.test(name);
}
