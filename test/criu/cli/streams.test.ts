import { execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from 'vitest';
import { streamingCriuPath } from '../../../scripts/criu-path.mjs';
import { buildCommand, main, nodeCriu } from '../../helpers/command.ts';
import { startMemoryWorkload } from '../../helpers/memory-workload.ts';
import { noteFault } from '../../helpers/reliability.ts';
import { startCounter, temporaryDirectory, waitGone } from '../../helpers/workload.ts';

beforeAll(buildCommand);

/** Runs a line of shell, in which `node-criu` is the command. */
async function shell(line: string) {
  const script = `set -o pipefail; node-criu() { '${main}' "$@"; }; ${line}`;
  const env = { ...process.env, CRIU_PATH: streamingCriuPath() };
  return await promisify(execFile)('bash', ['-c', script], { env }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    ({ code, stdout, stderr }) => ({ code, stdout, stderr }),
  );
}

test('dump --stream and restore --stream work through a file and through a pipe', async () => {
  const counter = await startCounter();
  const file = join(await temporaryDirectory(), 'app.tar.gz');
  const dumped = await shell(`node-criu dump ${counter.pid} --stream --compression gzip > ${file}`);
  expect(dumped).toMatchObject({ code: 0, stdout: '' });
  expect(dumped.stderr).toMatch(/process \d+, .*frozen for/);
  await waitGone(counter.pid);
  // The manifest is last; the images come as CRIU closes them.
  const { stdout: names } = await shell(`tar -tzf ${file}`);
  expect(names).toMatch(/^inventory\.img\n(.*\n)*node-criu\.json\n$/m);
  expect(await shell(`node-criu restore --stream < ${file}`)).toMatchObject({
    ...{ code: 0, stdout: `${counter.pid}\n` },
  });
  await counter.countsOn();

  const key = join(await temporaryDirectory(), 'key');
  await writeFile(key, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600 });
  // The last cat stands for ssh: it passes everything on before the restore begins.
  const moved = await shell(
    `node-criu dump ${counter.pid} --stream --key-file ${key} | cat > ${file} && cat ${file} | node-criu restore --stream --key-file ${key}`,
  );
  expect(moved).toMatchObject({ code: 0, stdout: `${counter.pid}\n` });
  await counter.countsOn();
  expect(await shell(`node-criu restore --stream < ${file}`)).toMatchObject({
    code: 2,
    stderr:
      'node-criu: the stream is encrypted: give --key-file or --passphrase-file (ERR_CRIU_INVALID_ARGUMENT)\n',
  });
});

test('dump --stream rolls back when nobody reads on, or the disk is full', async () => {
  const counter = await startCounter();
  const unread = await shell(`node-criu dump ${counter.pid} --stream | head -c 1000`);
  expect(unread.stderr).toContain('the stream was closed before its end');
  expect(unread.stderr).toContain('the processes run on');
  await counter.countsOn();
  const full = await shell(`node-criu dump ${counter.pid} --stream > /dev/full`);
  expect(full).toMatchObject({ code: 1 });
  expect(full.stderr).toContain('no space left on device');
  await counter.countsOn();
  await noteFault('streams', {
    fault: 'disk full that `dump --stream` writes to',
    error: 'exit code 1',
    workload: 'runs on',
    left: 'nothing',
  });
});

test('the process runs on if the command is killed while it streams', async () => {
  const workload = await startMemoryWorkload({ heapMiB: 4, hotMiB: 1, pagesPerSecond: 100 });
  const env = { ...process.env, CRIU_PATH: streamingCriuPath() };
  const stdio = ['ignore', 'pipe', 'ignore'] as const;
  // The pipe is too small for all images.
  const command = spawn(main, ['dump', String(workload.pid), '--stream'], {
    env,
    stdio: [...stdio],
  });
  await once(command.stdout as Readable, 'readable');
  command.kill('SIGKILL');
  await once(command, 'exit');
  await workload.verifyOriginal();
  await noteFault('streams', {
    fault: 'caller killed while it streams',
    error: 'none: the caller is gone; criu rolls back and ends',
    workload: 'runs on',
    left: 'a directory with the log, in that for temporary files',
  });
});

test('combinations of flags that make no sense are refused', async () => {
  const refused = async (args: readonly string[], message: string) => {
    const { exitCode, stderr } = await nodeCriu(args);
    expect(stderr).toContain(message);
    expect(exitCode).toBe(2);
  };
  await refused(['dump', '1'], "required option '-D, --images-directory <dir>' not specified");
  await refused(['restore'], "required option '-D, --images-directory <dir>' not specified");
  await refused(['dump', '1', '--stream', '--json'], '--json does not go with --stream');
  await refused(['dump', '1', '-D', 'x', '--compression', 'gzip'], 'go with --stream, without -D');
  await refused(
    ['restore', '--stream', '--key-file', 'a', '--passphrase-file', 'b'],
    'give only one of --key-file and --passphrase-file',
  );
});
