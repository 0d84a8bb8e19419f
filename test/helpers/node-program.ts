import {
  type CheckpointableProcess,
  type SpawnCheckpointableOptions,
  spawnCheckpointable,
} from '../../src/index.ts';
import { hasBecome } from './namespaces.ts';
import { nodeOptions } from './node-versions.ts';
import { killAfterTest } from './workload.ts';

/**
 * Starts a script with the Node of the tests so that CRIU can dump it.
 * @param options `network` is the file of a network namespace
 */
export async function startNode(
  script: readonly string[],
  { network, ...options }: SpawnCheckpointableOptions & { readonly network?: string } = {},
): Promise<CheckpointableProcess> {
  const command = [process.execPath, ...nodeOptions(), ...script];
  const [file = '', ...args] = network ? ['nsenter', `--net=${network}`, ...command] : command;
  const program = await spawnCheckpointable(file, args, options);
  killAfterTest(program.pid);
  await hasBecome(program.pid, process.execPath);
  return program;
}
