import { join } from 'node:path';
import { Cancellation } from '../concurrency/cancellation.ts';
import type { Client } from '../operations/client.ts';
import type { DumpOptions } from '../operations/dump.ts';
import { assertExists } from '../operations/existing-process.ts';
import { requireSupport, supportsMemTrack } from '../operations/probe.ts';
import { check, checkOptions, checkValue } from '../options/check.ts';
import { assertNoDirectories } from '../options/config-file.ts';
import { flag, pid as positiveInteger } from '../options/kinds.ts';
import { atLeastOne, operationOptions } from '../options/operation-options.ts';
import { makeBlocking } from '../options/page-connection.ts';
import { OLDEST_CRIU } from '../options/table.ts';
import { translate, withDefaults } from '../options/translate.ts';
import type { PageServerOptions } from '../options/types.ts';
import { FIRST_LAZY_DUMP } from '../postcopy/lazy-dump.ts';
import { ServingConnection } from '../postcopy/serving-connection.ts';
import { requireLargePipes } from '../preflight/pipes.ts';
import { locate } from '../worker/endpoint.ts';
import { WorkerSession } from '../worker/worker-session.ts';
import { Comparing } from './compare/comparing.ts';
import { DIRECTORY_OPTIONS, type IterateOptions } from './iterate-options.ts';
import { Iteration } from './iteration.ts';
import {
  assertComparable,
  assertDumpable,
  assertNoLeftoverOptions,
  assertNoOwnedOptions,
  assertTracked,
  assertUnused,
  pathOf,
} from './round-checks.ts';
import { SoftDirty } from './soft-dirty.ts';
import { trackingName } from './tracking.ts';

const OPERATION = 'iterate';
/** The page server that a preflight checks in place of one whose address a function returns later. */
const UNKNOWN_PAGE_SERVER: PageServerOptions = { address: '127.0.0.1', port: 1 };

const trackingOptions = {
  tracking: trackingName,
  compareWith: check("'hashes' or 'copy'", (value) => value === 'hashes' || value === 'copy'),
  rateLimit: atLeastOne,
  lowPriority: flag,
};

/** Checks everything that can be refused beforehand, and starts the criu that makes the rounds. */
export async function iterate(
  client: Client,
  pid: number,
  given: IterateOptions,
): Promise<Iteration> {
  const start = performance.now();
  const { preflight = true, pageServer, lazyPages = false, tracking = 'auto', ...more } = given;
  const { compareWith = 'hashes', rateLimit, lowPriority = false, ...options } = more;
  const reading = { compareWith, rateLimit, lowPriority };
  const { hooks, signal, deadlineMs, gracePeriodMs, ...own } = options;
  checkValue(OPERATION, 'pid', positiveInteger, pid);
  checkOptions(
    OPERATION,
    { preflight, lazyPages, tracking, ...reading, hooks, signal, deadlineMs, gracePeriodMs },
    { ...operationOptions, preflight: flag, lazyPages: flag, ...trackingOptions },
  );
  using cancellation = new Cancellation(OPERATION, { signal, deadlineMs, gracePeriodMs });
  assertNoOwnedOptions(OPERATION, own, ['parentImage', 'trackMem', ...DIRECTORY_OPTIONS]);
  if (lazyPages) assertNoLeftoverOptions(own);
  const server = typeof pageServer === 'function' ? undefined : { pageServer };
  const forDump = withDefaults('dump', { ...own, ...server }, client.defaults);
  const { inherited, newest } = translate('dump', forDump, OPERATION);
  await assertNoDirectories(OPERATION, 'configFile', forDump.configFile);
  cancellation.throwIfRequested();

  const binary = await locate(OPERATION, client);
  assertExists(client, OPERATION, pid, OPERATION);
  const compares =
    tracking === 'compare' ||
    (tracking === 'auto' &&
      // A criu service cannot inherit the connection that a dump without memory needs.
      client.socket === undefined &&
      !(await supportsMemTrack(OPERATION, binary, cancellation)));
  if (compares) assertComparable({ ...options, pageServer });
  else assertTracked(more);
  const needs = {
    since: compares ? FIRST_LAZY_DUMP : OLDEST_CRIU,
    ...{ newest, memTrack: !compares, lazyPages: lazyPages || compares },
  };
  await requireSupport(OPERATION, binary, needs, cancellation);
  if (needs.lazyPages) await requireLargePipes(OPERATION);
  const { imagesDirectory = client.defaults.imagesDirectory } = own;
  const images = await pathOf('imagesDirectory', imagesDirectory);
  const { workDirectory = client.defaults.workDirectory } = own;
  const work =
    workDirectory === undefined ? undefined : await pathOf('workDirectory', workDirectory);
  await assertUnused(OPERATION, join(images, '0'));
  if (preflight) {
    const { pidfdStoreSk, ...visible } = own;
    const checked = { ...visible, pageServer: server ? pageServer : UNKNOWN_PAGE_SERVER };
    await assertDumpable(client, pid, { ...checked, signal, deadlineMs } as DumpOptions);
  }
  const pagesFd = inherited[0]?.[1];
  makeBlocking(OPERATION, pagesFd);
  cancellation.throwIfRequested();
  const parts = { pid, options: given, images, work, start };
  if (compares) {
    const tracking = new Comparing(client, pagesFd, reading);
    return new Iteration({ ...parts, tracking });
  }
  const connection = lazyPages ? new ServingConnection() : undefined;
  try {
    const workerSession = await WorkerSession.open({
      operation: OPERATION,
      endpoint: binary,
      inherited: [...inherited, ...(connection?.inherited ?? [])],
    });
    connection?.closeCriuFd();
    return new Iteration({ ...parts, tracking: new SoftDirty(client, workerSession, connection) });
  } catch (error) {
    connection?.close();
    throw error;
  }
}
