import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { execa } from 'execa';

/** Converts all images of a directory as Debian's crit does: see test/fixtures/crit-convert.py. Returns its failures. */
export async function critConvert(directory: string): Promise<Record<string, string>> {
  const python = resolve('.cache/crit/python'); // scripts/crit.sh installs it
  await execa(python, [resolve('test/fixtures/crit-convert.py'), directory]);
  return JSON.parse(await readFile(join(directory, 'failures.json'), 'utf8'));
}
