import { cp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { describeCheckpoint, editCheckpoint } from '../../../src/images.ts';
import { verifyImages } from '../../../src/index.ts';
import { startNode } from '../../helpers/node-program.ts';
import { freePort } from '../../helpers/sockets.ts';
import {
  client,
  killAfterTest,
  temporaryDirectory,
  waitFor,
  waitGone,
} from '../../helpers/workload.ts';

async function ask(to: { port: number; host?: string } | { socketPath: string }): Promise<string> {
  const response = await new Promise<Parameters<typeof text>[0]>((resolve, reject) => {
    request({ ...to, agent: false }, resolve as never)
      .once('error', reject)
      .end();
  });
  return await text(response);
}

test('a server that was edited listens elsewhere, with other files and variables', async () => {
  const criu = client();
  const base = await temporaryDirectory();
  const [old, moved] = [join(base, 'old'), join(base, 'moved')];
  await cp(resolve('test/fixtures/edited-server.mjs'), join(old, 'server.mjs'));
  const [port, other] = [await freePort('0.0.0.0'), await freePort('0.0.0.0')];
  const { pid } = await startNode([join(old, 'server.mjs'), old, String(port)], {
    cwd: old,
    env: { MODE: 'production', TOKEN: 'secret', LAST: 'one' },
  });
  const isReady = () =>
    readFile(join(old, 'ready')).then(
      () => true,
      () => false,
    );
  await waitFor(isReady, 'the server listens');
  expect(JSON.parse(await ask({ port }))).toMatchObject({ MODE: 'production', TOKEN: 'secret' });
  const images = (name: string) => join(base, 'images', name);
  const durable = false;
  await criu.dump(pid, { imagesDirectory: images('0'), leaveRunning: true, durable });
  // The pages with the environment are in the parent images.
  await criu.dump(pid, { imagesDirectory: images('1'), parentImage: '../0', durable });
  await waitGone(pid);

  const target = join(base, 'edited');
  const edited = await editCheckpoint(images('1'), target, {
    listen: [{ from: port, to: `127.0.0.1:${other}` }],
    paths: { [old]: moved },
    environment: { MODE: 'test', TOKEN: '' },
  });
  expect(edited).toMatchObject({
    rounds: 2,
    listen: [{ from: `0.0.0.0:${port}`, to: `127.0.0.1:${other}` }],
    environment: [
      { pid, name: 'MODE' },
      { pid, name: 'TOKEN' },
    ],
  });
  expect(edited.paths).toContainEqual({ from: join(old, 'app.log'), to: join(moved, 'app.log') });
  expect(edited.paths).toContainEqual({ from: join(old, 'socket'), to: join(moved, 'socket') });
  const { processes } = await describeCheckpoint(target, { secrets: true });
  expect(processes[0]?.environment).toEqual(expect.arrayContaining(['MODE=test', 'LAST=one']));
  expect(await verifyImages(target)).toEqual([]);

  await rm(images('.'), { recursive: true });
  await rename(old, moved);
  await writeFile(join(moved, 'app.log'), 'asked\n');
  killAfterTest(pid);
  await criu.restore({ imagesDirectory: target });
  expect(JSON.parse(await ask({ port: other, host: '127.0.0.1' }))).toEqual({
    listens: { address: '127.0.0.1', family: 'IPv4', port: other },
    ...{ MODE: 'test', TOKEN: '', cwd: moved },
  });
  expect(await ask({ socketPath: join(moved, 'socket') })).toBe('local');
  await waitFor(
    async () => (await readFile(join(moved, 'app.log'), 'utf8')).length > 6,
    'the log grows',
  );
  await expect(ask({ port })).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});
