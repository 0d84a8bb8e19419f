import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Cancellation } from '../concurrency/cancellation.ts';
import { CriuError } from '../errors.ts';
import { CRIU_WITH_SOCKETS } from '../failure/old-criu.ts';
import { checkOptions } from '../options/check.ts';
import { limits } from '../options/operation-options.ts';
import type { OptionOf } from '../options/table.ts';
import type { CriuOpts, OperationOptions } from '../options/types.ts';
import { locate } from '../worker/endpoint.ts';
import type { Client } from './client.ts';
import { knownVersion, socketRefusal } from './probe.ts';
import { resolveOptions } from './resolve.ts';
import { perform } from './run.ts';

/** Options of {@link Criu.check}. */
export interface CheckOptions extends Pick<CriuOpts, OptionOf<'check'>>, OperationOptions {}

/**
 * Checks that CRIU works on this kernel: with a CHECK request, and that it can dump sockets, which CRIU's own check
 * does not look at.
 */
export async function checkAll(client: Client, given: CheckOptions): Promise<void> {
  const { signal, deadlineMs, gracePeriodMs } = given;
  const limited = checkOptions('check', { signal, deadlineMs, gracePeriodMs }, limits);
  // The deadline is one for both requests.
  using cancellation = new Cancellation('check', limited);
  await check(client, given);
  const endpoint = await locate('check', client);
  await knownVersion('check', endpoint, cancellation);
  const refusal = socketRefusal(endpoint);
  if (refusal) {
    const message = `check: ${refusal}; ${CRIU_WITH_SOCKETS}`;
    throw new CriuError('ERR_CRIU_TOO_OLD', message, { operation: 'check' });
  }
}

/** Checks with a CHECK request that CRIU works on this kernel. */
export async function check(client: Client, given: CheckOptions): Promise<void> {
  if ((given.workDirectory ?? client.defaults.workDirectory) !== undefined) {
    await request(client, given);
    return;
  }
  // Before 4.2 CRIU requires a directory even if it writes no log.
  const workDirectory = await mkdtemp(join(tmpdir(), 'node-criu-'));
  try {
    await request(client, { ...given, workDirectory });
  } finally {
    await rm(workDirectory, { recursive: true, force: true });
  }
}

async function request(client: Client, given: CheckOptions): Promise<void> {
  using resolved = await resolveOptions(client, 'check', given);
  await perform(client, resolved, { request: { type: 'CHECK', label: 'check' } });
}
