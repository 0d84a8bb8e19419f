import { CriuError, invalid } from '../errors.ts';
import { readConfigFiles, withConfigFiles } from '../options/config-file.ts';
import type { Hooks } from '../options/hooks.ts';
import { type OptionOf, rowOf } from '../options/table.ts';
import { type Translation, translate, withDefaults } from '../options/translate.ts';
import type { CriuOpts, OperationOptions } from '../options/types.ts';

/**
 * Options of {@link Criu.preflight}: those of the planned dump, and of the restore after it as far as
 * they are known. All are optional; `preDump: true` plans a pre-dump.
 */
export interface PreflightOptions
  extends Pick<CriuOpts, OptionOf<'dump'> | OptionOf<'restore'> | 'preDump'>,
    OperationOptions {
  /** The hooks of the planned dump. Preflight does not call them. */
  hooks?: Hooks;
}

/** The planned operation. */
export interface Plan {
  readonly operation: 'dump' | 'preDump';
  /** Includes the client's defaults and CRIU's configuration files. */
  readonly options: PreflightOptions;
  readonly translation: Translation;
}

/** Validates the options as a dump and a restore do. @throws CriuError ERR_CRIU_INVALID_ARGUMENT */
export async function planFor(
  given: PreflightOptions,
  defaults: Readonly<CriuOpts>,
): Promise<Plan> {
  const { signal, deadlineMs, gracePeriodMs, hooks, preDump = defaults.preDump, ...own } = given;
  if (preDump !== undefined && typeof preDump !== 'boolean') {
    throw invalid('preflight', 'preDump', 'a boolean', preDump);
  }
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
    const files = await readConfigFiles(operation, forDump.configFile);
    const merged = withConfigFiles({ ...forRestore, ...forDump }, files);
    const options: PreflightOptions = { ...merged };
    if (hooks) options.hooks = hooks;
    return { operation, options, translation };
  } catch (error) {
    if (!(error instanceof CriuError)) throw error;
    const message = error.message.replace(/^\w+/, 'preflight');
    throw new CriuError(error.code, message, { operation: 'preflight', option: error.option });
  }
}
