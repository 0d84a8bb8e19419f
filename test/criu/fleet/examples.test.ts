import { spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { execa } from 'execa';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { criuPath } from '../../../scripts/criu-path.mjs';
import { buildCommand, main, nodeCriu } from '../../helpers/command.ts';
import { startExample } from '../../helpers/example.ts';
import { root } from '../../helpers/pages.ts';
import { temporaryDirectory, waitFor } from '../../helpers/workload.ts';

beforeAll(buildCommand);

const examples = join(root, 'examples/fleet');
const [compose = '', unit = ''] = await Promise.all(
  ['compose.yaml', 'node-criu-agent.service'].map((name) => readFile(join(examples, name), 'utf8')),
);
/** The address of Redis in the unit, which its certificate is for. */
const REDIS = 'redis.example.org';

test('the example drains a host of a fleet that is set up as the other examples say', async () => {
  const directory = await temporaryDirectory();
  const certificates = join(directory, 'certificates');
  await makeCertificates(certificates);
  await startRedis(directory);
  const ca = join(certificates, 'ca.pem');
  const [{ privateKey, publicKey }, key] = [generateKeyPairSync('ed25519'), join(directory, 'key')];
  await writeFile(key, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const pem = String(publicKey.export({ type: 'spki', format: 'pem' }));
  const agents = await Promise.all([
    startAgent(directory, 'host-a', '192.0.2.1', pem),
    startAgent(directory, 'host-b', '192.0.2.2', pem),
  ]);

  const url = (user: string) => `rediss://${user}:${user}-secret@127.0.0.1:6380`;
  const connection = ['--redis', url('operator'), '--redis-ca', ca];
  const [run, stranger] = await Promise.all([
    nodeCriu([
      ...['fleet', 'run', 'web', '--on', 'host-a', ...connection],
      ...['--operator', 'ada', '--key', key, '--', 'sleep', '1000'],
    ]),
    nodeCriu(['fleet', 'hosts', '--redis', url('viewer')]),
  ]);
  expect(run).toMatchObject({ exitCode: 0, stdout: 'web runs on host-a' });
  expect(stranger).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('certificate') });

  // As its first lines say.
  const env = { NODE_EXTRA_CA_CERTS: ca, NODE_CRIU_REDIS: url('operator') };
  const drain = await startExample('fleet/fleet.js', ['host-a', 'ada', key], { env });
  const { code, output } = await drain.ended;
  expect({ code, output }).toMatchObject({ code: 0 });
  expect(output).toMatch(
    /^1 move, .* +1 +web +host-a +host-b .*\n1 of 1 moved\nweb host-b done\n$/s,
  );

  // What systemd does to stop the unit.
  for (const { child } of agents) child.kill('SIGTERM');
  for (const { ended } of agents) expect(await ended).toMatchObject({ exitCode: 0 });
  const { stdout } = await execa('ps', ['-eo', 'pid=,args=']);
  const running = [...stdout.matchAll(/^ *(\d+) sleep 1000$/gm)].map(([, pid]) => Number(pid));
  expect(running).toHaveLength(1);
  for (const pid of running) process.kill(pid, 'SIGKILL');
});

test('systemd understands the unit', async () => {
  const file = join(await temporaryDirectory(), 'node-criu-agent.service');
  await writeFile(file, unit.replace('/usr/local/bin/node-criu', main));
  const { all, exitCode } = await execa('systemd-analyze', ['verify', file], {
    all: true,
    reject: false,
  });
  expect({ all, exitCode }).toEqual({ all: '', exitCode: 0 });
});

/** Calls the commands that the compose file names, and those for the hosts. */
async function makeCertificates(certificates: string): Promise<void> {
  const [init = '', redis = ''] = [
    ...compose.replace(/\n#/g, '').matchAll(/node-criu (cert .*?)[,.]/g),
  ].map(([, words = '']) => words);
  const call = async (words: string) => {
    const args = words.split(' ').map((word) => {
      if (word === 'ADDRESS-OF-THIS-HOST') return '127.0.0.1';
      return word === 'certificates' ? certificates : word;
    });
    expect(await nodeCriu(args)).toMatchObject({ exitCode: 0 });
  };
  await call(init);
  await Promise.all([
    call(redis),
    call('cert host certificates host-a 192.0.2.1'),
    call('cert host certificates host-b 192.0.2.2'),
  ]);
}

/** Starts a Redis with the command of the compose file. */
async function startRedis(directory: string): Promise<void> {
  const [, listed = ''] = /\n {4}command:\n((?: {6}- .*\n)+)/.exec(compose) ?? [];
  const [file = '', ...args] = [...listed.matchAll(/- "?(.*?)"?\n/g)].map(([, word = '']) =>
    word
      .replace(/^\/certificates\//, `${directory}/certificates/`)
      .replace(/^\/users\.acl$/, join(examples, 'users.acl')),
  );
  const server = spawn(file, args, { cwd: directory, stdio: 'ignore' });
  const exit = once(server, 'exit');
  onTestFinished(async () => {
    server.kill();
    await exit;
  });
  await waitFor(
    () =>
      new Promise<boolean>((resolve) => {
        const socket = connect(6380, '127.0.0.1');
        socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
        socket.once('connect', () => socket.destroy());
      }),
    'Redis listens',
  );
}

/** Starts an agent with the command of the unit, with the files that the unit names. */
async function startAgent(directory: string, name: string, address: string, operator: string) {
  await execa('ip', ['address', 'add', `${address}/32`, 'dev', 'lo']);
  const etc = join(directory, name);
  await mkdir(join(etc, 'operators'), { recursive: true });
  await writeFile(join(etc, 'operators', 'ada.pub'), operator);
  await writeFile(join(etc, 'redis-password'), 'agent-secret\n');
  for (const [from, to] of [
    ['ca.pem', 'ca.pem'],
    [`${name}.pem`, 'host.pem'],
    [`${name}.key`, 'host.key'],
  ] as const) {
    await writeFile(join(etc, to), await readFile(join(directory, 'certificates', from)), {
      mode: 0o600,
    });
  }
  const [, variable = '', value = ''] = /^Environment=(\w+)=(.*)$/m.exec(unit) ?? [];
  const [, command = ''] = /^ExecStart=((?:.*\\\n)*.*)$/m.exec(unit) ?? [];
  const args = command
    .replaceAll('\\\n', ' ')
    .split(/ +/)
    .map((word) =>
      word
        .replace('/usr/local/bin/node-criu', main)
        .replace('/etc/node-criu', etc)
        .replace('%H', name)
        .replace('192.0.2.1:', `${address}:`),
    );
  // It keeps its journals in /var/lib.
  const ownFiles = 'mount -t tmpfs none /var/lib && exec "$@"';
  const child = execa('unshare', ['--mount', 'sh', '-c', ownFiles, 'sh', ...args], {
    env: {
      CRIU_PATH: criuPath(),
      FORCE_COLOR: undefined,
      [variable]: value.replace(REDIS, '127.0.0.1'),
    },
    reject: false,
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  let said = '';
  child.stderr.on('data', (text: Buffer) => {
    said += text;
  });
  await waitFor(() => child.exitCode !== null || said.includes('"listening"'), `${name} is ready`);
  expect(said).toContain('"listening"');
  return { child, ended: child };
}
