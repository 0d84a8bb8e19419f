import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { execa } from 'execa';
import { buildLibrary } from './built.ts';

export const root = resolve(import.meta.dirname, '../..');
/** The addons and programs that the package ships. */
export const prebuilt = ['x64', 'arm64'].flatMap((arch) =>
  ['glibc.node', 'musl.node', 'lazy-pages', 'launcher'].map((name) => `linux-${arch}-${name}`),
);

export interface Tarball {
  readonly path: string;
  /** In bytes. */
  readonly size: number;
  readonly files: readonly string[];
}

/** Packs this checkout with the addons that scripts/prebuild.sh built. */
export async function pack(directory: string): Promise<Tarball> {
  await buildLibrary();
  const built = await readdir(join(root, 'prebuilds')).catch((): string[] => []);
  const missing = prebuilt.filter((name) => !built.includes(name));
  if (missing.length) throw new Error(`no ${missing.join(', ')}; run: npm run build:prebuilds`);
  // Skips prepack, because everything is built.
  return await npmPack(root, directory, ['--ignore-scripts']);
}

/** Packs the package as a user would in a checkout. */
export async function npmPack(
  checkout: string,
  directory: string,
  more: readonly string[] = [],
): Promise<Tarball> {
  const args = ['pack', '--json', '--pack-destination', directory, ...more];
  const { stdout } = await execa('npm', ['--loglevel=error', ...args], { cwd: checkout });
  const packed = JSON.parse(stdout);
  const { filename, size, files } = Array.isArray(packed) ? packed[0] : packed['node-criu'];
  return {
    path: join(directory, filename),
    size,
    files: files.map(({ path }: { path: string }) => path).sort(),
  };
}
