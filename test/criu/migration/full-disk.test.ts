import { appendFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, onTestFinished, test } from 'vitest';
import { criuPath } from '../../../scripts/criu-path.mjs';
import { type MigrationPhase, migrate } from '../../../src/index.ts';
import { reservePath } from '../../../src/migration/journal/reserve.ts';
import { DestinationClient } from '../../../src/migration/protocol/destination-client.ts';
import { LibraryProcess } from '../../helpers/library-process.ts';
import { startMemoryWorkload } from '../../helpers/memory-workload.ts';
import { bootedAnew } from '../../helpers/migration-host.ts';
import { temporaryDirectory, waitGone } from '../../helpers/workload.ts';

const PAGE = 4096;

test('a commit that the destination could not note for want of space can be repeated', async () => {
  const there = await temporaryDirectory();
  await execa('mount', ['-t', 'tmpfs', '-o', 'size=64m,mode=700', 'node-criu', there]);
  onTestFinished(async () => void (await execa('umount', ['-l', there])));
  const filler = join(there, 'filler');
  const fillDisk = async () => {
    const [journal = ''] = await readdir(join(there, 'incoming'));
    const path = join(there, 'incoming', journal);
    // Empty lines: the next line needs a new page.
    const { size } = await stat(path);
    await appendFile(path, '\n'.repeat(PAGE - (size % PAGE)));
    // Without the space that is kept for journals.
    await rm(reservePath(join(there, 'incoming')));
    await writeFile(filler, Buffer.alloc(64 << 20)).catch(() => {});
  };

  const memory = await startMemoryWorkload({ heapMiB: 8, hotMiB: 1, pagesPerSecond: 500 });
  const host = await LibraryProcess.start(await bootedAnew());
  const listen = { host: '127.0.0.1', port: 0 };
  const port = await host.ask<number>('serve', { listen, insecure: true, directory: there });
  using destination = await DestinationClient.connect({ ...listen, port }, undefined);
  const phase = async (begun: MigrationPhase) => {
    if (begun !== 'hand-over') return;
    await fillDisk();
    const commit = destination.call('commit', { id: migration.id }, { timeoutMs: 60_000 });
    await expect(commit).rejects.toThrow('ENOSPC');
    await rm(filler);
  };
  const migration = migrate(memory.pid, {
    ...{ to: { ...listen, port }, insecure: true, mode: 'stop-and-copy', path: criuPath() },
    ...{ directory: await temporaryDirectory(), stallMs: 5000, hooks: { phase } },
  });
  expect(await migration.result).toMatchObject({ mode: 'stop-and-copy' });
  await waitGone(memory.pid);
  await memory.writesOn();
});
