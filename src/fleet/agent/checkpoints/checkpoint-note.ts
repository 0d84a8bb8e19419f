import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { isRecord } from '../../../options/check.ts';
import { remoteFiles } from '../../../process/files.ts';
import { replaceText } from '../../../process/replaced-file.ts';
import { isWorkloadKind } from '../../names.ts';
import { checkSpec } from '../../operator/spec-check.ts';
import type { WorkloadKind } from '../../view.ts';
import type { WorkloadSpec } from '../../workload-spec.ts';

/** What a host that restarts a workload needs to know besides the images. */
export interface CheckpointNote {
  readonly spec: WorkloadSpec;
  readonly kind: WorkloadKind;
  readonly generation: number;
}

/** The file with it, beside the images. */
export const NOTE = 'fleet.json';
/** No specification is longer, in bytes. */
const MAX_NOTE = 512 * 1024;

export async function writeNote(directory: string, note: CheckpointNote): Promise<void> {
  await replaceText(join(directory, NOTE), JSON.stringify(note), remoteFiles, true);
}

/**
 * Reads what is noted of a checkpoint; undefined if it was not made by an agent.
 * @throws Error if it is not what an agent writes
 */
export async function readNote(directory: string): Promise<CheckpointNote | undefined> {
  let file: Awaited<ReturnType<typeof open>>;
  try {
    file = await open(join(directory, NOTE), constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  await using _ = file;
  if ((await file.stat()).size > MAX_NOTE) throw new Error(`${NOTE} is too long`);
  const value: unknown = JSON.parse(await file.readFile('utf8'));
  const { spec, kind, generation } = isRecord(value) ? value : {};
  if (!isWorkloadKind(kind) || !Number.isSafeInteger(generation) || (generation as number) < 0) {
    throw new Error(`${NOTE} does not say what the workload is`);
  }
  return {
    ...{ kind, generation: generation as number },
    spec: checkSpec('checkpoint', spec as WorkloadSpec),
  };
}
