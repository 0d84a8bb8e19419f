import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { counting } from '../../helpers/checkpoints.ts';
import { buildCommand, events, nodeCriu } from '../../helpers/command.ts';
import { compileFixture } from '../../helpers/compile.ts';
import {
  client,
  killAfterTest,
  startCounter,
  temporaryDirectory,
  waitGone,
} from '../../helpers/workload.ts';

beforeAll(buildCommand);

test('lazy-restore restores what restore --lazy-pages cannot, and ends with all of the memory', async () => {
  const directory = await temporaryDirectory();
  const [images, numbers] = [join(directory, 'images'), join(directory, 'numbers')];
  const { stdout } = await nodeCriu(['run', await compileFixture('counter'), numbers]);
  const pid = Number(stdout);
  killAfterTest(pid);
  const counter = counting(numbers, pid);
  await counter.countsOn();
  await nodeCriu(['dump', stdout, '-D', images]);
  await waitGone(pid);

  const refused = await nodeCriu(['restore', '-D', images, '--lazy-pages']);
  expect(refused).toMatchObject({ exitCode: 1, stdout: '' });
  expect(refused.stderr).toContain('use node-criu lazy-restore, which starts one');

  const restored = await nodeCriu(['lazy-restore', '-D', images, '--json']);
  expect(restored).toMatchObject({ exitCode: 0, stderr: '' });
  expect(events(restored.stdout).at(-1)).toMatchObject({
    ...{ event: 'result', pid, pages: expect.any(Number) },
  });
  await counter.countsOn();
});

test('iterate says plainly that the kernel does not track changed memory', async (context) => {
  const { memTrack } = await client().features();
  if (memTrack) context.skip();
  const counter = await startCounter();
  const images = join(await temporaryDirectory(), 'images');
  const args = ['iterate', String(counter.pid), '-D', images, '--tracking', 'soft-dirty'];
  expect(await nodeCriu(args)).toEqual({
    exitCode: 3,
    stdout: '',
    stderr:
      'node-criu: this kernel does not track changed memory (it lacks CONFIG_MEM_SOFT_DIRTY): ' +
      'make a plain dump instead (ERR_CRIU_NO_MEM_TRACK)',
  });
  await counter.countsOn();
});
