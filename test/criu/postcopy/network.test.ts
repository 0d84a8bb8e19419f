import { readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { describe, expect, test } from 'vitest';
import { Authority, HERE, tls } from '../../helpers/certificates.ts';
import { failureOf } from '../../helpers/failures.ts';
import { LazyDestination } from '../../helpers/lazy-destination.ts';
import { type MemoryWorkload, startMemoryWorkload } from '../../helpers/memory-workload.ts';
import { children, holdings } from '../../helpers/own-resources.ts';
import { commands, pageMessage, pageRequest } from '../../helpers/page-messages.ts';
import { Talker } from '../../helpers/page-server-peer.ts';
import { freePort, inProc, listensAt, ownAddress } from '../../helpers/sockets.ts';
import { client, startCounter, temporaryDirectory, waitGone } from '../../helpers/workload.ts';

test('with TLS, a process moves only to a destination with a certificate', async () => {
  const [ours, theirs] = [await Authority.create('Ours'), await Authority.create('Theirs')];
  const memory = await startMemory(256);
  const imagesDirectory = await temporaryDirectory();
  const options = tls(ours, await ours.issue(HERE));
  const source = await client().lazyDump(memory.pid, { imagesDirectory, ...options });
  const pageServer = { address: source.address, port: source.port };

  const ca = await readFile(ours.cert);
  const { cert, key } = await theirs.issue(HERE);
  const strangers = [
    new Talker(connectTls({ ...at(source), ca })),
    new Talker(
      connectTls({ ...at(source), ca, cert: await readFile(cert), key: await readFile(key) }),
    ),
    new Talker(connect(at(source))),
  ];
  for (const stranger of strangers) stranger.send(pageRequest(), pageRequest());
  await Promise.all(strangers.map(({ ended }) => ended));
  const failing = await LazyDestination.start();
  const wrong = { ...tls(ours, { cert, key }), imagesDirectory, pageServer };
  expect(await failing.failure(wrong)).toMatchObject({ code: 'ERR_CRIU_LAZY_PAGES' });
  expect(source.progress.pagesFetched).toBe(0);

  const destination = await LazyDestination.start();
  await destination.restore({
    imagesDirectory,
    pageServer,
    ...tls(ours, await ours.issue(HERE)),
  });
  const { pages } = await destination.pagesDone();
  expect(await source.done).toMatchObject({ pages, pagesFetched: pages });
  await waitGone(memory.pid);
  await memory.verify(() => destination.kill('SIGUSR1'));
  await memory.writesOn();
});

test('a destination refuses a source whose certificate is for another host', async () => {
  const authority = await Authority.create('Test authority');
  const memory = await startMemory(16);
  const imagesDirectory = await temporaryDirectory();
  const elsewhere = tls(authority, await authority.issue('DNS:elsewhere.example'));
  const source = await client().lazyDump(memory.pid, { imagesDirectory, ...elsewhere });
  const destination = await LazyDestination.start();
  const pageServer = { address: source.address, port: source.port };
  const mine = tls(authority, await authority.issue(HERE));
  expect(await destination.failure({ imagesDirectory, pageServer, ...mine })).toMatchObject({
    code: 'ERR_CRIU_LAZY_PAGES',
    workload: 'gone',
    message: expect.stringMatching(/name in the certificate does not match/),
  });
  expect(source.progress.pagesFetched).toBe(0);
  await source.resume();
  await memory.verify();
});

test('other connections do not disturb the destination', async () => {
  const memory = await startMemory(64);
  const imagesDirectory = await temporaryDirectory();
  const source = await client().lazyDump(memory.pid, { imagesDirectory });
  const strangers = Array.from(Array(4), () => new Talker(connect(at(source))));
  const [leaver, babbler, closer] = strangers;
  leaver?.socket.end();
  babbler?.send(Buffer.from('GET / HTTP/1.1\r\n'.repeat(4)));
  closer?.send(pageMessage(commands.close));
  await Promise.all([leaver, babbler, closer].map((stranger) => stranger?.ended));
  expect(source.progress.pagesFetched).toBe(0);

  const destination = await LazyDestination.start();
  const { address, port } = source;
  await destination.restore({ imagesDirectory, pageServer: { address, port } });
  await destination.pagesDone();
  await source.done;
  await Promise.all(strangers.map(({ ended }) => ended));
  expect(strangers.map(({ received }) => received.length)).toEqual([0, 0, 0, 0]);
  await memory.verify(() => destination.kill('SIGUSR1'));
});

describe('the sockets of this host', () => {
  test.each([
    ['at 127.0.0.1 by default', {}, '127.0.0.1'],
    ['at the address that is given', { pageServer: { address: ownAddress } }, ownAddress],
  ])('of a lazy dump has this process alone, %s', async (_, options, address) => {
    const memory = await startMemory(4);
    const [others, open] = [await children(), await listensAt(process.pid)];
    const imagesDirectory = await temporaryDirectory();
    const source = await client().lazyDump(memory.pid, { imagesDirectory, ...options });
    expect(source.address).toBe(address);
    const here = (await listensAt(process.pid)).filter((place) => !open.includes(place));
    expect(here).toEqual([inProc(address, source.port)]);
    const started = (await children()).filter((pid) => !others.includes(pid));
    expect(started).toHaveLength(1);
    expect(await listensAt(started[0] as number)).toEqual([]);
    await source.close();
    expect(await listensAt(process.pid)).toEqual(open);
    await memory.writesOn();
  });

  test('a lazy dump listens on the given port', async () => {
    const memory = await startMemory(4);
    const pageServer = { address: ownAddress, port: await freePort(ownAddress) };
    const imagesDirectory = await temporaryDirectory();
    const source = await client().lazyDump(memory.pid, { imagesDirectory, pageServer });
    expect(source).toMatchObject(pageServer);
    await source.close();
    await memory.writesOn();
  });

  test.each([
    ['at 127.0.0.1 without a page server', undefined, undefined, false],
    ['at 127.0.0.1 by default', {}, undefined, false],
    ['at the address that is given', { address: ownAddress }, ownAddress, false],
    ['there whatever else the configuration file says', { address: ownAddress }, ownAddress, true],
  ])('of dump({ lazyPages: true }) has criu alone, %s', async (_, given, address, withFile) => {
    const counter = await startCounter();
    const others = await children();
    const open = await listensAt(process.pid);
    const port = await freePort(address ?? '127.0.0.1');
    const imagesDirectory = await temporaryDirectory();
    const configFile = join(await temporaryDirectory(), 'criu.conf');
    await writeFile(configFile, 'log-file from-the-file.log\n');
    const page = given ? { pageServer: { ...given, port } } : {};
    // Another user of this host could be the first that connects.
    const unsafe = client().dump(counter.pid, { imagesDirectory, lazyPages: true, ...page });
    expect(await failureOf(unsafe)).toMatchObject({
      code: 'ERR_CRIU_INVALID_ARGUMENT',
      message: expect.stringMatching(/needs tls.*insecure: true/),
    });
    let listening: string[] = [];
    const dump = client().dump(counter.pid, {
      imagesDirectory,
      ...{ lazyPages: true, insecure: true, ...page },
      ...(withFile && { configFile }),
      hooks: {
        async statusReady() {
          const started = (await children()).filter((pid) => !others.includes(pid));
          listening = (await Promise.all(started.map(listensAt))).flat();
          throw new Error('that is enough');
        },
      },
    });
    const failure = await failureOf(dump);
    expect(failure).toMatchObject({ code: 'ERR_CRIU_HOOK', workload: 'running' });
    const [where] = inProc(address ?? '127.0.0.1', 0).split(':');
    expect(listening).toEqual([
      given ? inProc(address ?? '127.0.0.1', port) : expect.stringMatching(`^${where}:`),
    ]);
    expect(await listensAt(process.pid)).toEqual(open);
    if (withFile) expect(failure.log?.path).toBe(join(imagesDirectory, 'from-the-file.log'));
    await counter.countsOn();
  });
});

describe('an address that other hosts can reach', () => {
  test.each(['0.0.0.0', '::', '192.0.2.1', 'example.org'])(
    '%s is refused without TLS, before anything starts',
    async (address) => {
      const counter = await startCounter();
      const before = await holdings();
      const imagesDirectory = await temporaryDirectory();
      const given = { imagesDirectory, pageServer: { address, port: 4000 } };
      const refused = {
        code: 'ERR_CRIU_INVALID_ARGUMENT',
        option: 'pageServer',
        message: expect.stringMatching(/needs tls.*insecure: true/),
      };
      const criu = client();
      expect(await failureOf(criu.lazyDump(counter.pid, given))).toMatchObject(refused);
      const dump = criu.dump(counter.pid, { ...given, lazyPages: true });
      expect(await failureOf(dump)).toMatchObject(refused);
      expect(await failureOf(criu.lazyPages(given))).toMatchObject(refused);
      expect(await failureOf(criu.lazyRestore(given))).toMatchObject(refused);
      expect(await holdings()).toEqual(before);
      await counter.countsOn();
    },
  );

  test('is accepted with insecure: true', async () => {
    const memory = await startMemory(4);
    const imagesDirectory = await temporaryDirectory();
    const options = { imagesDirectory, pageServer: { address: '0.0.0.0' }, insecure: true };
    const source = await client().lazyDump(memory.pid, options);
    expect(await listensAt(process.pid)).toContain(inProc('0.0.0.0', source.port));
    await source.close();
    await memory.writesOn();
  });

  test('is accepted with TLS', async () => {
    const authority = await Authority.create('Test authority');
    const memory = await startMemory(4);
    const source = await client().lazyDump(memory.pid, {
      imagesDirectory: await temporaryDirectory(),
      pageServer: { address: '0.0.0.0' },
      ...tls(authority, await authority.issue(HERE)),
    });
    expect(await listensAt(process.pid)).toContain(inProc('0.0.0.0', source.port));
    await source.close();
    await memory.writesOn();
  });
});

function at({ address, port }: { address: string; port: number }) {
  return { host: address, port };
}

async function startMemory(heapMiB: number): Promise<MemoryWorkload> {
  return await startMemoryWorkload({ heapMiB, hotMiB: 1, pagesPerSecond: 2000 });
}
