import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { dumpPod, openContainer, restoreContainer } from '../../../src/containers.ts';
import { failureOf } from '../../helpers/failures.ts';
import { Bundle, COUNTER, countsOn } from '../../helpers/runc.ts';
import { client, temporaryDirectory } from '../../helpers/workload.ts';

/** Two containers that count. */
async function pod() {
  const criu = client();
  const running = await Promise.all(
    ['one', 'two'].map(async (id) => await (await Bundle.make(COUNTER)).run(id)),
  );
  for (const each of running) await countsOn(each);
  const containers = await Promise.all(
    running.map(({ id, bundle }) => openContainer(criu, id, { root: bundle.root })),
  );
  const directory = await temporaryDirectory();
  const imagesDirectory = ({ id }: { readonly id: string }) => join(directory, id);
  return { criu, running, containers, directory, imagesDirectory };
}

test('the containers of a pod are dumped at one moment', async () => {
  const { criu, running, containers, imagesDirectory } = await pod();
  const steps: string[] = [];
  const results = await dumpPod(containers, {
    imagesDirectory,
    hooks: {
      networkLock: () => void steps.push('frozen'),
      postDump: () => void steps.push('complete'),
    },
  });
  expect(steps).toEqual(['frozen', 'frozen', 'complete', 'complete']);
  expect(results.map(({ imagesDirectory }) => imagesDirectory)).toEqual(
    containers.map(imagesDirectory),
  );
  for (const each of running) {
    const { id, bundle } = each;
    expect(each.status()).toBeUndefined();
    const { root, directory } = bundle;
    await restoreContainer(criu, {
      imagesDirectory: imagesDirectory({ id }),
      id,
      bundle: directory,
      root,
    });
    expect(each.status()?.status).toBe('running');
  }
});

test('if one container of a pod cannot be dumped, all run on', async () => {
  const { running, containers, directory, imagesDirectory } = await pod();
  let dumps = 0;
  const cause = new Error('not this one');
  const postDump = () => {
    dumps++;
    if (dumps === 2) throw cause;
  };
  const error = await failureOf(dumpPod(containers, { imagesDirectory, hooks: { postDump } }));
  expect(error).toMatchObject({ code: 'ERR_CRIU_HOOK', cause, workload: 'running' });
  for (const each of running) {
    expect(each.status()?.status).toBe('running');
    await countsOn(each);
    expect(existsSync(join(directory, each.id, 'inventory.img'))).toBe(false);
  }
  const again = containers.slice(0, 1);
  const same = dumpPod([...again, ...again], { imagesDirectory });
  expect(await failureOf(same)).toMatchObject({
    code: 'ERR_CRIU_INVALID_ARGUMENT',
    option: 'containers',
  });
});
