import type { Client } from '../../operations/client.ts';
import type { CriuVersion } from '../../operations/known-versions.ts';
import type { CriuFeatures } from '../../operations/probe.ts';
import type { CriuOpts } from '../../options/types.ts';

/** The CRIU that a migration uses: the methods of the `Criu` class that it calls. */
export interface CriuOperations {
  version(): Promise<CriuVersion>;
  features(): Promise<CriuFeatures>;
  cpuinfoDump(options: CpuinfoOptions): Promise<void>;
  cpuinfoCheck(options: CpuinfoOptions): Promise<void>;
}

interface CpuinfoOptions {
  imagesDirectory: string;
  cpuCap?: NonNullable<CriuOpts['cpuCap']>;
  signal?: AbortSignal;
  gracePeriodMs?: number;
}

/** The parts of a `Criu` that a migration server or a migration starts with. */
export interface MigrationClient {
  readonly operations: CriuOperations;
  /** The binary, the pool and the default options. */
  readonly client: Client;
}
