import { readFile, writeFile } from 'node:fs/promises';

const FILE = '/proc/sys/fs/pipe-max-size';
const NEEDED = 4 << 20;

/**
 * Lets CRIU create the large pipes from which it serves lazy pages, also if root lacks
 * CAP_SYS_RESOURCE here. This raises a limit of the whole machine for good.
 */
export async function allowLargePipes(): Promise<void> {
  if (Number(await readFile(FILE, 'latin1')) < NEEDED) await writeFile(FILE, String(NEEDED));
}
