import { readFile, writeFile } from 'node:fs/promises';

const FILE = '/proc/sys/fs/pipe-max-size';
const NEEDED = 4 << 20;

/**
 * Lets CRIU have the pipes from which it serves lazy pages, if this machine's root lacks
 * CAP_SYS_RESOURCE: a limit of the whole machine, which is left raised.
 */
export async function allowLargePipes(): Promise<void> {
  if (Number(await readFile(FILE, 'latin1')) < NEEDED) await writeFile(FILE, String(NEEDED));
}
