import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { execa } from 'execa';

const root = path.resolve(import.meta.dirname, '../..');

/** Builds dist/ if the sources are newer, for fixtures that run in plain Node; not if the tests use dist/ as it is. */
export async function buildLibrary(): Promise<void> {
  if (process.env.TEST_BUILT === '1') return;
  const built = await modified(path.join(root, 'dist/index.js')).catch(() => 0);
  const entries = await readdir(path.join(root, 'src'), { recursive: true });
  const sources = entries.map((entry) => modified(path.join(root, 'src', entry)));
  if (Math.max(...(await Promise.all(sources))) < built) return;

  // Test files run in parallel; the script serializes its builds.
  await execa('npm', ['run', '--silent', 'build:ts'], { cwd: root });
}

async function modified(file: string): Promise<number> {
  return (await stat(file)).mtimeMs;
}
