import { once } from 'node:events';
import { readdir, readFile, rename } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { join, relative } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { PageServer, TlsOptions } from '../../../src/index.ts';
import { Authority, ELSEWHERE, HERE, tls } from '../../helpers/certificates.ts';
import { client, startCounter, temporaryDirectory } from '../../helpers/workload.ts';

/** CRIU 4.2 crashes when its side of the handshake fails, by a use after free of the TLS session. */
const BROKEN_OFF = expect.stringMatching(/^ERR_CRIU_(FAILED|EOF)$/);

test('the pages of a dump reach a TLS page server encrypted, and can be restored', async () => {
  const criu = client();
  const authority = await Authority.create('Test authority');
  const [here, there] = [await temporaryDirectory(), await temporaryDirectory()];
  const counter = await startCounter(here);
  const server = await criu.pageServer({
    imagesDirectory: there,
    tls: relativePaths(tls(authority, await authority.issue(HERE)).tls),
  });
  const wire = await tap(server);

  await criu.dump(counter.pid, {
    imagesDirectory: here,
    pageServer: wire.address,
    // The address of a client is not that of the page server.
    tls: relativePaths(tls(authority, await authority.issue(ELSEWHERE)).tls),
  });
  expect(await server.exited).toEqual({ code: 0, signal: null });
  await counter.ended;

  // The first byte is a TLS handshake record. The path in the arguments of the program is not readable.
  expect(wire.heard()[0]).toBe(0x16);
  expect(wire.heard().length).toBeGreaterThan(50_000);
  expect(wire.heard().includes(here)).toBe(false);
  for (const name of await readdir(here)) {
    if (name.endsWith('.img')) await rename(join(here, name), join(there, name));
  }
  await criu.restore({ imagesDirectory: there });
  await counter.countsOn();
});

/** The same files, by paths that begin at the working directory. */
function relativePaths({ ca, cert, key }: TlsOptions): TlsOptions {
  const named = (file: TlsOptions['ca']) => relative(process.cwd(), String(file));
  return { ca: named(ca), cert: named(cert), key: named(key) };
}

test('without TLS the pages are readable on the network', async () => {
  const criu = client();
  const here = await temporaryDirectory();
  const counter = await startCounter(here);
  const server = await criu.pageServer({ imagesDirectory: await temporaryDirectory() });
  const wire = await tap(server);
  await criu.dump(counter.pid, {
    imagesDirectory: here,
    pageServer: wire.address,
    leaveRunning: true,
  });
  expect(wire.heard().includes(here)).toBe(true);
});

test('a dump refuses a page server whose certificate is from another authority', async () => {
  const [ours, theirs] = [await Authority.create('Ours'), await Authority.create('Theirs')];
  const { dump, server, counter } = await dumpTo({
    server: tls(ours, await theirs.issue(HERE)),
    dump: tls(ours, await ours.issue(HERE)),
  });
  await expect(dump).rejects.toMatchObject({
    code: BROKEN_OFF,
    workload: 'running',
    message: expect.stringMatching(/certificate is NOT trusted.*issuer is unknown/),
  });
  expect((await server.exited).code).not.toBe(0);
  await counter.countsOn();
});

test('a page server refuses a dump whose certificate is from another authority', async () => {
  const [ours, theirs] = [await Authority.create('Ours'), await Authority.create('Theirs')];
  const { dump, server, counter, there } = await dumpTo({
    server: tls(ours, await ours.issue(HERE)),
    dump: tls(ours, await theirs.issue(HERE)),
  });
  await expect(dump).rejects.toMatchObject({ code: BROKEN_OFF, workload: 'running' });
  expect((await server.exited).code).not.toBe(0);
  expect((await server.log())?.errors).toContainEqual(expect.stringMatching(/NOT trusted/));
  expect((await readdir(there)).filter((name) => name.endsWith('.img'))).toEqual([]);
  await counter.countsOn();
});

test('a page server with TLS accepts no pages without TLS', async () => {
  const authority = await Authority.create('Test authority');
  const { dump, server, counter, there } = await dumpTo({
    server: tls(authority, await authority.issue(HERE)),
    dump: {},
  });
  await expect(dump).rejects.toMatchObject({ code: BROKEN_OFF, workload: 'running' });
  expect((await server.exited).code).not.toBe(0);
  expect((await server.log())?.errors).toContainEqual(expect.stringMatching(/handshake failed/));
  expect((await readdir(there)).filter((name) => name.endsWith('.img'))).toEqual([]);
  await counter.countsOn();
});

test('a dump with TLS sends no pages to a page server without TLS', async () => {
  const authority = await Authority.create('Test authority');
  const { dump, server, counter } = await dumpTo({
    server: {},
    dump: tls(authority, await authority.issue(HERE)),
  });
  await expect(dump).rejects.toMatchObject({
    code: BROKEN_OFF,
    workload: 'running',
    message: expect.stringMatching(/TLS handshake failed/),
  });
  expect((await server.exited).code).not.toBe(0);
  await counter.countsOn();
});

test('a certificate for another host is refused', async () => {
  const authority = await Authority.create('Test authority');
  const { dump, counter } = await dumpTo({
    server: tls(authority, await authority.issue('DNS:elsewhere.example')),
    dump: tls(authority, await authority.issue(HERE)),
  });
  await expect(dump).rejects.toMatchObject({
    code: BROKEN_OFF,
    workload: 'running',
    message: expect.stringMatching(/name in the certificate does not match/),
  });
  await counter.countsOn();
});

test('with verifyName: false a certificate for another host is accepted', async () => {
  const authority = await Authority.create('Test authority');
  const elsewhere = await authority.issue('DNS:elsewhere.example');
  const { dump, server, there, counter } = await dumpTo({
    server: { tls: { ...tls(authority, elsewhere).tls, verifyName: false } },
    dump: { tls: { ...tls(authority, elsewhere).tls, verifyName: false } },
  });
  await dump;
  expect(await server.exited).toEqual({ code: 0, signal: null });
  expect(await readdir(there)).toContain(`pagemap-${counter.pid}.img`);
});

test('a certificate on the revocation list is refused, and another one is not', async () => {
  const authority = await Authority.create('Test authority');
  const [good, revoked] = [await authority.issue(HERE), await authority.issue(HERE)];
  const crl = await authority.revoke(revoked);

  const bad = await dumpTo({
    server: tls(authority, revoked),
    dump: { tls: { ...tls(authority, good).tls, crl } },
  });
  await expect(bad.dump).rejects.toMatchObject({
    code: BROKEN_OFF,
    workload: 'running',
    message: expect.stringMatching(/revoked/),
  });
  await bad.counter.countsOn();

  const fine = await dumpTo({
    server: tls(authority, good),
    dump: { tls: { ...tls(authority, good).tls, crl } },
  });
  await fine.dump;
  expect(await readdir(fine.there)).toContain(`pagemap-${fine.counter.pid}.img`);
});

test.each([
  ['text', (pem: Buffer) => pem.toString()],
  ['bytes', (pem: Buffer) => pem],
])('a key as PEM %s is refused where CRIU opens the file, and is not quoted', async (_, given) => {
  const authority = await Authority.create('Test authority');
  const { cert, key } = await authority.issue(HERE);
  const options = { ca: authority.cert, cert, key: given(await readFile(key)) };
  const counter = await startCounter();
  const dump = client().dump(counter.pid, {
    imagesDirectory: await temporaryDirectory(),
    pageServer: { address: '127.0.0.1', port: 1 },
    tls: options,
  });
  await expect(dump).rejects.toMatchObject({
    code: 'ERR_CRIU_INVALID_ARGUMENT',
    option: 'tls.key',
    message:
      'dump: tls.key takes the path of a PEM file, not its content: CRIU opens the file itself',
  });
  await counter.countsOn();
});

test('the error for a missing key names the key', async () => {
  const authority = await Authority.create('Test authority');
  const { cert, key } = await authority.issue(HERE);
  const { dump, counter } = await dumpTo({
    server: tls(authority, { cert, key }),
    dump: tls(authority, { cert, key: `${key}.missing` }),
  });
  await expect(dump).rejects.toMatchObject({
    code: BROKEN_OFF,
    workload: 'running',
    message: expect.stringMatching(/private key pair.*reading file/),
  });
  await counter.countsOn();
});

/** Starts a page server and a dump to it, which leaves its process running. */
async function dumpTo(options: { server: { tls?: TlsOptions }; dump: { tls?: TlsOptions } }) {
  const criu = client();
  const counter = await startCounter();
  const there = await temporaryDirectory();
  const server = await criu.pageServer({ imagesDirectory: there, ...options.server });
  const dump = criu.dump(counter.pid, {
    imagesDirectory: await temporaryDirectory(),
    pageServer: { address: '127.0.0.1', port: server.port ?? 0 },
    leaveRunning: true,
    ...options.dump,
  });
  dump.catch(() => {});
  return { dump, server, counter, there };
}

/** A proxy between a dump and its page server, which records the bytes that the dump sends. */
async function tap({ port = 0 }: PageServer) {
  const sockets: Socket[] = [];
  const chunks: Buffer[] = [];
  const between = createServer({ allowHalfOpen: true }, (near) => {
    const far = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    near.on('data', (chunk: Buffer) => chunks.push(chunk));
    near.pipe(far).pipe(near);
    for (const socket of [near, far]) socket.on('error', () => {});
    sockets.push(near, far);
  });
  between.listen(0, '127.0.0.1');
  await once(between, 'listening');
  onTestFinished(() => {
    between.close();
    for (const socket of sockets) socket.destroy();
  });
  const { address, port: heardAt } = between.address() as AddressInfo;
  return { address: { address, port: heardAt }, heard: () => Buffer.concat(chunks) };
}
