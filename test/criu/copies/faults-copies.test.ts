import { channel, tracingChannel } from 'node:diagnostics_channel';
import { cp, readdir, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Template, WorkerTrace } from '../../../src/index.ts';
import { childrenOf } from '../../../src/procfs/tree.ts';
import { askCopy, serverTemplate, startCopy, TEMPLATE_PORT } from '../../helpers/copies.ts';
import { failureOf } from '../../helpers/failures.ts';
import { nodeOptions } from '../../helpers/node-versions.ts';
import { holdings } from '../../helpers/own-resources.ts';
import { noteFault } from '../../helpers/reliability.ts';
import { client, isAlive, temporaryDirectory } from '../../helpers/workload.ts';

/** Notes a fault. */
async function note(
  fault: string,
  error: string,
  { workload = 'no copy runs', left = 'nothing' } = {},
): Promise<void> {
  await noteFault('copies', { fault, error, workload, left });
}

const publish = [{ to: TEMPLATE_PORT }];

/** What a start could leave behind. */
async function remains() {
  const scratch = (await readdir(tmpdir())).filter((name) => name.startsWith('node-criu-copy-'));
  return { ...(await holdings()), scratch };
}

/** Kills criu at a step of the next restore. */
function killCriuAt(step: string): void {
  let criu = 0;
  const steps = tracingChannel('node-criu:notification');
  const onStart = (message: unknown) => {
    const { pid, args } = message as WorkerTrace;
    // The other one is the lazy-pages daemon.
    if (args[0] === 'swrk') criu = pid;
  };
  const onStep = (message: unknown) => {
    if ((message as { script: string }).script === step) process.kill(criu, 'SIGKILL');
  };
  channel('node-criu:worker.start').subscribe(onStart);
  steps.start.subscribe(onStep);
  onTestFinished(() => {
    channel('node-criu:worker.start').unsubscribe(onStart);
    steps.start.unsubscribe(onStep);
  });
}

test.each(['pre-restore', 'setup-namespaces', 'post-restore'])(
  'nothing runs of a copy whose criu is killed at %s',
  async (step) => {
    const template = await serverTemplate();
    const before = await remains();
    killCriuAt(step);
    expect(await failureOf(template.start({ publish }))).toMatchObject({
      code: 'ERR_CRIU_EOF',
      exit: { signal: 'SIGKILL' },
    });
    expect(await remains()).toEqual(before);
    // CRIU makes it before that step, and nobody else can know its name.
    const left =
      step === 'pre-restore' ? {} : { left: 'the empty directory /tmp/.criu.mntns.XXXXXX' };
    await note(`criu killed by SIGKILL at ${step} of a copy`, 'ERR_CRIU_EOF', left);
  },
);

test('damaged, missing and foreign templates are refused, and nothing is left', async () => {
  const { imagesDirectory } = await serverTemplate();
  const criu = client();
  const before = await remains();
  const damage = async (hurt: (directory: string) => Promise<unknown>): Promise<string> => {
    const directory = join(await temporaryDirectory(), 'images');
    await cp(imagesDirectory, directory, { recursive: true });
    await hurt(directory);
    return directory;
  };
  for (const [hurt, said] of [
    [(at: string) => rm(join(at, 'template.json')), 'holds no template'],
    [(at: string) => writeFile(join(at, 'template.json'), '{"formatVersion":1}'), 'is damaged'],
    [
      (at: string) => writeFile(join(at, 'template.json'), '{"formatVersion":2}'),
      'newer node-criu',
    ],
    [(at: string) => writeFile(join(at, 'template.json'), 'x'), 'is damaged'],
    [(at: string) => rm(join(at, 'files.img')), 'files.img'],
    [(at: string) => truncate(join(at, 'files.img'), 100), 'files.img'],
    [(at: string) => truncate(join(at, 'pages-1.img'), 4096), 'pages-1.img'],
  ] as const) {
    expect(await failureOf(criu.openTemplate(await damage(hurt)))).toMatchObject({
      code: 'ERR_CRIU_BAD_IMAGE',
      message: expect.stringContaining(said),
    });
  }
  expect(await remains()).toEqual(before);
  for (const damaged of [
    'template.json missing, damaged or of a newer version',
    'files.img missing or truncated',
    'pages-1.img truncated',
  ]) {
    await note(`a template with ${damaged}`, 'ERR_CRIU_BAD_IMAGE');
  }
});

test('a copy of a program that was replaced is refused, and the file is named', async () => {
  const directory = await temporaryDirectory();
  const node = join(directory, 'node');
  await cp(process.execPath, node);
  const template = await client().template(
    node,
    [...nodeOptions(), '-e', 'console.log("up"); setInterval(() => {}, 1000)'],
    { imagesDirectory: join(directory, 'images'), ready: { line: 'up' } },
  );
  await writeFile(join(directory, 'new'), '#!/bin/sh\n', { mode: 0o755 });
  await rename(join(directory, 'new'), node);
  const error = await failureOf(template.start());
  expect(error.message).toContain(node.slice(1));
  expect(error).toMatchObject({ code: 'ERR_CRIU_FAILED', workload: 'gone' });
  await note('the executable file of a template replaced', 'ERR_CRIU_FAILED');
});

test('a full disk ends the start of a template, and leaves neither images nor processes', async () => {
  const { execa } = await import('execa');
  const disk = await temporaryDirectory();
  await execa('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'none', disk]);
  onTestFinished(async () => void (await execa('umount', [disk])));
  const before = await remains();
  const imagesDirectory = join(disk, 'images');
  const error = await failureOf(serverTemplate({ imagesDirectory }));
  expect(error.message).toMatch(/No space left on device/);
  expect(await remains()).toEqual(before);
  expect(await readdir(disk)).toEqual(['images']);
  await note('disk full while a template is made', error.code, {
    workload: 'the program is ended',
  });
});

test('an init that is killed takes all its processes with it', async () => {
  const template = await serverTemplate();
  const copy = await startCopy(template, { publish });
  await askCopy(copy);
  const [program = 0] = childrenOf(copy.pid);
  process.kill(copy.pid, 'SIGKILL');
  expect(await copy.exited).toEqual({ code: null, signal: 'SIGKILL' });
  expect(await isAlive(program)).toBe(false);
  await note("a copy's init killed by SIGKILL", 'none: `exited` has the signal', {
    workload: 'gone, all of it',
  });
});

test('a start that is aborted leaves nothing, at whichever moment', async () => {
  const template = await serverTemplate();
  const before = await remains();
  for (const afterMs of [0, 5, 20, 60]) {
    const start = template.start({ publish, signal: AbortSignal.timeout(afterMs) });
    const copy = await start.catch(({ code }) => {
      expect(code).toBe('ERR_CRIU_ABORTED');
    });
    await copy?.close();
  }
  expect(await remains()).toEqual(before);
  await note('a start aborted by its signal, at any moment', 'ERR_CRIU_ABORTED');
});

test('many copies start at once', async () => {
  const template: Template = await serverTemplate();
  const before = await remains();
  const many = process.env.SOAK === '1' ? 50 : 12;
  const copies = await Promise.all(Array.from({ length: many }, () => template.start({ publish })));
  const answers = await Promise.all(copies.map((copy) => askCopy(copy)));
  expect(answers.map(({ requests }) => requests)).toEqual(Array(many).fill(1));
  await Promise.all(copies.map((copy) => copy.close()));
  expect(await remains()).toEqual(before);
});
