import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { onTestFinished } from 'vitest';
import type { Certificate } from './certificates.ts';
import { temporaryDirectory, waitFor } from './workload.ts';

/** The user of a registry that asks for one. */
export const USER = { username: 'tester', password: 'secret' };
/** The same with a hash of the password. */
const HTPASSWD = 'tester:$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW\n';

/** Starts Debian's registry of images on a free port of the loopback; returns its address. */
export async function startRegistry({
  withUser = false,
  tls,
}: {
  withUser?: boolean;
  tls?: Certificate;
} = {}): Promise<string> {
  const directory = await temporaryDirectory();
  await mkdir(join(directory, 'blobs'));
  await writeFile(join(directory, 'users'), HTPASSWD);
  const auth = { htpasswd: { realm: 'tests', path: join(directory, 'users') } };
  const configuration = {
    version: '0.1',
    // Its own line of the log says which port it has got.
    log: { level: 'info', formatter: 'json', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: join(directory, 'blobs') } },
    http: {
      addr: '127.0.0.1:0',
      ...(tls && { tls: { certificate: tls.cert, key: tls.key } }),
    },
    ...(withUser && { auth }),
  };
  const path = join(directory, 'registry.yml');
  await writeFile(path, JSON.stringify(configuration));
  const log = join(directory, 'log');
  const server = execa('docker-registry', ['serve', path], {
    ...{ stdin: 'ignore', stdout: { file: log }, stderr: { file: log }, reject: false },
  });
  onTestFinished(async () => {
    server.kill();
    await server;
  });
  const port = async () =>
    /listening on 127\.0\.0\.1:(\d+)/.exec(await readFile(log, 'utf8').catch(() => ''))?.[1];
  await waitFor(async () => (await port()) !== undefined, 'the registry listens');
  return `127.0.0.1:${await port()}`;
}
