import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { cp, readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, test } from 'vitest';
import { describeCheckpoint } from '../../../src/images.ts';
import { decodeStream, type OpenTemplateOptions, verifyImages } from '../../../src/index.ts';
import { askCopy, serverTemplate, startCopy, TEMPLATE_PORT } from '../../helpers/copies.ts';
import { failureOf } from '../../helpers/failures.ts';
import { holdings } from '../../helpers/own-resources.ts';
import { smallDisk } from '../../helpers/small-disk.ts';
import { client, temporaryDirectory } from '../../helpers/workload.ts';

const encryption = { key: randomBytes(32) };
const publish = [{ to: TEMPLATE_PORT }];

test('a template is on the disk only encrypted, and its copies are as others', async () => {
  const secret = randomBytes(16).toString('hex');
  const template = await serverTemplate({ encryption, env: { ...process.env, TENANT: secret } });
  const { imagesDirectory } = template;
  const names = await readdir(imagesDirectory);
  expect(names.sort()).toEqual(['dump.log', 'stats-dump', 'template.enc']);
  for (const name of names) {
    expect((await readFile(join(imagesDirectory, name))).includes(secret)).toBe(false);
  }
  expect((await stat(join(imagesDirectory, 'template.enc'))).mode & 0o777).toBe(0o600);

  const archive = decodeStream(createReadStream(join(imagesDirectory, 'template.enc')), {
    encryption,
  });
  const images = await temporaryDirectory();
  await execa('tar', ['-x', '-C', images], { input: archive });
  expect(await verifyImages(images, { deep: true })).toEqual([]);
  expect(await failureOf(describeCheckpoint(imagesDirectory))).toMatchObject({
    ...{ code: 'ERR_CRIU_BAD_IMAGE', operation: 'describeCheckpoint' },
    message: expect.stringContaining('has no inventory.img: it holds an encrypted template'),
  });

  await template.close();
  const before = await holdings();
  const opened = await client().openTemplate(imagesDirectory, { encryption });
  for (const lazyPages of [true, false]) {
    const copy = await startCopy(opened, { publish, lazyPages });
    expect(await askCopy(copy)).toMatchObject({ tenant: secret });
    await copy.close();
  }
  await opened.close();
  await opened.close();
  expect(await holdings()).toEqual(before);
});

test('copies get all of their memory although the template is closed', async () => {
  const template = await serverTemplate({ encryption });
  const starting = [1, 2].map(() => startCopy(template, { publish }));
  await template.close();
  for (const copy of await Promise.all(starting)) {
    expect(await askCopy(copy)).toMatchObject({ pid: 2, args: ['18080'] });
    // CRIU can only dump memory that is there.
    await copy.dump({ imagesDirectory: await temporaryDirectory() });
  }
  expect(await failureOf(template.start())).toMatchObject({
    ...{ code: 'ERR_CRIU_CLOSED', message: 'start: the template is closed' },
  });
});

test('an encrypted template is read only with the secret that it was made with', async () => {
  const { imagesDirectory } = await serverTemplate({ encryption });
  const plain = (await serverTemplate()).imagesDirectory;
  const damaged = await temporaryDirectory();
  await cp(imagesDirectory, damaged, { recursive: true });
  const file = join(damaged, 'template.enc');
  await truncate(file, (await stat(file)).size - 1000);
  const empty = await temporaryDirectory();
  const huge = await temporaryDirectory();
  await writeFile(join(huge, 'template.enc'), '');
  await truncate(join(huge, 'template.enc'), 2 ** 42);
  const before = await holdings();
  const open = (directory: string, options?: OpenTemplateOptions) =>
    failureOf(client().openTemplate(directory, options));
  for (const [error, code, said] of [
    [
      await open(imagesDirectory),
      'ERR_CRIU_INVALID_ARGUMENT',
      'is encrypted: give the option encryption with its key',
    ],
    [
      await open(imagesDirectory, { encryption: { passphrase: 'long enough' } }),
      'ERR_CRIU_INVALID_ARGUMENT',
      'template.enc was not encrypted with a passphrase, or is damaged',
    ],
    [
      await open(imagesDirectory, { encryption: { key: randomBytes(32) } }),
      'ERR_CRIU_BAD_IMAGE',
      'template.enc cannot be decrypted: the key is another one',
    ],
    [await open(damaged, { encryption }), 'ERR_CRIU_BAD_IMAGE', 'template.enc cannot be decrypted'],
    [
      await open(plain, { encryption }),
      'ERR_CRIU_INVALID_ARGUMENT',
      'is not encrypted: leave out the option encryption',
    ],
    [
      await open(huge, { encryption }),
      'ERR_CRIU_SYSTEM',
      'takes 4398046511104 bytes of memory, of',
    ],
    [
      await open(empty, { encryption }),
      'ERR_CRIU_BAD_IMAGE',
      `${empty} holds no template: there is no template.enc`,
    ],
  ] as const) {
    expect(error).toMatchObject({ code, message: expect.stringContaining(said) });
  }
  expect(await holdings()).toEqual(before);
});

test('a copy is dumped into an encrypted template, which is a template again', async () => {
  const template = await serverTemplate();
  const copy = await startCopy(template, { publish });
  const { requests } = await askCopy(copy);
  const imagesDirectory = join(await temporaryDirectory(), 'again');
  const secret = { passphrase: 'correct horse battery staple' };
  await copy.dump({ imagesDirectory, encryption: secret, leaveRunning: true });
  expect((await askCopy(copy)).requests).toBe(requests + 1);
  const encrypted = { imagesDirectory, encryption: secret };
  expect(await failureOf(copy.dump(encrypted))).toMatchObject({
    message: expect.stringContaining('already holds a checkpoint'),
  });
  await copy.dump({ ...encrypted, overwrite: true });

  await using again = await client().openTemplate(imagesDirectory, { encryption: secret });
  expect(again.imagesDirectory).toBe(imagesDirectory);
  const second = await startCopy(again, { publish });
  expect((await askCopy(second)).requests).toBe(requests + 2);
});

test('no template is beside one of the other kind', async () => {
  const plain = (await serverTemplate()).imagesDirectory;
  const encrypted = (await serverTemplate({ encryption })).imagesDirectory;
  for (const [imagesDirectory, options, kind] of [
    [plain, { encryption }, 'a checkpoint that is not encrypted'],
    [encrypted, {}, 'an encrypted template'],
  ] as const) {
    const before = await readdir(imagesDirectory);
    const error = await failureOf(serverTemplate({ imagesDirectory, overwrite: true, ...options }));
    expect(error).toMatchObject({
      ...{ code: 'ERR_CRIU_INVALID_ARGUMENT', option: 'imagesDirectory' },
      message: `template: imagesDirectory ${imagesDirectory} holds ${kind}: name another directory, or remove it`,
    });
    expect(await readdir(imagesDirectory)).toEqual(before);
  }
});

test('a copy whose checkpoint cannot be encrypted runs on, and its directory has none', async () => {
  const disk = await smallDisk('2m');
  const template = await serverTemplate();
  const copy = await startCopy(template, { publish });
  const imagesDirectory = join(disk, 'images');
  const { requests } = await askCopy(copy);
  const error = await failureOf(copy.dump({ imagesDirectory, encryption }));
  expect(error).toMatchObject({
    ...{ code: 'ERR_CRIU_SYSTEM', workload: 'running' },
    message: expect.stringMatching(/the images cannot be encrypted into .*template\.enc: ENOSPC/),
  });
  expect((await askCopy(copy)).requests).toBe(requests + 1);
  expect(await readdir(imagesDirectory)).not.toContainEqual(expect.stringContaining('enc'));
});
