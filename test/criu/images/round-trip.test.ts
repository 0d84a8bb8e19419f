import { access, copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  decodeImage,
  describeCheckpoint,
  encodeImage,
  type FileEntry,
  type ImageKind,
  imageFromJson,
  imageKind,
  imageToJson,
} from '../../../src/images.ts';
import { startCounting } from '../../helpers/checkpoints.ts';
import { compileFixture } from '../../helpers/compile.ts';
import { critConvert } from '../../helpers/crit.ts';
import { sampleImages } from '../../helpers/images.ts';
import { startRooted } from '../../helpers/rooted.ts';
import { testSeed } from '../../helpers/sample.ts';
import { client, startProgram, temporaryDirectory, waitFor } from '../../helpers/workload.ts';

/** Images without entries: pages, and what other programs have written. */
const raw = /^(pages|ifaddr|route6?|rule|ip6?tables|nftables|netns-ct|netns-exp|tmpfs|tmpfs-dev)-/;

/** Copies each image with entries by decoding and encoding it, expects the same bytes, and returns the kinds. */
async function copyImages(from: string, to: string): Promise<ImageKind[]> {
  const kinds: ImageKind[] = [];
  await mkdir(to, { recursive: true });
  for (const name of await readdir(from)) {
    if (!/\.img$|^stats-/.test(name) || raw.test(name)) continue;
    const [path, copy] = [join(from, name), join(to, name)];
    const kind = await imageKind(path);
    await encodeImage(copy, kind, decodeImage(path));
    expect((await readFile(copy)).equals(await readFile(path)), name).toBe(true);
    kinds.push(kind);
  }
  return kinds;
}

/** Expects that crit decodes the images of a directory as we do, and encodes our JSON to the same bytes. */
async function compareWithCrit(directory: string): Promise<Record<string, string>> {
  const images = (await readdir(directory)).filter((name) => name.endsWith('.img'));
  const texts = new Map<string, string>();
  for (const name of images) {
    for (const pretty of [false, true]) {
      let text = '';
      for await (const piece of imageToJson(join(directory, name), { pretty })) text += piece;
      const form = pretty ? `${name}.pretty` : name;
      texts.set(form, text);
      await writeFile(join(directory, `${form}.encode.json`), text);
    }
  }
  const failures = await critConvert(directory);
  for (const [form, text] of texts) {
    const name = form.replace(/\.pretty$/, '');
    if (failures[name] === undefined) {
      expect(text, form).toBe(await readFile(join(directory, `${form}.json`), 'utf8'));
    }
    const bytes = await readFile(join(directory, name));
    if (failures[`${form}.encode.json`] === undefined) {
      const encoded = await readFile(join(directory, `${form}.encoded`));
      expect(encoded.equals(bytes), `${form} encoded by crit`).toBe(true);
    }
    const { kind, entries } = imageFromJson(text);
    await encodeImage(join(directory, `${form}.ours`), kind, entries);
    expect((await readFile(join(directory, `${form}.ours`))).equals(bytes), form).toBe(true);
  }
  return failures;
}

test('images of real dumps, and any of each kind, are encoded as they were and shown as crit shows them', async () => {
  const directory = await temporaryDirectory();
  const [things, images, copies] = ['things', 'images', 'copies'].map((name) =>
    join(directory, name),
  ) as [string, string, string];
  await mkdir(things);
  const program = await compileFixture('rarities');
  const { pid } = await startProgram('unshare', ['--ipc', '--uts', '--net', program, things]);
  const isReady = async () =>
    await access(join(things, 'ready')).then(
      () => true,
      () => false,
    );
  await waitFor(isReady, 'all is there');
  await client().dump(pid, { imagesDirectory: images, tcpEstablished: true, fileLocks: true });

  const varied = await startCounting('varied');
  await client().dump(varied.pid, { imagesDirectory: join(directory, 'varied') });
  const { pid: rooted, imagesDirectory } = await startRooted();
  await client().dump(rooted, { imagesDirectory, autoExtMnt: true });

  const kinds = new Set([
    ...(await copyImages(images, copies)),
    ...(await copyImages(join(directory, 'varied'), join(directory, 'varied-copies'))),
    ...(await copyImages(imagesDirectory, join(directory, 'rooted-copies'))),
  ]);
  expect([...kinds].sort()).toEqual(
    [
      ...['CORE', 'FDINFO', 'FIFO_DATA', 'FILES', 'FILE_LOCKS', 'FS', 'GHOST_FILE', 'IDS'],
      ...['INVENTORY', 'IPCNS_MSG', 'IPCNS_SEM', 'IPCNS_SHM', 'IPC_VAR', 'MEMFD_INODE', 'MM'],
      ...['MNTS', 'NETDEV', 'NETNS', 'PAGEMAP', 'PIPES_DATA', 'PSTREE', 'REMAP_FPATH', 'SECCOMP'],
      ...['SK_QUEUES', 'STATS', 'TCP_STREAM', 'TIMENS', 'TTY_DATA', 'TTY_INFO', 'UTSNS'],
    ].sort(),
  );

  const rare = await describeCheckpoint(images);
  const lines = rare.files.map(({ text }) => {
    return text.replace(things, 'DIRECTORY').replaceAll(/(?<=[:[])\d{3,}/g, 'N');
  });
  expect(lines).toEqual(
    expect.arrayContaining([
      ...['tcp 127.0.0.1:N → 127.0.0.1:N ESTABLISHED', 'tcp [::1]:N LISTEN', 'udp [::1]:N'],
      ...['netlink route', 'packet dgram 0x0000', 'unix dgram @hidden=\udcff. CLOSE'],
      ...['memfd:in memory', 'pipe:[N]', '/dev/ptmx', '/dev/pts/0'],
      ...['DIRECTORY/not utf-8 \udcff\udcc3.txt', 'DIRECTORY/holes (deleted)'],
    ]),
  );
  const queues = rare.files.flatMap((one) => (one.type === 'unix' ? one.bytesQueued : []));
  expect(queues.sort()).toEqual([0, 0, 2, 3]);
  expect(rare.locks).toMatchObject([{ kind: 'flock', access: 'write' }]);
  const own = rare.namespaces.filter(({ isOwn }) => isOwn);
  expect(own.map(({ kind }) => kind)).toEqual(['net', 'ipc', 'uts']);
  const { files: open, processes } = await describeCheckpoint(join(directory, 'varied'));
  const kindsOfFiles = open.filter(({ users }) => users.length > 0).map(({ type }) => type);
  expect(kindsOfFiles).toEqual(
    expect.arrayContaining([
      ...['epoll', 'timerfd', 'eventfd', 'signalfd', 'inotify', 'fifo', 'pipe', 'inet', 'unix'],
    ]),
  );
  const shared = processes[0]?.mappings.filter(({ kind }) => kind === 'shared');
  expect(shared).toMatchObject([{ bytesStored: 4096, path: undefined, file: undefined }]);
  const { mounts, needs } = await describeCheckpoint(imagesDirectory);
  expect(mounts).toMatchObject([{ mountpoint: '/ext', type: 'external' }, { mountpoint: '/' }]);
  expect(needs.options.map(({ option }) => option)).toEqual(['root', 'autoExtMnt']);

  // crit reads no names that are not UTF-8, and loses its place after a segment whose bytes are in a pagemap.
  const files: { message: FileEntry }[] = [];
  for await (const { message } of decodeImage(join(images, 'files.img'), { kind: 'FILES' })) {
    if (message.reg?.name.includes('\udcff') !== true) files.push({ message });
  }
  await encodeImage(join(copies, 'files.img'), 'FILES', files);
  const segmentsFile = (await readdir(copies)).find((name) =>
    name.startsWith('ipcns-shm-'),
  ) as string;
  const segments = [];
  for await (const entry of decodeImage(join(images, segmentsFile), { kind: 'IPCNS_SHM' })) {
    segments.push(entry);
  }
  await encodeImage(join(copies, segmentsFile), 'IPCNS_SHM', segments.slice(0, 1));

  for (const name of ['varied', 'rooted']) {
    for (const image of await readdir(join(directory, `${name}-copies`))) {
      await copyFile(join(directory, `${name}-copies`, image), join(copies, `${name}-${image}`));
    }
  }
  await copyFile(join(copies, 'stats-dump'), join(copies, 'stats-dump.img'));
  for (const { kind, bytes } of await sampleImages(testSeed(20_261_130))) {
    await writeFile(join(copies, `any-${kind}.img`), bytes);
  }
  const failures = await compareWithCrit(copies);
  // It does not know three kinds, cannot encode the payloads of two others, and fails at IP addresses that are none.
  const failed = Object.keys(failures).map((name) => name.replace(/\..*/, ''));
  expect(new Set(failed)).toEqual(
    new Set([
      ...['any-BINFMT_MISC', 'any-PIDFD', 'any-SIGNAL'],
      ...['any-BPFMAP_DATA', 'any-IPCNS_SHM', 'any-NETDEV'],
    ]),
  );
});
