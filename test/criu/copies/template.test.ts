import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { criuPath } from '../../../scripts/criu-path.mjs';
import { FirstPages } from '../../../src/copies/first-pages.ts';
import { Template } from '../../../src/copies/template.ts';
import { type CopyOptions, verifyImages } from '../../../src/index.ts';
import { descendantsOf } from '../../../src/procfs/tree.ts';
import { askCopy, serverTemplate, startCopy, TEMPLATE_PORT } from '../../helpers/copies.ts';
import { failureOf } from '../../helpers/failures.ts';
import { nodeOptions, nodePath } from '../../helpers/node-versions.ts';
import { holdings } from '../../helpers/own-resources.ts';
import { client, isAlive, temporaryDirectory, waitFor } from '../../helpers/workload.ts';

const url = `http://127.0.0.1:${TEMPLATE_PORT}/`;

test('copies of a server run side by side, each from where the template was', async () => {
  const template = await serverTemplate({ ready: { url }, warmUp: { url, requests: 3 } });
  expect(await verifyImages(template.imagesDirectory, { deep: true })).toEqual([]);
  const start = (options?: CopyOptions) =>
    startCopy(template, { publish: [{ to: TEMPLATE_PORT }], stdout: 'pipe', ...options });
  const starting = new AbortController();
  const copies = await Promise.all([
    start({ signal: starting.signal }),
    start(),
    start({ lazyPages: false }),
  ]);
  // A copy that has started does not end with the signal any more.
  starting.abort();

  const first = await Promise.all(copies.map((copy) => askCopy(copy)));
  const started = first[0]?.started;
  // One request asked whether the server is ready, three warmed it up.
  expect(first).toEqual(
    copies.map(() => ({ requests: 5, started, pid: 2, ppid: 1, args: ['18080'], tenant: null })),
  );
  expect((await askCopy(copies[0] as (typeof copies)[0])).requests).toBe(6);
  expect((await askCopy(copies[1] as (typeof copies)[0])).requests).toBe(6);
  expect(new Set(copies.map(({ id }) => id)).size).toBe(3);

  const [gentle, killed, crashed] = copies;
  gentle?.kill('SIGUSR2');
  const said: string[] = [];
  gentle?.stdout?.on('data', (chunk) => said.push(String(chunk)));
  await waitFor(() => said.join('') === 'got SIGUSR2\n', 'the copy gets a signal');
  gentle?.kill();
  killed?.kill('SIGKILL');
  expect(await gentle?.exited).toEqual({ code: 3, signal: null });
  expect(await killed?.exited).toEqual({ code: null, signal: 'SIGKILL' });
  // The program, not its init.
  const [, program] = descendantsOf(crashed?.pid ?? 0);
  process.kill(program ?? 0, 'SIGSEGV');
  expect(await crashed?.exited).toEqual({ code: 128 + 11, signal: null });
});

test('a copy has the pages first that those before it have waited for', async () => {
  const added = vi.spyOn(FirstPages.prototype, 'add');
  onTestFinished(() => added.mockRestore());
  const { imagesDirectory } = await serverTemplate();
  const internal = { path: criuPath(), defaults: {} };
  const template = await Template.open('openTemplate', internal, imagesDirectory, undefined);
  const learned = () => added.mock.calls.some(([pages]) => pages.length > 0);
  // One that gets a processor only when all of its memory is there waits for nothing.
  for (let copies = 0; copies < 20 && !learned(); copies++) {
    const copy = await startCopy(template, { publish: [{ to: TEMPLATE_PORT }] });
    await askCopy(copy);
    await copy.close();
  }
  expect(learned()).toBe(true);
  const next = await startCopy(template, { publish: [{ to: TEMPLATE_PORT }] });
  expect(await askCopy(next)).toMatchObject({ pid: 2 });
  const { marked } = added.mock.contexts.at(-1) as FirstPages;
  expect([...marked.values()].flat().some(({ isFirst }) => isFirst)).toBe(true);
});

test('a template can be named by a path that is relative to the working directory', async () => {
  const imagesDirectory = relative(process.cwd(), await temporaryDirectory());
  const template = await serverTemplate({ imagesDirectory });
  const opened = await client().openTemplate(imagesDirectory);
  for (const one of [template, opened]) {
    const copy = await startCopy(one, { publish: [{ to: TEMPLATE_PORT }] });
    expect(await askCopy(copy)).toMatchObject({ pid: 2 });
  }
});

test('nothing is left of copies that have ended', async () => {
  const template = await serverTemplate();
  const scratch = async () =>
    (await readdir(tmpdir())).filter((name) => name.startsWith('node-criu-copy-'));
  const mounts = () => readFile('/proc/self/mountinfo', 'utf8');
  const look = async () => ({
    ...(await holdings()),
    scratch: await scratch(),
    mounts: await mounts(),
  });
  const run = async () => {
    const copy = await template.start({ publish: [{ to: TEMPLATE_PORT }], stdout: 'pipe' });
    // Its child ends after its parent, which the init reaps.
    await askCopy(copy, '/orphan');
    const { pid } = copy;
    await waitFor(async () => descendantsOf(pid).length === 2, 'the orphan is reaped');
    await copy[Symbol.asyncDispose]();
    expect(await isAlive(pid)).toBe(false);
  };
  await run();
  const before = await look();
  for (let turn = 0; turn < 3; turn++) await run();
  expect(await look()).toEqual(before);
});

test('a copy that would share a port is refused, unless the program allows it', async () => {
  const template = await serverTemplate();
  const first = await startCopy(template);
  const refused = await failureOf(template.start());
  expect(refused).toMatchObject({
    code: 'ERR_CRIU_ADDRESS_IN_USE',
    message: expect.stringContaining(`port ${TEMPLATE_PORT} of the template is in use`),
  });
  await first.close();
  await startCopy(template);

  const script = `require('http').createServer((_, r) => r.end(String(process.pid)))
    .listen({ port: 18081, host: '127.0.0.1', reusePort: true })`;
  const sharing = await client().template(nodePath(24), [...nodeOptions(24), '-e', script], {
    imagesDirectory: join(await temporaryDirectory(), 'images'),
    ready: { port: 18_081 },
  });
  await Promise.all([startCopy(sharing), startCopy(sharing)]);
});

test('a template can have namespaces, a user and an environment of its own', async () => {
  const directory = await temporaryDirectory();
  const script = `
    const { execFileSync } = require('node:child_process');
    const links = ['ipc', 'net', 'uts'].map((n) => require('fs').readlinkSync('/proc/self/ns/' + n));
    console.log(JSON.stringify([links, process.getuid(), process.getgroups(), process.env.ONLY, process.cwd()]));
    require('net').createServer().listen(18082, '127.0.0.1');
    setInterval(() => console.log(require('fs').readlinkSync('/proc/self/ns/net')), 20);`;
  const template = await client().template(nodePath(22), ['-e', script], {
    imagesDirectory: join(directory, 'images'),
    namespaces: ['ipc', 'net', 'uts'],
    ready: { line: '"yes"' },
    env: { ONLY: 'yes' },
    cwd: '/usr',
    ...{ uid: 0, gid: 0, groups: [7] },
    stdout: join(directory, 'out'),
  });
  const [line = ''] = (await readFile(join(directory, 'out'), 'utf8')).split('\n');
  const [links, ...rest] = JSON.parse(line);
  expect(rest).toEqual([0, [7, 0], 'yes', '/usr']);
  for (const kind of ['ipc', 'net', 'uts']) {
    expect(links.join()).not.toContain(await readlinkOf(kind));
  }
  // Two copies have a network each, though both listen on one port.
  const copies = await Promise.all([
    startCopy(template, { stdout: 'pipe' }),
    startCopy(template, { stdout: 'pipe' }),
  ]);
  const networks = await Promise.all(
    copies.map(async ({ stdout }) => {
      for await (const chunk of stdout ?? []) return String(chunk).trim();
      return undefined;
    }),
  );
  expect(new Set([...networks, links[1]]).size).toBe(3);
});

async function readlinkOf(kind: string): Promise<string> {
  const { readlink } = await import('node:fs/promises');
  return await readlink(`/proc/self/ns/${kind}`);
}

test('a program that does not become ready is ended, and the error says why', async () => {
  const directory = await temporaryDirectory();
  const criu = client();
  const make = (script: string, options: object) =>
    failureOf(
      criu.template('sh', ['-c', script], {
        imagesDirectory: join(directory, 'images'),
        ready: { line: 'up' },
        ...options,
      }),
    );
  const before = await holdings();
  expect(await make('echo no such thing >&2; exit 4', {})).toMatchObject({
    code: 'ERR_CRIU_PROGRAM_ENDED',
    message: 'template: the program ended with exit code 4 before its checkpoint: no such thing',
    exit: { code: 4, signal: null },
  });
  expect(await make('sleep 1000', { readyTimeoutMs: 100 })).toMatchObject({
    code: 'ERR_CRIU_TIMEOUT',
    message:
      'template: the program was not ready after 100 ms: not until then it wrote a line with "up"',
  });
  expect(await make('sleep 1000', { signal: AbortSignal.timeout(100) })).toMatchObject({
    code: 'ERR_CRIU_ABORTED',
  });
  const never = { ready: undefined, readyTimeoutMs: 200 };
  expect((await make('sleep 1000', never)).message).toContain(
    'it called checkpoint() of node-criu/guest',
  );
  expect(
    await make('echo up; sleep 1000', { warmUp: { url: 'http://127.0.0.1:9/' } }),
  ).toMatchObject({
    message: expect.stringContaining('ECONNREFUSED 127.0.0.1:9'),
  });
  expect(await holdings()).toEqual(before);
  expect(existsSync(join(directory, 'images'))).toBe(false);
});
