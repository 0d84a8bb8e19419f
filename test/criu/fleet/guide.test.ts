import { chmod, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { beforeAll, expect, test } from 'vitest';
import { criuPath } from '../../../scripts/criu-path.mjs';
import { buildCommand, main } from '../../helpers/command.ts';
import { codeBlocks, root } from '../../helpers/pages.ts';
import { temporaryDirectory, waitGone } from '../../helpers/workload.ts';

beforeAll(buildCommand);

/** The code blocks of a section of docs/fleet.md. */
async function blocksOf(heading: string): Promise<string[]> {
  const path = 'docs/fleet.md';
  const text = await readFile(join(root, path), 'utf8');
  const [, section = ''] = text.split(`\n## ${heading}\n`);
  const [own = ''] = section.split('\n## ');
  return codeBlocks({ path, text: own }, ['bash', 'sh', 'js']).map(({ code }) => code);
}

test('the first fleet of the guide runs as it is written', async () => {
  const [start = '', use = '', library = '', ...others] = await blocksOf('A first fleet');
  expect(others).toEqual([]);
  const directory = await temporaryDirectory();
  // As if node-criu were installed there.
  const modules = join(directory, 'node_modules');
  await mkdir(join(modules, '.bin'), { recursive: true });
  await symlink(root, join(modules, 'node-criu'));
  await symlink(main, join(modules, '.bin/node-criu'));
  await writeFile(join(modules, '.bin/npx'), '#!/bin/sh\nexec "$@"\n');
  await chmod(join(modules, '.bin/npx'), 0o755);
  await writeFile(join(directory, 'library.mjs'), library);
  const said = join(directory, 'said');
  const script = `
    set -e
    exec > ${said} 2>&1
    ${start}
    until [ "$(grep -c ' takes orders ' ${said})" = 2 ]; do sleep 0.05; done
    ${use}
    echo "the library:"
    node ../library.mjs
    agents=$(jobs -p)
    kill $agents
    for agent in $agents; do wait $agent; done
    redis-cli -p 6390 info server | sed -n 's/^process_id:/redis is /p'`;
  const { exitCode } = await execa('bash', ['-c', script], {
    ...{ cwd: directory, reject: false, timeout: 50_000, stdio: 'ignore' },
    env: {
      ...{ CRIU_PATH: criuPath(), FORCE_COLOR: undefined },
      PATH: `${join(modules, '.bin')}:${process.env.PATH}`,
    },
  });
  const text = await readFile(said, 'utf8');
  expect({ exitCode, text }).toMatchObject({ exitCode: 0 });
  const redis = Number(/^redis is (\d+)$/m.exec(text)?.[1]);
  process.kill(redis, 'SIGTERM');
  const [byCommand = '', byLibrary = ''] = text.split('the library:\n');
  expect(byCommand).toMatch(/^web runs on host-a\n1 move, .* 1 +web +host-a +host-b /ms);
  expect(byCommand).toMatch(/^web moved from host-a to host-b, .*^web +host-b +running /ms);
  expect(byLibrary).toMatch(/^1 move, .* 1 +web +host-b +host-a .*\n\[ \[ 'web', 'done' \] \]\n/s);
  // It runs once, and on without the agents.
  const { stdout } = await execa('ps', ['-eo', 'pid=,args=']);
  const running = [...stdout.matchAll(/^ *(\d+) sleep 1000$/gm)].map(([, pid]) => Number(pid));
  expect(running).toHaveLength(1);
  for (const pid of running) process.kill(pid, 'SIGKILL');
  // It writes to the directory until it has ended.
  await waitGone(redis);
});
