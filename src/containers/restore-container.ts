import { randomBytes } from 'node:crypto';
import type { Criu, CriuError } from '../index.ts';
import { readBundleConfig } from './bundle-config.ts';
import { containerFailure } from './container-failure.ts';
import { readContainerRecord } from './container-record.ts';
import { PlacedNetwork } from './network/placed-network.ts';
import { restoreByRuntime } from './restore-by-runtime.ts';
import { restoreDirectly } from './restore-directly.ts';
import {
  checkRestoreOptions,
  type OwnOptions,
  type RestoreContainerOptions,
} from './restore-options.ts';
import type { RestoredContainer } from './restored-container.ts';

/**
 * Restores a container that {@link Container.dump} or `runc checkpoint` has dumped. The hooks are called at CRIU's
 * steps, also by a runtime: `postRestore` can hold the container before it runs, or refuse it. In a network namespace
 * of its own the loopback device is up; `network` makes the others again, or `hooks.setupNamespaces` adds some. If the restore fails, nothing of the
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
  const network = await placeNetwork(operation, checked.own);
  const restore = network
    ? { ...checked.restore, hooks: network.hooks(checked.restore.hooks) }
    : checked.restore;
  try {
    return runtime === false
      ? await restoreDirectly(operation, criu, { ...checked, restore }, config)
      : await restoreByRuntime(operation, criu, { ...checked, restore }, config);
  } catch (error) {
    // A hook that fails too late leaves the container running.
    if ((error as CriuError).workload !== 'running') await network?.remove();
    throw error;
  }
}

/** The network of the dump, if the caller has a place for it. */
async function placeNetwork(
  operation: string,
  { id, imagesDirectory, network: places }: OwnOptions,
): Promise<PlacedNetwork | undefined> {
  if (!places) return undefined;
  const { network, obstacle } = (await readContainerRecord(operation, id, imagesDirectory)).network;
  if (network) {
    const mark = randomBytes(4).toString('hex');
    return PlacedNetwork.of(operation, id, network, { places, mark });
  }
  const reason = obstacle ?? 'the images have no network of its own';
  throw containerFailure(operation, id, reason);
}
