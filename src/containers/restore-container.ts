import type { Criu } from '../index.ts';
import { readBundleConfig } from './bundle-config.ts';
import { restoreByRuntime } from './restore-by-runtime.ts';
import { restoreDirectly } from './restore-directly.ts';
import { checkRestoreOptions, type RestoreContainerOptions } from './restore-options.ts';
import type { RestoredContainer } from './restored-container.ts';

/**
 * Restores a container that {@link Container.dump} or `runc checkpoint` has dumped. The hooks are called at CRIU's
 * steps, also by a runtime: `postRestore` can hold the container before it runs, or refuse it. In a network namespace
 * of its own the loopback device is up; `hooks.setupNamespaces` can add others. If the restore fails, nothing of the
 * container is left, neither processes nor state nor cgroups.
 * @throws CriuError as `criu.restore()` does; ERR_CRIU_CONTAINER if the runtime fails or the id is in use
 */
export async function restoreContainer(
  criu: Criu,
  options: RestoreContainerOptions,
): Promise<RestoredContainer> {
  const operation = 'restoreContainer';
  const checked = checkRestoreOptions(operation, options);
  const { id, bundle, runtime } = checked.own;
  const config = await readBundleConfig(operation, id, bundle);
  return runtime === false
    ? await restoreDirectly(operation, criu, checked, config)
    : await restoreByRuntime(operation, criu, checked, config);
}
