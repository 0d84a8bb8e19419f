import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { criuPath } from '../../../scripts/criu-path.mjs';
import { migrate } from '../../../src/index.ts';
import { compileFixture } from '../../helpers/compile.ts';
import { MigrationHost } from '../../helpers/migration-host.ts';
import { startProgram, temporaryDirectory, waitFor, waitGone } from '../../helpers/workload.ts';

test.each(['stop-and-copy', 'post-copy'] as const)(
  '%s moves a parent and a child, each with a thread',
  async (mode) => {
    const file = join(await temporaryDirectory(), 'numbers');
    const { pid } = await startProgram(await compileFixture('quartet'), [file]);
    const numbersOf = async (name: string) =>
      (await readFile(file, 'utf8').catch(() => ''))
        .split('\n')
        .flatMap((line) => (line.startsWith(`${name} `) ? [Number(line.split(' ')[1])] : []));
    const names = ['parent', "parent's", 'child', "child's"];
    const countOn = async () => {
      for (const name of names) {
        const before = (await numbersOf(name)).length;
        await waitFor(async () => (await numbersOf(name)).length > before, `${name} counts on`);
      }
    };
    await countOn();
    const host = await MigrationHost.start({ insecure: true });
    await migrate(pid, {
      ...{ to: { host: '127.0.0.1', port: host.ports[0] }, insecure: true, mode },
      ...{ directory: await temporaryDirectory(), path: criuPath() },
    }).result;
    await waitGone(pid);
    await countOn();
    for (const name of names) {
      const numbers = await numbersOf(name);
      expect(numbers).toEqual(numbers.map((_, index) => index + 1));
    }
  },
);
