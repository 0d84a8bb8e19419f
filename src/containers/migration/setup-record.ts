import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { remoteFiles } from '../../process/files.ts';
import { makePrivateDirectory } from '../../process/private-directory.ts';
import { replaceText } from '../../process/replaced-file.ts';
import { removeCgroup } from '../container-cgroups.ts';
import type { MadeForRestore } from '../direct-restore.ts';
import { removeLinks } from '../network/make-network.ts';
import { isRunning, readRuntimeState } from '../runtime-state.ts';
import { removeStateDirectory } from '../state-file.ts';

/** What a destination makes for a container, besides processes. */
export interface Setup extends MadeForRestore {
  /** Names of network devices of this host. */
  readonly links: readonly string[];
}

const CGROUP_TRIES = 50;
const CGROUP_WAIT_MS = 20;

/** What was made for migrations, on the disk: after a crash, the next server removes it. */
export class SetupRecord {
  readonly #directory: string;

  /** @param directory that of the server */
  constructor(directory: string) {
    this.#directory = join(directory, 'containers');
  }

  #path(migration: string): string {
    return join(this.#directory, `${migration}.json`);
  }

  /** Writes durably what is about to be made. */
  async write(migration: string, setup: Setup): Promise<void> {
    await makePrivateDirectory(this.#directory, true);
    await replaceText(this.#path(migration), JSON.stringify(setup), remoteFiles, true);
  }

  /** Forgets a migration whose container runs. Idempotent. */
  async forget(migration: string): Promise<void> {
    await rm(this.#path(migration), { force: true });
  }

  /** Removes what was made for a migration that has failed. Idempotent. */
  async undo(operation: string, migration: string): Promise<void> {
    const text = await readFile(this.#path(migration), 'utf8').catch(
      (error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return undefined;
        throw error;
      },
    );
    if (text === undefined) return;
    const { state, cgroups, links }: Setup = JSON.parse(text);
    if (state) await removeState(operation, state.root, state.id);
    await removeLinks(links);
    for (const directory of cgroups) await removeEmptied(directory);
    await this.forget(migration);
  }
}

async function removeState(operation: string, root: string, id: string): Promise<void> {
  const state = await readRuntimeState(operation, root, id);
  if (state && isRunning(state)) return;
  await removeStateDirectory(root, id);
}

/** The processes of a copy that was ended leave their cgroups a moment later. */
async function removeEmptied(directory: string): Promise<void> {
  for (let tries = 0; existsSync(directory); tries++) {
    await removeCgroup(directory);
    if (!existsSync(directory)) return;
    if (tries === CGROUP_TRIES) throw new Error(`cannot remove ${directory}`);
    await sleep(CGROUP_WAIT_MS);
  }
}
