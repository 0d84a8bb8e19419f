import { Cancellation } from '../concurrency/cancellation.ts';
import { unknownOption } from '../errors.ts';
import type { Client } from '../operations/client.ts';
import type { DumpOptions } from '../operations/dump.ts';
import { requireSupport } from '../operations/probe.ts';
import { assertOwnCriu } from '../operations/service-limits.ts';
import { checkOptions } from '../options/check.ts';
import { flag } from '../options/kinds.ts';
import { operationOptions } from '../options/operation-options.ts';
import { translate, withDefaults } from '../options/translate.ts';
import { locate } from '../worker/endpoint.ts';

/** The first CRIU that streams images over RPC: an older one streams only as a command. */
const FIRST_STREAMING = 40300;

/**
 * Refuses, before anything is read or frozen, options that are wrong and a CRIU that is too old.
 * @param client without the defaults that a stream cannot have
 * @throws CriuError ERR_CRIU_INVALID_ARGUMENT, ERR_CRIU_TOO_OLD, ERR_CRIU_NOT_FOUND
 */
export async function requireStreaming(
  operation: string,
  client: Client,
  request: 'dump' | 'restore',
  given: DumpOptions,
): Promise<void> {
  const { signal, deadlineMs, gracePeriodMs, hooks, force, ...own } = given;
  const common = { signal, deadlineMs, gracePeriodMs, hooks };
  checkOptions(operation, common, operationOptions);
  const options = { ...withDefaults(request, own, client.defaults), imagesDirectory: '/' };
  const { newest } = translate(request, { ...options, stream: true }, operation);
  if (request === 'restore' && force !== undefined) throw unknownOption(operation, 'force');
  checkOptions(operation, { force }, { force: flag });
  assertOwnCriu(client, operation, 'criu connects to a socket of this process');
  using cancellation = new Cancellation(operation, { signal, deadlineMs });
  cancellation.throwIfRequested();
  const endpoint = await locate(operation, client);
  const needs = { since: FIRST_STREAMING, newest, memTrack: false, lazyPages: false };
  await requireSupport(operation, endpoint, needs, cancellation);
}
