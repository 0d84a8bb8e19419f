import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { invalid, systemFailure } from '../errors.ts';
import { table } from './table.ts';
import type { CriuOpts } from './types.ts';

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

/**
 * The options as CRIU will have them, as far as this library has to know: it reads its own files
 * before them, and the caller's file after them. Source: criu(8), configuration files.
 */
export async function withConfigFiles(options: CriuOpts): Promise<CriuOpts> {
  const merged = [
    await optionsIn('/etc/criu/default.conf'),
    await optionsIn(join(homedir(), '.criu/default.conf')),
    await optionsIn(process.env.CRIU_CONFIG_FILE),
    options,
    await optionsIn(options.configFile),
  ];
  const external = merged.flatMap(({ external = [] }) => external);
  return Object.fromEntries(
    [...merged, external.length > 0 ? { external } : {}].flatMap(Object.entries),
  );
}

/** The options that a configuration file turns on, and the values that matter here. */
async function optionsIn(path: string | undefined): Promise<CriuOpts> {
  // What is no path will be refused, and a number would be read as a descriptor.
  if (typeof path !== 'string' || path === '') return {};
  const text = await readFile(path, 'utf8').catch(() => '');
  const lines = [...text.matchAll(/^[^\S\n]*([a-z][a-z-]*)(?:[^\S\n]+"?([^"#\n]*[^"#\s]))?/gm)];
  const external = lines.flatMap(([, name, value]) => (name === 'external' && value) || []);
  const flags = lines.flatMap(([, name = '']) => {
    const field = name === 'skip-in-flight' ? 'tcp_skip_in_flight' : name.replaceAll('-', '_');
    const row = Object.hasOwn(table, field) ? table[field as keyof typeof table] : undefined;
    return row?.kind.takes === 'a boolean' && row.option ? [[row.option, true] as const] : [];
  });
  const last = (wanted: string) => lines.findLast(([, name]) => name === wanted)?.[2];
  const limit = last('ghost-limit');
  const networkLock = (['iptables', 'nftables', 'skip'] as const).find(
    (method) => method === last('network-lock'),
  );
  const freezeCgroup = last('freeze-cgroup');
  return {
    ...Object.fromEntries(flags),
    ...(external.length > 0 && { external }),
    ...(limit !== undefined && { ghostLimit: sizeOf(limit) }),
    ...(networkLock && { networkLock }),
    ...(freezeCgroup !== undefined && { freezeCgroup }),
  };
}

/** A number of bytes, as CRIU reads it: with K, M or G behind it. */
function sizeOf(text: string): number {
  const shift = { K: 10, M: 20, G: 30 }[text.slice(-1).toUpperCase()] ?? 0;
  return Number.parseInt(text, 10) * 2 ** shift;
}
