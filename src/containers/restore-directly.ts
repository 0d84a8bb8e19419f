import type { Criu, CriuError } from '../index.ts';
import type { BundleConfig } from './bundle-config.ts';
import { DirectRestore } from './direct-restore.ts';
import type { CheckedOptions } from './restore-options.ts';
import type { RestoredContainer } from './restored-container.ts';

/** Restores a container by CRIU alone, with what runc gives to it. Source: runc's libcontainer/criu_linux.go. */
export async function restoreDirectly(
  operation: string,
  criu: Criu,
  checked: CheckedOptions,
  config: BundleConfig,
): Promise<RestoredContainer> {
  await using prepared = await DirectRestore.prepare(operation, checked, config);
  try {
    const { imagesDirectory } = checked.own;
    const restored = await criu.restore({ ...prepared.options, imagesDirectory });
    const { stats, log, durationMs, pid } = restored;
    return { container: prepared.container(criu, pid), stats, log, durationMs };
  } catch (error) {
    // A hook that fails too late leaves the container running.
    if ((error as CriuError).workload !== 'running') await prepared.remove();
    throw error;
  }
}
