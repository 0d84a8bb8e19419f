import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { OptionOf } from '../options/table.ts';
import type { CriuOpts, OperationOptions } from '../options/types.ts';
import type { Client } from './client.ts';
import { resolveOptions } from './resolve.ts';
import { perform } from './run.ts';

/** Options of {@link Criu.check}. */
export interface CheckOptions extends Pick<CriuOpts, OptionOf<'check'>>, OperationOptions {}

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
