import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'vitest';
import { criuPath } from '../../../scripts/criu-path.mjs';
import { migrate } from '../../../src/index.ts';
import { LibraryProcess } from '../../helpers/library-process.ts';
import { bootedAnew } from '../../helpers/migration-host.ts';
import { startRemapWorkload } from '../../helpers/remap-workload.ts';
import { sample } from '../../helpers/sample.ts';
import { temporaryDirectory, waitGone } from '../../helpers/workload.ts';

const RUNS = sample('lazy migrations of a program that changes its mappings', 20, 2);

// CRIU's own lazy-pages daemon loses track of such memory now and then.
test.each(['post-copy', 'hybrid', 'pre-copy'] as const)(
  '%s of a program that changes its mappings moves its memory',
  async (mode) => {
    const host = await LibraryProcess.start(await bootedAnew());
    const limits = { stallMs: 2000, insecure: true };
    // CRIU's own daemon would read it, and would not find the memory.
    const configFile = join(await temporaryDirectory(), 'criu.conf');
    await writeFile(configFile, 'verbosity 4\n');
    const port = await host.ask<number>('serve', {
      ...{ listen: { host: '127.0.0.1', port: 0 }, ...limits },
      ...{ directory: await temporaryDirectory(), restore: { configFile } },
    });
    for (let run = 0; run < RUNS; run++) {
      const program = await startRemapWorkload();
      const { result } = migrate(program.pid, {
        ...{ to: { host: '127.0.0.1', port }, ...limits, path: criuPath(), mode },
        directory: await temporaryDirectory(),
      });
      const { pid } = await result;
      await waitGone(program.pid);
      await program.verify(() => host.ask('kill', { pid, signal: 'SIGUSR1' }));
      await host.ask('kill', { pid, signal: 'SIGKILL' });
    }
  },
  60_000 + 20_000 * RUNS,
);
