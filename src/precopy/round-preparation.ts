import { join, resolve } from 'node:path';
import type { DumpOptions } from '../operations/dump.ts';
import { overrideHooks } from '../options/hooks.ts';
import { withDefaults } from '../options/translate.ts';
import { DIRECTORY_OPTIONS, type IterateOptions, type RoundOptions } from './iterate-options.ts';
import {
  assertNoOwnedOptions,
  assertParentIntact,
  assertUnused,
  pageServerOf,
} from './round-checks.ts';

/** What all rounds of an iteration share. */
export interface RoundSettings {
  readonly options: Omit<IterateOptions, 'signal'>;
  /** Absolute paths of the directories that hold the directories of the rounds. */
  readonly images: string;
  readonly work: string | undefined;
}

/** A round that is ready to be made. */
export interface PreparedRound {
  readonly index: number;
  /** Its name in error messages. */
  readonly name: string;
  readonly options: DumpOptions & { readonly imagesDirectory: string };
  /** False if a page server gets the pages. */
  readonly isLocal: boolean;
}

/**
 * Combines the options of a round, and verifies its parent images.
 * @param pageServer the page server of the rounds; null for a dump that has none
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT, ERR_CRIU_BAD_IMAGE
 */
export async function prepareRound(
  operation: 'preDump' | 'dump',
  settings: RoundSettings,
  index: number,
  given: RoundOptions,
  pageServer: IterateOptions['pageServer'] | null = settings.options.pageServer,
): Promise<PreparedRound> {
  assertNoOwnedOptions(operation, given, [
    'imagesDirectory',
    'workDirectory',
    'parentImage',
    'trackMem',
    ...DIRECTORY_OPTIONS,
  ]);
  const directory = join(settings.images, String(index));
  const name = `round ${index}`;
  await assertUnused(operation, directory);
  const parentImage = index === 0 ? undefined : `../${index - 1}`;
  const server =
    given.pageServer ??
    (pageServer && (await pageServerOf(operation, pageServer, index, parentImage)));
  const options = {
    ...merged(operation, settings.options, given),
    ...(server && { pageServer: server }),
    imagesDirectory: directory,
    ...(settings.work && { workDirectory: join(settings.work, String(index)) }),
    ...(parentImage && { parentImage }),
    trackMem: true,
  };
  const isLocal = !(server ?? settings.options.pageServer);
  if (parentImage) {
    await assertParentIntact(operation, resolve(directory, parentImage), name, isLocal);
  }
  return { index, name, options, isLocal };
}

/** The options of the iteration that this operation takes, overridden by those of the round. */
function merged(
  operation: 'preDump' | 'dump',
  iteration: RoundSettings['options'],
  { hooks, pageServer: _, ...round }: RoundOptions,
): RoundOptions {
  const { preflight, lazyPages, tracking, pageServer, ...rest } = iteration;
  const { compareWith, rateLimit, lowPriority, ...more } = rest;
  const { deadlineMs, gracePeriodMs, hooks: own, ...options } = more;
  return {
    deadlineMs,
    gracePeriodMs,
    ...withDefaults(operation, {}, options),
    ...(operation === 'dump' && preflight === false && { force: true }),
    ...round,
    hooks: overrideHooks(own, hooks),
  };
}
