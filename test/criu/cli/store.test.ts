import { readdir } from 'node:fs/promises';
import { beforeAll, expect, test } from 'vitest';
import { buildCommand, nodeCriu } from '../../helpers/command.ts';
import {
  killAfterTest,
  startCounter,
  temporaryDirectory,
  waitGone,
} from '../../helpers/workload.ts';

beforeAll(buildCommand);

test('checkpoint, list, prune and rm keep checkpoints in a store, and restore takes their path', async () => {
  const store = await temporaryDirectory();
  const counter = await startCounter();
  const pid = String(counter.pid);
  const given = ['--store', store, '--name', 'web', '--incremental', '--quiet'];
  expect(await nodeCriu(['list', store, '--latest'])).toEqual({
    ...{ exitCode: 1, stdout: '', stderr: '' },
  });
  const paths: string[] = [];
  for (const more of [['--leave-running'], ['--leave-running'], []]) {
    const { exitCode, stdout, stderr } = await nodeCriu(['checkpoint', pid, ...given, ...more]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    paths.push(stdout);
  }
  await waitGone(counter.pid);
  const [first, , last] = paths.map((path) => path.slice(store.length + 1)) as [
    string,
    string,
    string,
  ];
  const { stdout: listed } = await nodeCriu(['list', store, '--name', 'web']);
  expect(listed.split('\n').map((line) => line.split(/ {2,}/))).toEqual([
    ['ID', 'PID', 'SIZE', 'COMMAND'],
    ...paths
      .toReversed()
      .map((path) => [
        ...[path.slice(store.length + 1), pid, expect.stringMatching(/KiB$/)],
        expect.stringMatching(/counter .*numbers$/),
      ]),
  ]);
  expect(await nodeCriu(['list', store, '--latest'])).toMatchObject({ stdout: paths[2] });

  expect(await nodeCriu(['rm', store, first])).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('needs: remove that first'),
  });
  expect(await nodeCriu(['prune', store, '--keep-last', '1', '--dry-run'])).toMatchObject({
    ...{ exitCode: 0, stdout: '', stderr: '0 checkpoints would be removed, 0 bytes' },
  });
  killAfterTest(counter.pid);
  expect(await nodeCriu(['restore', '-D', paths[2] as string])).toMatchObject({ stdout: pid });
  await counter.countsOn();
  expect(await nodeCriu(['rm', store, last])).toMatchObject({ exitCode: 0, stderr: '' });
  const pruned = await nodeCriu([
    'prune',
    store,
    '--max-bytes',
    '0',
    '--keep-within',
    '7d',
    '--json',
  ]);
  expect(JSON.parse(pruned.stdout)).toMatchObject({ event: 'result', removed: [] });
  expect(await readdir(store)).toHaveLength(2);
});
