import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { CriuError, invalid } from '../errors.ts';
import { type OptionOf, rowOf, table } from '../options/table.ts';
import { type Translation, translate, withDefaults } from '../options/translate.ts';
import type { CriuOpts, Hooks, OperationOptions } from '../options/types.ts';
import { checkHooks } from '../rpc/hooks.ts';

/**
 * Options of {@link Criu.preflight}: those of the dump in view, and of the restore after it where
 * they are known. None is required; `preDump` says that a pre-dump is in view.
 */
export interface PreflightOptions
  extends Pick<CriuOpts, OptionOf<'dump'> | OptionOf<'restore'> | 'preDump'>,
    OperationOptions {
  /** Functions to call at CRIU's steps. */
  hooks?: Hooks;
}

/** What is to be done, as the checks need to know it. */
export interface Plan {
  readonly operation: 'dump' | 'preDump';
  /** With the client's defaults and what CRIU's configuration files add. */
  readonly options: PreflightOptions;
  readonly translation: Translation;
}

/** Checks the options as a dump and a restore would. @throws CriuError ERR_CRIU_INVALID_ARGUMENT */
export async function planFor(
  given: PreflightOptions,
  defaults: Readonly<CriuOpts>,
): Promise<Plan> {
  const { signal, deadlineMs, gracePeriodMs, hooks, preDump = defaults.preDump, ...own } = given;
  if (preDump !== undefined && typeof preDump !== 'boolean') {
    throw invalid('preflight', 'preDump', 'a boolean', preDump);
  }
  checkHooks('preflight', hooks);
  const operation = preDump ? 'preDump' : 'dump';
  const ofRestore = (name: string) => {
    const operations: readonly string[] = rowOf.get(name)?.[1].operations ?? [];
    return !operations.includes(operation) && operations.includes('restore');
  };
  const split = (wanted: boolean) =>
    Object.fromEntries(Object.entries(own).filter(([name]) => ofRestore(name) === wanted));
  const forDump = withDefaults(operation, split(false), defaults);
  const forRestore = withDefaults('restore', split(true), defaults);
  const somewhere = { imagesDirectory: '/' };
  try {
    translate('restore', { ...somewhere, ...split(true) });
    const translation = translate(operation, { ...somewhere, ...forDump });
    const files = [
      await optionsIn('/etc/criu/default.conf'),
      await optionsIn(join(homedir(), '.criu/default.conf')),
    ];
    const merged = [...files, forRestore, forDump, await optionsIn(forDump.configFile)];
    const options: PreflightOptions = Object.assign({ hooks }, ...merged);
    options.external = merged.flatMap(({ external = [] }) => external);
    return { operation, options, translation };
  } catch (error) {
    if (!(error instanceof CriuError)) throw error;
    const message = error.message.replace(/^\w+/, 'preflight');
    throw new CriuError(error.code, message, { operation: 'preflight', option: error.option });
  }
}

/** The options that turn something on in a configuration file of CRIU's. */
async function optionsIn(path: string | undefined): Promise<CriuOpts> {
  if (path === undefined) return {};
  const text = await readFile(path, 'utf8').catch(() => '');
  const lines = [...text.matchAll(/^[^\S\n]*([a-z][a-z-]*)(?:[^\S\n]+"?([^"#\n]*[^"#\s]))?/gm)];
  const external = lines.flatMap(([, name, value]) => (name === 'external' && value) || []);
  const flags = lines.flatMap(([, name = '']) => {
    const field = name === 'skip-in-flight' ? 'tcp_skip_in_flight' : name.replaceAll('-', '_');
    const row = Object.hasOwn(table, field) ? table[field as keyof typeof table] : undefined;
    return row?.kind.takes === 'a boolean' && row.option ? [[row.option, true] as const] : [];
  });
  const limit = lines.find(([, name]) => name === 'ghost-limit')?.[2];
  return {
    ...Object.fromEntries(flags),
    ...(external.length > 0 && { external }),
    ...(limit !== undefined && { ghostLimit: sizeOf(limit) }),
  };
}

/** A number of bytes, as CRIU reads it: with K, M or G behind it. */
function sizeOf(text: string): number {
  const shift = { K: 10, M: 20, G: 30 }[text.slice(-1).toUpperCase()] ?? 0;
  return Number.parseInt(text, 10) * 2 ** shift;
}
