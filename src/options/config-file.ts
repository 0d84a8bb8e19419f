import { readFile } from 'node:fs/promises';
import { invalid, systemFailure } from '../errors.ts';

/** What a configuration file says of the files of an operation, which have to be found again. */
export interface Elsewhere {
  readonly 'images-dir'?: string;
  readonly 'work-dir'?: string;
  readonly 'log-file'?: string;
}

/** One such option, its value in quotes or not. */
const line = /^[^\S\n]*(images-dir|work-dir|log-file)[^\S\n]+(?:"((?:\\"|[^"\n])+)"|([^"\s#]+))/gm;

/**
 * Reads the part of a configuration file that matters here; the rest is CRIU's, which would take a
 * missing file for an empty one.
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT if it cannot be read
 */
export async function readConfigFile(
  operation: string,
  path: string | undefined,
): Promise<Elsewhere> {
  if (path === undefined) return {};
  const text = await readFile(path, 'utf8').catch((error: Error) => {
    const usable = `a file that can be read (${error.message})`;
    throw systemFailure(operation, error) ?? invalid(operation, 'configFile', usable, path);
  });
  return Object.fromEntries(
    [...text.matchAll(line)].map(([, name, quoted, plain = '']) => [
      name,
      quoted?.replaceAll('\\"', '"') ?? plain,
    ]),
  );
}
