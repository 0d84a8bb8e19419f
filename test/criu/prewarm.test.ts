import { readFile } from 'node:fs/promises';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { criuPath } from '../../scripts/criu-path.mjs';
import { buildLibrary } from '../helpers/built.ts';
import { children, holdings } from '../helpers/own-process.ts';
import {
  client,
  startCounter,
  temporaryDirectory,
  waitFor,
  waitGone,
} from '../helpers/workload.ts';

/** The criu processes among the children of this one. */
async function workers(): Promise<number[]> {
  const pids = await children();
  const names = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/comm`, 'latin1').catch(() => '')),
  );
  return pids.filter((_, index) => names[index] === 'criu\n');
}

async function waiting(count: number): Promise<number[]> {
  await waitFor(async () => (await workers()).length === count, `${count} workers wait`);
  return await workers();
}

test('workers are there before they are needed, and operations use them up', async () => {
  const before = await holdings();
  const criu = client({ prewarm: 2 });
  const [first] = await waiting(2);
  await criu.version();
  await criu.features();
  // What only asks gives its worker back.
  expect(await waiting(2)).toContain(first);
  const counter = await startCounter();
  const imagesDirectory = await temporaryDirectory();
  await criu.dump(counter.pid, { imagesDirectory });
  await waitGone(counter.pid);
  await criu.restore({ imagesDirectory });
  await counter.countsOn();
  await waitFor(async () => !(await workers()).includes(first as number), 'it was used up');
  await waiting(2);
  await criu.close();
  await waitFor(async () => (await workers()).length === 0, 'they have ended');
  process.kill(counter.pid, 'SIGKILL');
  expect((await holdings()).descriptors).toEqual(before.descriptors);
});

test('a worker that dies is replaced', async () => {
  const criu = client({ prewarm: 1 });
  const [first] = await waiting(1);
  process.kill(first as number, 'SIGKILL');
  await waitFor(async () => !(await workers()).includes(first as number), 'it is dead');
  await criu.version();
  await waiting(1);
});

test('a worker that waits where this process no longer is is not used', async () => {
  const criu = client({ prewarm: 1 });
  const [first] = await waiting(1);
  process.env.NODE_CRIU_TEST = 'changed';
  try {
    await criu.version();
    await waitFor(async () => !(await workers()).includes(first as number), 'it is left');
  } finally {
    delete process.env.NODE_CRIU_TEST;
  }
});

test('an unused client does not keep Node running, and leaves nothing behind', async () => {
  await buildLibrary();
  const script = `import { Criu } from ${JSON.stringify(new URL('../../dist/index.js', import.meta.url).href)};
    import { readdirSync, readFileSync } from 'node:fs';
    const criu = new Criu({ path: ${JSON.stringify(criuPath())}, prewarm: 2 });
    const own = () => readFileSync('/proc/self/task/' + process.pid + '/children', 'utf8');
    const wait = setInterval(() => {
      if (own().trim().split(' ').length < 2) return;
      console.log(own());
      clearInterval(wait);
    }, 10);`;
  const { stdout } = await execa(process.execPath, ['--input-type=module', '-e', script]);
  const pids = stdout.trim().split(' ').map(Number);
  expect(pids).toHaveLength(2);
  for (const pid of pids) await waitGone(pid);
});
