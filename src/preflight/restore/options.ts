import { invalid } from '../../errors.ts';
import { optionsLeftFor } from '../../images/manifest.ts';
import { readConfigFiles, withConfigFiles } from '../../options/config-file.ts';
import type { Hooks } from '../../options/hooks.ts';
import type { OptionOf } from '../../options/table.ts';
import { type Translation, translate, withDefaults } from '../../options/translate.ts';
import type { CriuOpts, OperationOptions } from '../../options/types.ts';

/** Options of {@link Criu.preflightRestore}: those of the planned restore. `imagesDirectory` is required. */
export interface PreflightRestoreOptions
  extends Pick<CriuOpts, OptionOf<'restore'>>,
    OperationOptions {
  /** The hooks of the planned restore. Preflight does not call them. */
  hooks?: Hooks;
}

/** The planned restore. */
export interface RestorePlan {
  readonly operation: 'restore';
  /** Includes the client's defaults and CRIU's configuration files. */
  readonly options: PreflightRestoreOptions;
  readonly translation: Translation;
}

/** Validates the options as a restore does. @throws CriuError ERR_CRIU_INVALID_ARGUMENT */
export async function restorePlanFor(
  operation: string,
  { signal, deadlineMs, gracePeriodMs, hooks, ...own }: PreflightRestoreOptions,
  defaults: Readonly<CriuOpts>,
): Promise<RestorePlan> {
  const left = await optionsLeftFor(operation, { ...defaults, ...own });
  const merged = withDefaults('restore', own, { ...left, ...defaults });
  const translation = translate('restore', merged, operation);
  const files = await readConfigFiles(operation, merged.configFile);
  if (merged.stream) {
    throw invalid(
      operation,
      'stream',
      'no value: a stream cannot be read before the restore',
      true,
    );
  }
  const options: PreflightRestoreOptions = { ...withConfigFiles(merged, files) };
  if (hooks) options.hooks = hooks;
  return { operation: 'restore', options, translation };
}
