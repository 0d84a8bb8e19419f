import { mkdtemp, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { asCriuError } from '../errors.ts';

/** A configuration file that the library writes. */
export interface OwnConfig extends AsyncDisposable {
  /** The path by which CRIU finds it. */
  readonly path: string;
}

/**
 * Writes a configuration file, for what CRIU's requests have no working field for. The text of the
 * caller's own file is appended, and so overrides the lines before it. The file has no name in any
 * directory and vanishes with its descriptor.
 * @param overriding lines that override the caller's file
 * @throws CriuError ERR_CRIU_SYSTEM if it cannot be written
 */
export async function writeOwnConfig(
  operation: string,
  lines: readonly string[],
  configFile: string | undefined,
  overriding: readonly string[] = [],
): Promise<OwnConfig> {
  try {
    const given = configFile === undefined ? [] : [await readFile(configFile, 'utf8')];
    return await write([...lines, ...given, ...overriding]);
  } catch (error) {
    throw asCriuError(operation, error);
  }
}

async function write(lines: readonly string[]): Promise<OwnConfig> {
  const directory = await mkdtemp(join(tmpdir(), 'node-criu-'));
  try {
    const file = await open(join(directory, 'criu.conf'), 'wx+', 0o600);
    await file.writeFile(`${lines.join('\n')}\n`);
    return {
      path: `/proc/${process.pid}/fd/${file.fd}`,
      [Symbol.asyncDispose]: () => file.close(),
    };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
