import { expect, test } from 'vitest';
import { countsInOrder, startFamily } from '../../helpers/checkpoints.ts';
import { failureOf } from '../../helpers/failures.ts';
import { LibraryProcess } from '../../helpers/library-process.ts';
import { client, temporaryDirectory, waitFor } from '../../helpers/workload.ts';

const AS_INIT = ['unshare', '--pid', '--fork', '--mount-proc', '--kill-child'];
const listen = { host: '127.0.0.1', port: 0 };

test('a server that is an init process reaps orphans', async () => {
  const agent = await LibraryProcess.start(AS_INIT);
  const processes = async () => await agent.ask<number[]>('processes');
  await agent.ask('serve', { insecure: true, listen, directory: await temporaryDirectory() });
  const alone = await processes();
  await agent.ask('spawn', { file: '/bin/sh', args: ['-c', 'sleep 0 & exit'] });
  await waitFor(async () => `${await processes()}` === `${alone}`, 'the orphan is reaped');
});

test('after a failed migration an init process accepts the next one', async () => {
  const agent = await LibraryProcess.start(AS_INIT);
  const directory = await temporaryDirectory();
  const { pid, members } = await startFamily();
  const migrate = async (throwsAt?: string) => {
    const port = await agent.ask<number>('serve', { insecure: true, listen, directory, throwsAt });
    return await client().migrate(pid, {
      ...{ to: { host: '127.0.0.1', port }, insecure: true, mode: 'stop-and-copy' },
      directory: await temporaryDirectory(),
    }).result;
  };
  const error = await failureOf(migrate('afterRestore'));
  expect(error).toMatchObject({ code: 'ERR_CRIU_MIGRATION_FAILED', workload: 'running' });
  await agent.ask('closeServer');
  await migrate();
  for (const member of members) await member.countsOn();
  expect(await Promise.all(members.map(countsInOrder))).toEqual([true, true, true, true]);
});
