import { readdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { CriuError, invalid } from '../errors.ts';
import { verifyInventory, verifyNewest } from '../images/verify.ts';
import type { Client } from '../operations/client.ts';
import { openDirectory } from '../operations/directories.ts';
import type { DumpOptions } from '../operations/dump.ts';
import { checkOptions, readOptions } from '../options/check.ts';
import { operationOptions } from '../options/operation-options.ts';
import type { CriuOpts, PageServerOptions } from '../options/types.ts';
import { preflight } from '../preflight/preflight.ts';
import { stateOf } from '../procfs/stat.ts';
import type { IterateOptions, OwnedOption, RoundOptions } from './iterate-options.ts';

/**
 * Copies the options of a round, and checks those that the iteration combines with its own.
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT
 */
export function checkRoundOptions<T extends RoundOptions>(operation: string, given: T): T {
  const options = readOptions(operation, given);
  const { hooks, signal, deadlineMs, gracePeriodMs } = options;
  checkOptions(operation, { hooks, signal, deadlineMs, gracePeriodMs }, operationOptions);
  return options;
}

/** @throws CriuError ERR_CRIU_INVALID_ARGUMENT for an option that the iteration sets by itself */
export function assertNoOwnedOptions(
  operation: string,
  options: object,
  names: readonly OwnedOption[],
): void {
  for (const option of names) {
    if (!Object.hasOwn(options, option)) continue;
    const message = `${operation}: takes no option ${option}: the iteration sets it for each round`;
    throw new CriuError('ERR_CRIU_INVALID_ARGUMENT', message, { operation, option });
  }
}

/** @throws CriuError ERR_CRIU_INVALID_ARGUMENT for an option that keeps the original of a moved copy */
export function assertNoLeftoverOptions(options: CriuOpts): void {
  for (const option of ['leaveRunning', 'leaveStopped'] as const) {
    if (!Object.hasOwn(options, option)) continue;
    const message = `iterate: takes no option ${option} with lazyPages: the copy runs elsewhere`;
    throw new CriuError('ERR_CRIU_INVALID_ARGUMENT', message, { operation: 'iterate', option });
  }
}

/** @throws CriuError ERR_CRIU_INVALID_ARGUMENT for an option that needs CRIU's own rounds */
export function assertComparable({
  autoDedup,
  pageServer,
}: {
  readonly autoDedup?: unknown;
  readonly pageServer?: IterateOptions['pageServer'] | undefined;
}): void {
  const hasAddress = typeof pageServer === 'function' || pageServer?.address !== undefined;
  const option = autoDedup ? 'autoDedup' : hasAddress ? 'pageServer' : undefined;
  if (option === undefined) return;
  const what = option === 'pageServer' ? 'pageServer by address' : option;
  const message = `iterate: ${what} needs tracking: 'soft-dirty', and this iteration compares memory`;
  throw new CriuError('ERR_CRIU_INVALID_ARGUMENT', message, { operation: 'iterate', option });
}

/** @throws CriuError ERR_CRIU_INVALID_ARGUMENT for an option that only rounds which compare memory have */
export function assertTracked(
  options: Pick<IterateOptions, 'compareWith' | 'rateLimit' | 'lowPriority'>,
): void {
  for (const option of ['compareWith', 'rateLimit', 'lowPriority'] as const) {
    if (options[option] === undefined) continue;
    const message = `iterate: ${option} needs tracking: 'compare', and the kernel tracks memory for this iteration`;
    throw new CriuError('ERR_CRIU_INVALID_ARGUMENT', message, { operation: 'iterate', option });
  }
}

/** Returns the absolute path of a directory, which is created if it does not exist. */
export async function pathOf(option: string, given: CriuOpts['imagesDirectory']): Promise<string> {
  await using directory = await openDirectory('iterate', option, given, true);
  if (!directory) throw invalid('iterate', option, 'a path or an open descriptor', given);
  return resolve(directory.path);
}

/**
 * Checks that the directory of a round is empty: CRIU would mix images of another round with its own.
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT
 */
export async function assertUnused(operation: string, directory: string): Promise<void> {
  const names = await readdir(directory).catch((): string[] => []);
  if (names.length === 0) return;
  throw new CriuError(
    'ERR_CRIU_INVALID_ARGUMENT',
    `${operation}: imagesDirectory already has this round: ${directory} is not empty`,
    { operation, option: 'imagesDirectory' },
  );
}

/**
 * Verifies the parent images of a round, without which it cannot be restored. CRIU does not verify them.
 * @param isLocal true if the pages of the parents are in these directories as well
 * @throws CriuError ERR_CRIU_BAD_IMAGE
 */
export async function assertParentIntact(
  operation: string,
  parent: string,
  name: string,
  isLocal: boolean,
): Promise<void> {
  const findings = isLocal ? await verifyNewest(parent) : await verifyInventory(parent);
  const [first] = findings;
  if (!first) return;
  throw new CriuError(
    'ERR_CRIU_BAD_IMAGE',
    `${operation}: ${name} could not be restored without its parent images: ${first.message}`,
    { operation },
  );
}

/**
 * Checks what would make the final dump fail. CRIU checks this only in the dump itself, after all
 * rounds have been made.
 * @throws CriuError ERR_CRIU_PREFLIGHT
 */
export async function assertDumpable(
  client: Client,
  pid: number,
  options: DumpOptions,
): Promise<void> {
  const findings = await preflight(client, pid, options, 'known');
  const errors = findings.filter(({ severity }) => severity === 'error');
  const [first] = errors;
  if (!first) return;
  const more = errors.length > 1 ? ` (and ${errors.length - 1} more)` : '';
  throw new CriuError(
    'ERR_CRIU_PREFLIGHT',
    `iterate: the dump of process ${pid} would fail: ${first.message}. ${first.remedy}${more}`,
    { operation: 'iterate', pid, workload: stateOf(pid), findings },
  );
}

/** Returns the page server of a round. @throws CriuError ERR_CRIU_HOOK if the caller's function throws */
export async function pageServerOf(
  operation: string,
  given: NonNullable<IterateOptions['pageServer']>,
  index: number,
  parentImage: string | undefined,
): Promise<PageServerOptions | undefined> {
  if (typeof given !== 'function') return given;
  try {
    const found = await given({ index, parentImage });
    if (found?.fd === undefined) return found;
  } catch (cause) {
    const thrown = cause instanceof Error ? cause.message : String(cause);
    const message = `${operation}: pageServer threw: ${thrown}`;
    throw new CriuError('ERR_CRIU_HOOK', message, { operation, option: 'pageServer', cause });
  }
  // criu inherits the descriptor of a connection when it starts, before the first round.
  const takes = 'a function that returns { address, port }; { fd } is for all rounds';
  throw invalid(operation, 'pageServer', takes, given);
}
