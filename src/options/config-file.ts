import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { invalid, systemFailure } from '../errors.ts';
import { type Files, filesIn } from '../process/files.ts';
import { table } from './table.ts';
import type { CriuOpts } from './types.ts';

/** What CRIU's configuration files set, as options. Source: criu(8), configuration files. */
export interface ConfigFiles {
  /** By the files that CRIU reads by itself: the options of an operation override them. */
  readonly standard: CriuOpts;
  /** By the caller's `configFile`, which overrides the options of the operation. */
  readonly own: CriuOpts;
}

/**
 * Reads the configuration files that CRIU will read.
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT if `configFile` cannot be read, which CRIU would
 * take for an empty file
 */
export async function readConfigFiles(
  operation: string,
  configFile: string | undefined,
): Promise<ConfigFiles> {
  const [standard, own] = await Promise.all([
    Promise.all(standardConfigFiles().map(async (path) => parse(await readStandardFile(path)))),
    readConfigFile(operation, configFile),
  ]);
  return { standard: merge(...standard), own };
}

/** How to read each standard file: looked up once, because every operation reads them. */
const filesOf = new Map<string, Promise<Files>>();

/** Empty if there is no such file, as usual. */
async function readStandardFile(path: string): Promise<string> {
  const known = filesOf.get(path) ?? filesIn(dirname(path));
  filesOf.set(path, known);
  const files = await known;
  return await files.readFile(path).then(String, () => '');
}

/**
 * Reads the caller's configuration file.
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT if it cannot be read
 */
export async function readConfigFile(
  operation: string,
  path: string | undefined,
): Promise<CriuOpts> {
  if (path === undefined) return {};
  const text = await readFile(path, 'utf8').catch((error: Error) => {
    const usable = `a file that can be read (${error.message})`;
    throw systemFailure(operation, error) ?? invalid(operation, 'configFile', usable, path);
  });
  return parse(text);
}

/**
 * Refuses a configuration file that sets the directory of the images, or of their parents: it would override
 * the directories that the operation chooses.
 * @param option the option that names the file
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT
 */
export async function assertNoDirectories(
  operation: string,
  option: string,
  path: unknown,
): Promise<void> {
  // Any other value is refused where the options are checked.
  if (typeof path !== 'string') return;
  const { imagesDirectory, parentImage } = await readConfigFile(operation, path);
  const line = imagesDirectory !== undefined ? 'images-dir' : parentImage && 'prev-images-dir';
  if (line) throw invalid(operation, option, `a file without ${line}, which it sets itself`, path);
}

/** The options by which CRIU goes, as far as this library has to know them. */
export function withConfigFiles(options: CriuOpts, { standard, own }: ConfigFiles): CriuOpts {
  const merged = merge(standard, options, own);
  return { ...merged, ...automaticMounts(merged) };
}

/**
 * What `mnt[]` in `external` means, an older form of `autoExtMnt`: with `:m` also `extMasters`, with `:s` also
 * `extSharing`. Source: CRIU's criu/mount.c, ext_mount_parse_auto.
 */
function automaticMounts({ external = [] }: CriuOpts): CriuOpts {
  const given = external.filter((one) => one.startsWith('mnt[]'));
  if (given.length === 0) return {};
  const options: CriuOpts = { autoExtMnt: true };
  if (given.some((one) => one.startsWith('mnt[]:m'))) options.extMasters = true;
  if (given.some((one) => one.startsWith('mnt[]:s'))) options.extSharing = true;
  return options;
}

/** The files that CRIU reads by itself, which may not exist; later ones override earlier ones. */
export function standardConfigFiles(): string[] {
  const { CRIU_CONFIG_FILE: named } = process.env;
  const usual = ['/etc/criu/default.conf', join(homedir(), '.criu/default.conf')];
  return named ? [...usual, named] : usual;
}

/** Later options override earlier ones; `external` accumulates, as in CRIU. */
function merge(...all: readonly CriuOpts[]): CriuOpts {
  const external = all.flatMap((options) => options.external ?? []);
  return Object.assign({}, ...all, external.length > 0 ? { external } : {});
}

/**
 * An option and its value: after white space, and then maybe in quotes, or after `=`. CRIU makes arguments
 * for getopt_long(3) of both.
 */
const line =
  /^[^\S\n]*([a-z][a-z-]*)(?:=([^ \t\n]*)|[^\S\n]+(?:"((?:\\"|[^"\n])+)"|([^"\s#]+)))?/gm;

/** The boolean options that a file turns on or off, and the other options that this library has to know. */
function parse(text: string): CriuOpts {
  const settings = [...text.matchAll(line)].map(
    ([, name = '', attached, quoted, plain]) =>
      [name, attached ?? quoted?.replaceAll('\\"', '"') ?? plain] as const,
  );
  const last = (wanted: string) => settings.findLast(([name]) => name === wanted)?.[1];
  const external = settings.flatMap(([name, value]) => (name === 'external' && value) || []);
  const limit = last('ghost-limit');
  return defined({
    ...Object.fromEntries(settings.flatMap(([name]) => flagOf(name))),
    imagesDirectory: last('images-dir'),
    workDirectory: last('work-dir'),
    parentImage: last('prev-images-dir'),
    logFile: last('log-file'),
    freezeCgroup: last('freeze-cgroup'),
    networkLock: (['iptables', 'nftables', 'skip'] as const).find(
      (method) => method === last('network-lock'),
    ),
    ghostLimit: limit === undefined ? undefined : bytesOf(limit),
    external: external.length > 0 ? external : undefined,
  });
}

/** The option that a line without a value turns on, or off by the prefix `no-`. */
function flagOf(line: string): [string, boolean][] {
  const name = line.replace(/^no-/, '');
  const field = name === 'skip-in-flight' ? 'tcp_skip_in_flight' : name.replaceAll('-', '_');
  const row = Object.hasOwn(table, field) ? table[field as keyof typeof table] : undefined;
  return row?.kind.takes === 'a boolean' && row.option ? [[row.option, name === line]] : [];
}

/** A number of bytes, with the suffixes K, M and G that CRIU allows. */
function bytesOf(text: string): number {
  const shift = { K: 10, M: 20, G: 30 }[text.slice(-1).toUpperCase()] ?? 0;
  return Number.parseInt(text, 10) * 2 ** shift;
}

function defined(options: { [Name in keyof CriuOpts]: CriuOpts[Name] | undefined }): CriuOpts {
  return Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  ) as CriuOpts;
}
