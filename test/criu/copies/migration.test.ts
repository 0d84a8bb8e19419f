import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { copyDestination, type TemplateCopy } from '../../../src/index.ts';
import { failureOf } from '../../helpers/failures.ts';
import { guestFile } from '../../helpers/guest.ts';
import {
  client,
  startCounter,
  temporaryDirectory,
  waitFor,
  waitGone,
} from '../../helpers/workload.ts';

/** With the guest library, which speaks to the process that has started it. */
const COUNTS = `
  import { appendFileSync } from 'node:fs';
  import { onAfterRestore } from ${JSON.stringify(guestFile)};
  let n = 0;
  onAfterRestore(() => void setInterval(() => appendFileSync(process.argv[1], ++n + '\\n'), 20));
  console.log('up');
  setInterval(() => {}, 1000);`;

/** A template of a program that writes numbers to a file, and a server that takes copies of it. */
async function startScene() {
  const directory = await temporaryDirectory();
  const numbers = join(directory, 'numbers');
  const template = await client().template(
    process.execPath,
    ['--input-type=module', '-e', COUNTS, numbers],
    {
      ...{ imagesDirectory: join(directory, 'template'), ready: { line: 'up' } },
      mounts: [directory],
    },
  );
  const lines = async () => {
    const text = await readFile(numbers, 'utf8').catch(() => '');
    return text.split('\n').filter(Boolean).map(Number);
  };
  const server = await client().serveMigrations({
    ...{ listen: { host: '127.0.0.1', port: 0 }, insecure: true },
    ...{ directory: join(directory, 'there'), ...copyDestination() },
  });
  onTestFinished(() => server.close());
  return {
    ...{ template, lines },
    async countsOn() {
      const { length } = await lines();
      await waitFor(async () => (await lines()).length > length, 'it counts on');
    },
    options: {
      ...{ to: { host: '127.0.0.1', port: server.port }, insecure: true },
      directory: join(directory, 'here'),
    },
  };
}

test.each(['stop-and-copy', 'pre-copy', 'post-copy'] as const)(
  'a copy moves in %s, and again without the process that has started it',
  async (mode) => {
    const { template, options, lines, countsOn } = await startScene();
    let { pid } = await template.start({ lazyPages: false });
    onTestFinished(async () => {
      process.kill(pid, 'SIGKILL');
      // It writes to the directory until it has ended.
      await waitGone(pid);
    });
    for (let times = 0; times < 2; times++) {
      await countsOn();
      const migration = await client().migrateCopy(pid, { ...options, mode });
      const result = await migration.result;
      await waitGone(pid);
      ({ pid } = result);
    }
    await countsOn();
    const numbers = await lines();
    expect(numbers).toEqual(numbers.map((_, index) => Number(numbers[0]) + index));
  },
);

test('what is no copy, or cannot move, is refused', async () => {
  const { template, options, countsOn } = await startScene();
  const refused = async (pid: number) => await failureOf(client().migrateCopy(pid, options));
  for (const pid of [0, 1.5, '1' as never, process.pid]) {
    expect(await refused(pid)).toMatchObject({ code: 'ERR_CRIU_INVALID_ARGUMENT', option: 'pid' });
  }
  const other = await startCounter();
  expect(await refused(other.pid)).toMatchObject({ option: 'pid', message: /init of a copy/ });
  const migration = client().migrate(other.pid, options);
  expect(await failureOf(migration.result)).toMatchObject({
    code: 'ERR_CRIU_MIGRATION_REFUSED',
    message: /takes only copies of templates/,
  });

  const start = async (given: Parameters<typeof template.start>[0]): Promise<TemplateCopy> => {
    const copy = await template.start(given);
    onTestFinished(() => copy.close());
    return copy;
  };
  const isolated = await start({ network: 'own' });
  expect(await refused(isolated.pid)).toMatchObject({ message: /in the network of this process/ });
  const noisy = await start({ stdout: join(await temporaryDirectory(), 'output') });
  expect(await refused(noisy.pid)).toMatchObject({ message: /descriptor 1 is \/dev\/null/ });
  const sharing = await start({});
  await writeFile(`/proc/${sharing.pid}/root/dev/shm/file`, '');
  expect(await refused(sharing.pid)).toMatchObject({ message: /without files in its \/dev\/shm/ });
  await countsOn();
});
