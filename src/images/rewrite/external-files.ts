import { type OpenFile, rewriteFiles } from './rewrite-files.ts';

/** A position that CRIU does not seek to. */
const NO_POSITION = 0xffff_ffff_ffff_ffffn;

/**
 * Lets external files of new images be replaced by files of any type: CRIU would fail if there is a pipe or a
 * terminal in the place of the file, because it cannot seek to the position, and has another mode.
 * @throws CriuError ERR_CRIU_BAD_IMAGE, ERR_CRIU_SYSTEM
 */
export async function allowAnyFile(directory: string): Promise<void> {
  await rewriteFiles(directory, forgetType);
}

/** What {@link allowAnyFile} does with each file. */
export function forgetType({ reg }: OpenFile): void {
  if (reg?.ext) Object.assign(reg, { pos: NO_POSITION, mode: undefined, size: undefined });
}
