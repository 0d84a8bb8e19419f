import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';

const root = join(import.meta.dirname, '../..');

/** Compiles `test/fixtures/<name>.c` if that is newer than its binary, whose path is returned. */
export async function compileFixture(name: string): Promise<string> {
  const binary = join(root, '.cache/fixtures', name);
  // As scripts/fixture.sh asks, but without the start of a shell for each program of a test.
  if (await isNewer(binary, join(root, 'test/fixtures', `${name}.c`))) return binary;
  const { stdout } = await execa('bash', [join(root, 'scripts/fixture.sh'), name]);
  return stdout;
}

async function isNewer(binary: string, source: string): Promise<boolean> {
  const built = await stat(binary).catch(() => undefined);
  return built !== undefined && built.mtimeMs > (await stat(source)).mtimeMs;
}
