import { Cancellation } from '../concurrency/cancellation.ts';
import { invalid, unknownOption } from '../errors.ts';
import { optionsLeftFor } from '../images/manifest.ts';
import { checkOptions } from '../options/check.ts';
import { readConfigFiles, withConfigFiles } from '../options/config-file.ts';
import type { Hooks } from '../options/hooks.ts';
import { flag } from '../options/kinds.ts';
import { operationOptions } from '../options/operation-options.ts';
import type { Requested } from '../options/table.ts';
import { type Translation, translate, withDefaults } from '../options/translate.ts';
import type { CriuOpts } from '../options/types.ts';
import type { Client, GivenOptions } from './client.ts';
import { assertServiceSupports } from './service-limits.ts';

/**
 * The options of one operation, validated and merged once; the rest of the operation uses this object.
 * Disposing of it clears the deadline and stops listening to the caller's signal.
 */
export interface ResolvedOptions extends Disposable {
  readonly operation: Requested;
  /** The caller's options over the client's defaults: what the request carries. */
  readonly options: CriuOpts;
  /** The same, with what configuration files add and override: the options that CRIU uses. */
  readonly effective: CriuOpts;
  /** What the caller's own configuration file sets. */
  readonly configured: CriuOpts;
  /** The fields of the request. */
  readonly translation: Translation;
  readonly hooks: Hooks;
  readonly cancellation: Cancellation;
}

/**
 * Checks the options of an operation, and merges them with the client's defaults and with CRIU's
 * configuration files.
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT
 */
export async function resolveOptions(
  client: Client,
  operation: Requested,
  given: GivenOptions,
): Promise<ResolvedOptions> {
  if (typeof given !== 'object' || given === null) {
    throw invalid(operation, 'options', 'an object', given);
  }
  const { signal, deadlineMs, gracePeriodMs, hooks, insecure, force, ...own } = given;
  checkOptions(operation, { signal, deadlineMs, gracePeriodMs, hooks }, operationOptions);
  const cancellation = new Cancellation(operation, { signal, deadlineMs, gracePeriodMs });
  try {
    const options = withDefaults(operation, own, await defaultsOf(client, operation, own));
    const translation = translate(operation, options);
    assertServiceSupports(client, operation, options);
    if (operation !== 'dump' && force !== undefined) throw unknownOption(operation, 'force');
    checkOptions(operation, { force, insecure }, { force: flag, insecure: flag });
    if (insecure !== undefined && operation !== 'dump') throw unknownOption(operation, 'insecure');
    const files = await readConfigFiles(operation, options.configFile);
    return {
      operation,
      options,
      effective: withConfigFiles(options, files),
      configured: files.own,
      translation,
      hooks: hooks ?? {},
      cancellation,
      [Symbol.dispose]: () => cancellation[Symbol.dispose](),
    };
  } catch (error) {
    cancellation[Symbol.dispose]();
    throw error;
  }
}

/** The client's defaults and, for a restore, those that the dump has left. */
async function defaultsOf(
  { defaults }: Client,
  operation: Requested,
  own: Readonly<CriuOpts>,
): Promise<CriuOpts> {
  if (operation !== 'restore') return defaults;
  return { ...(await optionsLeftFor(operation, { ...defaults, ...own })), ...defaults };
}
