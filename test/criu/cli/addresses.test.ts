import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { criuPath } from '../../../scripts/criu-path.mjs';
import { buildCommand, main, nodeCriu, startNodeCriu } from '../../helpers/command.ts';
import { startLab } from '../../helpers/lab.ts';
import { startMemoryWorkload } from '../../helpers/memory-workload.ts';
import { serve } from '../../helpers/serve-command.ts';
import { isAlive, temporaryDirectory, waitFor, waitGone } from '../../helpers/workload.ts';
import type { Host } from '../../lab/hosts.mjs';
import { startScene } from '../../lab/migration.mjs';
import type { Report } from '../../lab/programs.mjs';

beforeAll(buildCommand);

test('--switch-over moves the address to the other host and --address moves it back', async () => {
  const lab = await startLab();
  const scene = await startScene(lab, { host: lab.serviceAddress });
  await lab.makeServiceBindable();
  const inside = (name: string) => join(lab.directory, name);
  const trust = ({ ca, cert, key }: { ca: string; cert: string; key: string }) => [
    ...['--ca', ca, '--cert', cert, '--key', key],
  ];
  const env = { ...process.env, CRIU_PATH: criuPath() };
  const serveOn = async (host: Host, ...flags: string[]) => {
    const { address, name } = host;
    const serving = host.spawn(
      process.execPath,
      [main, 'serve', `${address}:7007`, '-D', inside(name), ...trust(scene.tls[name]), ...flags],
      { env, stdio: ['ignore', 'pipe', 'ignore'] },
    );
    let listens = '';
    serving.stdout?.on('data', (text: Buffer) => {
      listens += text;
    });
    await waitFor(() => listens.includes('listening'), 'serve listens');
  };
  const migrateFrom = (from: Host, to: Host, ...flags: string[]) => {
    const [nsenter = '', ...way] = from.inside(process.execPath, [main, 'migrate']);
    return startNodeCriu(
      [
        ...[...way, String(scene.pid), `${to.address}:7007`, '-D', inside(from.name)],
        ...['--mode', 'stop-and-copy', '--tcp-established', '--network-lock', 'nftables'],
        ...[...flags, ...trust(scene.tls[from.name])],
      ],
      nsenter,
    );
  };
  await serveOn(lab.b);
  // The command cannot reach the other host's network, so the test moves the address there.
  const move = [
    `ip addr del ${lab.serviceAddress}/32 dev eth0`,
    `echo "$NODE_CRIU_ID $NODE_CRIU_PID $NODE_CRIU_DESTINATION" > ${inside('taken')}`,
    `until [ -e ${inside('given')} ]; do sleep 0.01; done`,
  ];
  const migrating = migrateFrom(lab.a, lab.b, '--switch-over', move.join(' && '));
  await waitFor(() => existsSync(inside('taken')), 'the address is taken');
  await lab.giveService(lab.b);
  await writeFile(inside('given'), '');
  const { exitCode, stderr } = await (await migrating).ended;
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });

  await scene.client.answersOn();
  expect(await scene.here.ask('isAlive', { pid: scene.pid })).toBe(false);

  await serveOn(lab.a, '--allow-address', '10.77.0.0/24@eth0');
  const back = await migrateFrom(lab.b, lab.a, '--address', `${lab.serviceAddress}/32`);
  expect(await back.ended).toMatchObject({ exitCode: 0 });
  await scene.client.answersOn();
  const report = await scene.client.ask<Report>('stop');
  expect(report).toMatchObject({ connections: 1, faults: [] });
  const taken = await readFile(inside('taken'), 'utf8');
  expect(taken).toMatch(new RegExp(`^[0-9a-f-]{36} ${scene.pid} ${lab.b.address}\n$`));
}, 120_000);

test.each([
  ['echo before >&2; echo said; echo "no such device" >&2; exit 3', 'exit code 3: no such device'],
  ['kill -9 $$', 'was killed by SIGKILL'],
])(
  'a --switch-over that fails (%j) is reported and undone, and the original continues',
  async (line, why) => {
    const { memory, args, directory } = await twoHosts();
    const undone = join(directory, 'undone');
    const { exitCode, stdout, stderr } = await nodeCriu([
      ...[...args, '--switch-over', line],
      ...['--switch-back', `echo $NODE_CRIU_PID > ${undone}`],
    ]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr).toMatch(
      /^node-criu: .*phase switch-over: --switch-over .* \(the original runs on\)/m,
    );
    expect(stderr.split('\n').at(-1)).toContain(why);
    expect(await readFile(undone, 'utf8')).toBe(`${memory.pid}\n`);
    await memory.verify();
    await memory.writesOn();
  },
);

test('the output of the commands is forwarded, and a background process does not delay the migration', async () => {
  const { memory, args } = await twoHosts();
  const line = 'sleep 1000 & echo moving; echo moved >&2; echo $! > pid';
  const directory = await temporaryDirectory();
  const { exitCode, stdout, stderr } = await nodeCriu(
    [...args, '--json', '--switch-over', line],
    directory,
  );
  process.kill(Number(await readFile(join(directory, 'pid'), 'utf8')), 'SIGKILL');
  expect(exitCode).toBe(0);
  expect(stderr.split('\n').sort()).toEqual(['moved', 'moving']);
  expect(stdout).not.toMatch(/^moving$/m);
  await waitGone(memory.pid);
});

test('Ctrl-C ends a --switch-over with its descendants, and the original continues', async () => {
  const { memory, args, directory } = await twoHosts();
  const [pids, undone] = [join(directory, 'pids'), join(directory, 'undone')];
  const command = await startNodeCriu([
    ...[...args, '--switch-over', `sleep 1000 & echo $! > ${pids}; echo moving; wait`],
    ...['--switch-back', `touch ${undone}`],
  ]);
  await waitFor(() => /^moving$/m.test(command.stderr()), 'the command runs');
  process.kill(command.pid, 'SIGINT');
  const { exitCode, stderr } = await command.ended;
  expect({ exitCode, stderr }).toMatchObject({ exitCode: 130 });
  expect(stderr).toContain('(the original runs on)');
  expect(existsSync(undone)).toBe(true);
  const started = Number(await readFile(pids, 'utf8'));
  await waitFor(async () => !(await isAlive(started)), 'its child has ended');
  await memory.writesOn();
});

/** A process, a destination, and the arguments of the command that migrates the process. */
async function twoHosts() {
  const directory = await temporaryDirectory();
  const { port } = await serve('127.0.0.1:0', '-D', join(directory, 'there'), '--insecure');
  const memory = await startMemoryWorkload({ heapMiB: 16, hotMiB: 1, pagesPerSecond: 500 });
  const args = ['migrate', String(memory.pid), `127.0.0.1:${port}`, '--insecure'];
  const how = ['-D', join(directory, 'here'), '--mode', 'stop-and-copy'];
  return { memory, directory, args: [...args, ...how] };
}
