import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { criuPath } from '../../../scripts/criu-path.mjs';
import { type CriuError, migrate } from '../../../src/index.ts';
import { compileFixture } from '../../helpers/compile.ts';
import { allowLargePipes } from '../../helpers/large-pipes.ts';
import { LibraryProcess } from '../../helpers/library-process.ts';
import { bootedAnew } from '../../helpers/migration-host.ts';
import { sample } from '../../helpers/sample.ts';
import { startProgram, temporaryDirectory, waitFor, waitGone } from '../../helpers/workload.ts';

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
      const stdout = join(await temporaryDirectory(), 'said');
      const program = await startProgram(await compileFixture('remap'), [], { stdout });
      const said = async () => await readFile(stdout, 'utf8');
      await waitFor(async () => (await said()).includes('ready'), 'the mappings are made');
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
      await send('SIGUSR1');
      await waitFor(async () => /^(ok|page) /m.test(await said()), 'the memory is checked');
      expect(await said()).toMatch(/^ready\nok \d+\n$/);
      await send('SIGKILL');
    }
  },
  60_000 + 20_000 * RUNS,
);
