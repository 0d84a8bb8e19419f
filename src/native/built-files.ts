import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { CriuError } from '../errors.ts';
import { packageRoot } from '../package-root.ts';

/** What scripts/build-addon.mjs writes comes first; the package ships `prebuilds`. */
const DIRECTORIES = ['build', 'prebuilds'] as const;

/**
 * Finds the lazy-pages daemon of this package.
 * @throws CriuError ERR_CRIU_UNSUPPORTED_PLATFORM
 */
export function lazyPagesDaemon(): string {
  return findProgram('lazy-pages');
}

/**
 * Finds the program of this package that starts others in mounts of their own.
 * @throws CriuError ERR_CRIU_UNSUPPORTED_PLATFORM
 */
export function launcher(): string {
  return findProgram('launcher');
}

function findProgram(kind: string): string {
  const name = `linux-${process.arch}-${kind}`;
  const file = find(name);
  if (file === undefined) throw unsupported(`node-criu has no program ${name}`);
  return file;
}

/** The path of a file of this name; undefined if there is none. */
export function find(name: string): string | undefined {
  const paths = DIRECTORIES.map((directory) => new URL(`${directory}/${name}`, packageRoot));
  return paths.map((path) => fileURLToPath(path)).find((path) => existsSync(path));
}

/** The error for a system that the package has no files for. */
export function unsupported(reason: string, details = {}): CriuError {
  const isLinux = process.platform === 'linux';
  const remedy = isLinux ? '; to build one with a C compiler, run: npx node-criu build-addon' : '';
  return new CriuError('ERR_CRIU_UNSUPPORTED_PLATFORM', `${reason}${remedy}`, details);
}
