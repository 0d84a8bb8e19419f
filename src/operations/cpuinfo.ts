import type { OptionOf } from '../options/table.ts';
import type { CriuOpts, OperationOptions } from '../options/types.ts';
import type { Client } from './client.ts';
import { resolveOptions } from './resolve.ts';
import { perform } from './run.ts';

/** Options of {@link Criu.cpuinfoDump} and {@link Criu.cpuinfoCheck}. */
export interface CpuinfoOptions extends Pick<CriuOpts, OptionOf<'cpuinfoDump'>>, OperationOptions {}

/** Describes this host's processor, or compares it with a description. */
export async function cpuinfo(
  client: Client,
  operation: 'cpuinfoDump' | 'cpuinfoCheck',
  given: CpuinfoOptions,
): Promise<void> {
  using resolved = await resolveOptions(client, operation, given);
  const type = operation === 'cpuinfoDump' ? 'CPUINFO_DUMP' : 'CPUINFO_CHECK';
  await perform(client, resolved, { request: { type, label: operation } });
}
