import { beforeAll, expect, test } from 'vitest';
import { criuPath } from '../../../scripts/criu-path.mjs';
import { type CriuError, migrate } from '../../../src/index.ts';
import { allowLargePipes } from '../../helpers/large-pipes.ts';
import { LibraryProcess } from '../../helpers/library-process.ts';
import { bootedAnew } from '../../helpers/migration-host.ts';
import { startRemapWorkload } from '../../helpers/remap-workload.ts';
import { sample } from '../../helpers/sample.ts';
import { temporaryDirectory, waitGone } from '../../helpers/workload.ts';

const RUNS = sample('lazy migrations of a program that changes its mappings', 20, 2);

beforeAll(allowLargePipes);

// CRIU's lazy-pages daemon may lose track of such memory. Then the original has to run on.
test.each([
  ['post-copy', false],
  ['hybrid', false],
  ['pre-copy', true],
] as const)(
  '%s of a program that changes its mappings leaves one with the right memory',
  async (mode, lazyRestore) => {
    const host = await LibraryProcess.start(await bootedAnew());
    const limits = { stallMs: 2000, insecure: true };
    const port = await host.ask<number>('serve', {
      ...{ listen: { host: '127.0.0.1', port: 0 }, ...limits },
      directory: await temporaryDirectory(),
    });
    for (let run = 0; run < RUNS; run++) {
      const program = await startRemapWorkload();
      const { result } = migrate(program.pid, {
        ...{ to: { host: '127.0.0.1', port }, ...limits, path: criuPath(), mode, lazyRestore },
        directory: await temporaryDirectory(),
      });
      const moved = await result.catch((error: CriuError) => error);
      const isBack = moved instanceof Error;
      if (isBack) {
        expect(moved).toMatchObject({ code: 'ERR_CRIU_MIGRATION_FAILED', workload: 'running' });
      } else {
        await waitGone(program.pid);
      }
      const send = async (signal: 'SIGUSR1' | 'SIGKILL') => {
        if (isBack) process.kill(program.pid, signal);
        else await host.ask('kill', { pid: moved.pid, signal });
      };
      await program.verify(() => send('SIGUSR1'));
      await send('SIGKILL');
    }
  },
  60_000 + 20_000 * RUNS,
);
