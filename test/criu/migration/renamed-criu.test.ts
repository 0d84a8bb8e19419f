import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { criuPath } from '../../../scripts/criu-path.mjs';
import { type MigrationFault, tryFault } from '../../helpers/migration-faults.ts';
import { temporaryDirectory } from '../../helpers/workload.ts';

const original = criuPath();

const faults: [string, MigrationFault, 'source' | 'destination'][] = [
  [
    'a migration succeeds',
    { mode: 'stop-and-copy', kind: 'hook throws', phase: 'done' },
    'destination',
  ],
  [
    'the criu that serves pages for a dead agent is ended',
    { mode: 'post-copy', kind: 'agent of the source killed', phase: 'hand-over' },
    'source',
  ],
];

test.each(faults)('with a criu of another name, %s', async (_title, fault, owner) => {
  const path = join(await temporaryDirectory(), 'criu-4.2.1');
  await copyFile(original, path);
  vi.stubEnv('CRIU_PATH', path);
  expect(await tryFault(fault)).toMatchObject({ owner });
});
