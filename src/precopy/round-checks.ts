import { readdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { CriuError, invalid } from '../errors.ts';
import { verifyInventory, verifyNewest } from '../images/verify.ts';
import type { Client } from '../operations/client.ts';
import { openDirectory } from '../operations/directories.ts';
import type { DumpOptions } from '../operations/dump.ts';
import type { CriuOpts, PageServerOptions } from '../options/types.ts';
import { preflight } from '../preflight/preflight.ts';
import { stateOf } from '../procfs/stat.ts';
import type { IterateOptions, OwnedOption } from './iterate-options.ts';

/** @throws CriuError if an option is given that the iteration sets by itself */
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

/** @throws CriuError if the processes are to be left behind by a dump that moves them elsewhere */
export function assertNoLeftoverOptions(options: CriuOpts): void {
  for (const option of ['leaveRunning', 'leaveStopped'] as const) {
    if (!Object.hasOwn(options, option)) continue;
    const message = `iterate: takes no option ${option} with lazyPages: the copy runs elsewhere`;
    throw new CriuError('ERR_CRIU_INVALID_ARGUMENT', message, { operation: 'iterate', option });
  }
}

/** The absolute path of a directory, which is made if it is not there. */
export async function pathOf(option: string, given: CriuOpts['imagesDirectory']): Promise<string> {
  await using directory = await openDirectory('iterate', option, given, true);
  if (!directory) throw invalid('iterate', option, 'a path or an open descriptor', given);
  return resolve(directory.path);
}

/** Images of another round would be taken for this one's. */
export async function assertUnused(operation: string, directory: string): Promise<void> {
  const names = await readdir(directory).catch((): string[] => []);
  if (names.length === 0) return;
  throw new CriuError(
    'ERR_CRIU_INVALID_ARGUMENT',
    `${operation}: imagesDirectory has a round already: ${directory} is not empty`,
    { operation, option: 'imagesDirectory' },
  );
}

/**
 * Without its parents a round is of no use, and CRIU would go on all the same.
 * @param local whether their pages are here as well
 */
export async function assertParentIntact(
  operation: string,
  parent: string,
  name: string,
  local: boolean,
): Promise<void> {
  const findings = local ? await verifyNewest(parent) : await verifyInventory(parent);
  const [first] = findings;
  if (!first) return;
  throw new CriuError(
    'ERR_CRIU_BAD_IMAGE',
    `${operation}: ${name} would be of no use without its parent: ${first.message}`,
    { operation },
  );
}

/** A pre-dump checks nothing, and the dump would fail after all the work. */
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

/** The page server of a round. @throws CriuError ERR_CRIU_HOOK if the function that finds it throws */
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
    const said = cause instanceof Error ? cause.message : String(cause);
    const message = `${operation}: pageServer threw: ${said}`;
    throw new CriuError('ERR_CRIU_HOOK', message, { operation, option: 'pageServer', cause });
  }
  // criu has inherited nothing for it.
  const takes = 'a function that returns { address, port }; { fd } is for all rounds';
  throw invalid(operation, 'pageServer', takes, given);
}
