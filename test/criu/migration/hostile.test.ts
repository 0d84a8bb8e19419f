import { createHash, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { copyFile, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { connect as connectTo } from 'node:net';
import { arch } from 'node:os';
import { join } from 'node:path';
import type { ClientWritableStream, ServiceError } from '@grpc/grpc-js';
import { execa } from 'execa';
import { describe, expect, onTestFinished, test } from 'vitest';
import { criuPath } from '../../../scripts/criu-path.mjs';
import type { ImagePart } from '../../../src/generated/types/node_criu/ImagePart.ts';
import type { OfferReply__Output } from '../../../src/generated/types/node_criu/OfferReply.ts';
import {
  Criu,
  type MigrationServer,
  migrate,
  type ServeMigrationsOptions,
  serveMigrations,
  type TlsOptions,
} from '../../../src/index.ts';
import { readCredentials } from '../../../src/migration/protocol/credentials.ts';
import { DestinationClient } from '../../../src/migration/protocol/destination-client.ts';
import { receiveImages } from '../../../src/migration/protocol/image-transfer.ts';
import { type MigrationMode, toWireMode } from '../../../src/migration/protocol/modes.ts';
import { toOfferedOptions } from '../../../src/migration/protocol/offered-options.ts';
import { connectPages } from '../../../src/migration/protocol/page-listener.ts';
import { refusalOf } from '../../../src/migration/protocol/refusals.ts';
import { PROTOCOL } from '../../../src/migration/protocol/service.ts';
import { Authority, ELSEWHERE, HERE } from '../../helpers/certificates.ts';
import { failureOf } from '../../helpers/failures.ts';
import { LibraryProcess } from '../../helpers/library-process.ts';
import { MigrationHost } from '../../helpers/migration-host.ts';
import { holdings } from '../../helpers/own-resources.ts';
import { RunLog } from '../../helpers/run-log.ts';
import { temporaryDirectory, waitFor } from '../../helpers/workload.ts';

const host = '127.0.0.1';
const limits = { timeoutMs: 60_000 };
const never = new AbortController().signal;

/** A server in this process, and a client that calls it in any order. */
async function hostile(changes: Partial<ServeMigrationsOptions & { path: string }> = {}) {
  const directory = changes.directory ?? (await temporaryDirectory());
  const listen = { host, port: 0 };
  const options = { listen, insecure: true, directory, path: criuPath(), ...changes };
  const server = await serveMigrations(options);
  onTestFinished(() => server.close());
  const destination = await connect(server);
  const images = async () => await readdir(join(directory, 'images')).catch(() => []);
  return { server, destination, images };
}

async function connect(server: MigrationServer, tls?: TlsOptions): Promise<DestinationClient> {
  const credentials = await readCredentials('a test', host, tls, !tls);
  const destination = await DestinationClient.connect(server, credentials);
  onTestFinished(() => destination[Symbol.dispose]());
  return destination;
}

async function offer(
  destination: DestinationClient,
  {
    mode = 'stop-and-copy',
    signal,
    ...changes
  }: { mode?: MigrationMode; signal?: AbortSignal; [field: string]: unknown } = {},
): Promise<OfferReply__Output & { id: string }> {
  const id = randomUUID() as string;
  const request = {
    ...{ protocol: PROTOCOL, id, mode: toWireMode(mode), host: { architecture: arch() } },
    ...changes,
  };
  const reply = await destination.offer(request, { ...limits, signal });
  return { ...reply, id };
}

/** Has a migration accepted, and opens its connection for pages. */
async function begin(
  server: MigrationServer,
  destination: DestinationClient,
  changes: { mode?: MigrationMode } = {},
) {
  const taken = await offer(destination, changes);
  expect(taken.objections).toEqual([]);
  const endpoint = { host, port: taken.pagePort };
  const pages = await connectPages(endpoint, undefined, taken.roundToken, never);
  onTestFinished(() => void pages.destroy());
  expect(server.migrations).toMatchObject([{ id: taken.id, state: 'receiving' }]);
  return taken.id;
}

/** Begins to send images; `answer` is `received` or the error. */
function open(destination: DestinationClient, id: string, index: number) {
  let stream!: ClientWritableStream<ImagePart>;
  const answer = new Promise<string>((resolve) => {
    stream = destination.putImages((error) => resolve(error ? error.details : 'received'));
  });
  stream.on('error', () => {});
  stream.write({ round: { id, index } });
  return { stream, answer };
}

/** Sends an image; resolves with `received` or the error. */
async function put(destination: DestinationClient, id: string, index: number, name = 'a.img') {
  const { stream, answer } = open(destination, id, index);
  const data = Buffer.from('abc');
  stream.write({ name });
  stream.write({ data });
  stream.write({ sha256: createHash('sha256').update(data).digest() });
  stream.end();
  return await answer;
}

/** Limits the space in a directory until the test ends. */
async function mountSmall(directory: string, size: string): Promise<void> {
  await execa('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=700`, 'node-criu', directory]);
  onTestFinished(async () => void (await execa('umount', ['-l', directory])));
}

/** The error with which a call is refused. */
async function refusal(call: Promise<unknown>): Promise<string> {
  return await call.then(
    () => 'it is not refused',
    (error: ServiceError) => error.details,
  );
}

describe('images', () => {
  test('are refused for a round that is not the last', async () => {
    const { server, destination, images } = await hostile();
    const id = await begin(server, destination);
    expect(await put(destination, id, 0)).toContain('the dump is not round 0');
    await destination.call('startRound', { id, index: 0 }, limits);
    for (const index of [1, 2 ** 32 - 1]) {
      expect(await put(destination, id, index)).toContain(`the dump is not round ${index}`);
    }
    expect(await put(destination, id, 0)).toBe('received');
    expect(await images()).toEqual([id]);
  });

  test('are refused after an abort, and nothing is left', async () => {
    const { server, destination, images } = await hostile();
    const id = await begin(server, destination, { mode: 'post-copy' });
    expect(await put(destination, id, 0)).toBe('received');
    await destination.call('abort', { id, reason: 'a test' }, limits);
    expect(await images()).toEqual([]);
    expect(await put(destination, id, 0)).toContain('the migration is aborted: a test');
    expect(await images()).toEqual([]);
  });

  test('in transit end with an abort, and nothing is left', async () => {
    const { server, destination, images } = await hostile();
    const id = await begin(server, destination, { mode: 'post-copy' });
    const { stream, answer } = open(destination, id, 0);
    stream.write({ name: 'a.img' });
    await waitFor(async () => (await images()).length === 1, 'an image has begun');
    const how = await destination.call('abort', { id, reason: 'a test' }, limits);
    expect(how.state).toBe('aborted');
    expect(await images()).toEqual([]);
    expect(await answer).toContain('the migration is aborted');
    expect(await images()).toEqual([]);
  });

  test('are refused when the disk is full', async () => {
    const directory = await temporaryDirectory();
    await mountSmall(directory, '64k');
    const data = Buffer.alloc(100 << 10, 1);
    const sha256 = createHash('sha256').update(data).digest();
    const parts = [
      { part: 'name', name: 'a.img' },
      { part: 'data', data },
      { part: 'sha256', sha256 },
    ];
    const coming = (async function* () {
      yield* parts as never[];
    })();
    const allowance = { bytes: 1 << 20, files: 1 };
    await expect(receiveImages(coming, directory, allowance)).rejects.toThrow('ENOSPC');
  });
});

test('a migration ends at once when its source hangs up before everything has arrived', async () => {
  const { server, destination } = await hostile({ holdMs: 1_000_000, stallMs: 500 });
  const { pagePort, roundToken, objections } = await offer(destination);
  expect(objections).toEqual([]);
  (await connectPages({ host, port: pagePort }, undefined, roundToken, never)).destroy();
  await waitFor(() => server.migrations[0]?.state === 'aborted', 'the migration is aborted');
  expect(server.migrations).toMatchObject([{ message: 'the source has hung up' }]);
});

test('a migration ends at once when its source cannot write its journal', async () => {
  const runLog = await RunLog.start(1);
  const there = await MigrationHost.start({ insecure: true, holdMs: 1_000_000 });
  const directory = await temporaryDirectory();
  await writeFile(join(directory, 'outgoing'), 'not a directory');
  const to = { host, port: there.ports[0] };
  const options = {
    to,
    insecure: true,
    directory,
    mode: 'stop-and-copy',
    path: criuPath(),
  } as const;
  await failureOf(migrate(runLog.pid, options).result);
  const states = async () => await there.agent.ask<{ state: string }[]>('migrations');
  await waitFor(async () => (await states())[0]?.state === 'aborted', 'the migration is aborted');
});

test('connections that say nothing do not keep a source out, and leave descriptors to what runs', async () => {
  const { server, destination } = await hostile();
  const open = (port: number) =>
    connectTo({ host, port })
      .on('error', () => {})
      .resume();
  const silent = Array.from({ length: 100 }, () => open(server.port));
  await waitFor(() => silent.filter(({ closed }) => closed).length === 36, 'the oldest are closed');
  expect((await offer(destination)).objections).toEqual([]);
  for (const socket of silent) socket.destroy();

  const there = await LibraryProcess.start(['prlimit', '--nofile=256']);
  const directory = await temporaryDirectory();
  const listen = { host, port: 0 };
  const port = await there.ask<number>('serve', { listen, directory, insecure: true });
  await there.ask('fill', { free: 40 });
  await once(open(port), 'close');
  await there.ask('empty');
  const accepted = open(port);
  await once(accepted, 'data');
  accepted.destroy();
});

test('a migration belongs to the name in the certificate, also after a restart of the server', async () => {
  const authority = await Authority.create('the hosts');
  const issue = async (name: string) => {
    return { ca: authority.cert, ...(await authority.issue(HERE, name)) };
  };
  const [first, renewed, other] = [await issue('one'), await issue('one'), await issue('other')];
  const options = {
    tls: await issue('there'),
    insecure: false,
    directory: await temporaryDirectory(),
  };
  const { server } = await hostile(options);
  const { id } = await offer(await connect(server, first));
  const foreign = 'this migration belongs to a host with another name in its certificate';
  const expectOwner = async (at: MigrationServer, state: string) => {
    const asked = async (as: TlsOptions) =>
      (await connect(at, as)).call('getStatus', { id }, limits);
    expect(await asked(renewed)).toMatchObject({ state });
    expect(await refusal(asked(other))).toBe(foreign);
  };
  await expectOwner(server, 'receiving');
  await server.close();
  const { server: next } = await hostile(options);
  await expectOwner(next, 'aborted');
});

test('certificates and revocation lists that have changed are read again', async () => {
  const authority = await Authority.create('the hosts');
  const issue = async (where = HERE) => ({ ca: authority.cert, ...(await authority.issue(where)) });
  const [ours, revoked, elsewhere] = [await issue(), await issue(), await issue(ELSEWHERE)];
  const crl = await authority.revoke();
  const { server } = await hostile({ tls: { ...elsewhere, crl }, insecure: false });
  const offered = async (tls: TlsOptions) => (await offer(await connect(server, tls))).objections;
  expect(await refusal(offered(ours))).toContain("does not match certificate's altnames");
  const fresh = await issue();
  const warnings: string[] = [];
  const note = ({ message }: Error) => void warnings.push(message);
  process.on('warning', note);
  onTestFinished(() => void process.off('warning', note));
  // Until the key is there as well, the old pair is used.
  await copyFile(fresh.cert, elsewhere.cert);
  expect(await refusal(offered(ours))).toContain("does not match certificate's altnames");
  await copyFile(fresh.key, elsewhere.key);
  expect(await offered(ours)).toEqual([]);
  expect(await offered(revoked)).toEqual([]);
  await authority.revoke(revoked);
  expect(await refusal(offered(revoked))).toContain('No connection established');
  expect(await offered(ours)).toEqual([]);
  expect(warnings[0]).toContain('serveMigrations: the changed TLS files cannot be used');
});

describe('rounds', () => {
  test('are refused out of order', async () => {
    const { server, destination } = await hostile();
    const id = await begin(server, destination);
    const start = (index: number) => refusal(destination.call('startRound', { id, index }, limits));
    expect(await start(1)).toContain('round 1 cannot follow 0 rounds');
    expect(await start(2 ** 32 - 1)).toContain('cannot follow 0 rounds');
    const { children } = await holdings();
    const both = [0, 0].map((index) => destination.call('startRound', { id, index }, limits));
    const outcomes = await Promise.allSettled(both);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    await destination.call('abort', { id, reason: 'a test' }, limits);
    expect((await holdings()).children.length).toBeLessThanOrEqual(children.length);
    expect(await start(0)).toContain('the migration is aborted');
  });

  test('that begin during an abort leave nothing', async () => {
    const { server, destination, images } = await hostile();
    const id = await begin(server, destination);
    const { children } = await holdings();
    const beginning = refusal(destination.call('startRound', { id, index: 0 }, limits));
    await destination.call('abort', { id, reason: 'a test' }, limits);
    expect(await beginning).toContain('the migration is aborted: a test');
    expect(await images()).toEqual([]);
    expect((await holdings()).children.length).toBeLessThanOrEqual(children.length);
  });
});

test.each([
  [1, true, 'the dump is not round 1'],
  [0, false, 'the migration was offered as post-copy'],
])('no copy is made of round %i, lazily: %s', async (index, lazy, words) => {
  const { server, destination } = await hostile();
  const id = await begin(server, destination, { mode: 'post-copy' });
  const call = destination.call('prepare', { id, index, lazy }, limits);
  expect(await refusal(call)).toContain(words);
});

test('the texts of a source are shown without control characters, and cut', async () => {
  const programs: string[] = [];
  const authorize = ({ program }: { readonly program: string }) => programs.push(program) > 0;
  const { server, destination } = await hostile({ authorize });
  const { id } = await offer(destination, { program: `\u001b]0;${'x'.repeat(100)}` });
  await destination.call('abort', { id, reason: `\n${'y'.repeat(100_000)}` }, limits);
  expect(programs).toEqual([`\\u{1b}]0;${'x'.repeat(60)}…`]);
  expect(server.migrations).toMatchObject([{ message: `\\u{a}${'y'.repeat(999)}…` }]);
});

describe('an offer is refused', () => {
  test('for an unknown mode', async () => {
    const { destination } = await hostile();
    const request = { protocol: PROTOCOL, id: randomUUID(), host: { architecture: arch() } };
    for (const mode of [0, 77]) {
      const { objections } = await destination.offer({ ...request, mode: mode as never }, limits);
      expect(objections.map(({ message }) => message)).toEqual([
        'This host does not know its mode.',
      ]);
    }
  });

  test('for metadata that is too large, or no JSON', async () => {
    const { destination } = await hostile();
    for (const metadata of ['{', `"${'x'.repeat(256 << 10)}"`]) {
      const { objections } = await offer(destination, { metadata });
      expect(objections).toMatchObject([{ code: 'INVALID_OFFER' }]);
      expect(objections[0]?.message).toContain('Its metadata is wrong: it ');
    }
  });

  test('for a version of the protocol that it does not speak, in later calls as well', async () => {
    const { destination } = await hostile();
    const next = PROTOCOL + 1;
    const { objections } = await offer(destination, { protocol: next, oldestProtocol: next });
    expect(objections).toMatchObject([{ code: 'PROTOCOL_VERSION' }]);
    expect(objections[0]?.message).toContain(`The source speaks version ${next} of the protocol`);
    const { id, protocol } = await offer(destination, { protocol: next, oldestProtocol: 1 });
    expect(protocol).toBe(PROTOCOL);
    const older = await offer(destination, { protocol: 1, oldestProtocol: 1 });
    expect(older.protocol).toBe(1);
    expect(await destination.call('getStatus', { id }, limits)).toMatchObject({
      state: 'receiving',
    });
    destination.protocol = next;
    for (const call of ['getStatus', 'commit', 'abort'] as const) {
      const request = { id, reason: 'a test' };
      expect(await refusal(destination.call(call, request, limits))).toContain(`version ${next}`);
    }
  });

  test.each([
    [{ flags: ['tcpEstablished', 'execCmd'] }, 'the option "execCmd", which a peer may not set'],
    [{ networkLock: 'maybe' }, 'Its option networkLock takes'],
    [{ manageCgroupsMode: 'hard' }, 'Its option manageCgroupsMode takes'],
  ])('with options that no restore takes: %j', async (changes, words) => {
    const { destination } = await hostile();
    const { objections } = await offer(destination, changes);
    expect(objections.map(({ message }) => message)).toEqual([expect.stringContaining(words)]);
  });

  test('with more pids or options than a host can have, before anybody is asked', async () => {
    const asked: unknown[] = [];
    const authorize = (offered: unknown) => asked.push(offered) > 0;
    const { destination } = await hostile({ authorize });
    const cases = [
      [{ pids: Array.from({ length: 1_000_000 }, (_, index) => index + 1) }, 'at most 100000'],
      [{ pids: [2 ** 32 - 1] }, 'are not the ids of processes'],
      [{ flags: Array.from({ length: 100_000 }, () => 'execCmd') }, 'more options than there are'],
    ] as const;
    for (const [changes, words] of cases) {
      const { objections } = await offer(destination, changes);
      expect(objections.map(({ message }) => message)).toEqual([expect.stringContaining(words)]);
    }
    expect(asked).toEqual([]);
  });

  test('for a processor with more features, unless cpuCap excludes them', async () => {
    const { destination } = await hostile();
    const cpuinfo = withAllFeatures(await cpuinfoHere());
    const { objections } = await offer(destination, { cpuinfo });
    expect(objections.map(({ message }) => message)).toEqual([
      expect.stringContaining('processor has features that this host'),
    ]);
    expect(objections[0]?.remedy).toContain('cpuCap');
    const { cpuCap } = toOfferedOptions({ cpuCap: ['none'] });
    expect((await offer(destination, { cpuinfo, cpuCap })).objections).toEqual([]);
  });

  test('for a CRIU with a newer minor version, but not for a newer patch release', async () => {
    const { destination } = await hostile();
    const { host: facts } = await offer(destination);
    const { criu = 0 } = facts ?? {};
    const from = async (theirs: number) => {
      const changes = { host: { architecture: arch(), criu: theirs } };
      return (await offer(destination, changes)).objections;
    };
    expect(await from(criu + 1)).toEqual([]);
    expect(await from(criu - 100)).toEqual([]);
    const [objection] = await from(criu + 100);
    expect(objection?.message).toContain('The images come from CRIU');
    expect(objection?.remedy).toContain('on the destination, or a newer one');
  });

  test('for lack of disk space, except in post-copy, which keeps no memory on disk', async () => {
    const directory = await temporaryDirectory();
    await mountSmall(directory, '4m');
    const { destination } = await hostile({ directory });
    const offered = { memory: 16 << 20 };
    for (const mode of ['stop-and-copy', 'pre-copy', 'hybrid'] as const) {
      const { objections } = await offer(destination, { ...offered, mode });
      expect(objections.map(({ message }) => message)).toEqual([
        expect.stringContaining(`and ${directory} has room for`),
      ]);
    }
    expect((await offer(destination, { ...offered, mode: 'post-copy' })).objections).toEqual([]);
  });

  test('while the server closes', async () => {
    let asked!: () => void;
    let answer!: (yes: boolean) => void;
    const isAsked = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const authorize = () => {
      asked();
      return new Promise<boolean>((resolve) => {
        answer = resolve;
      });
    };
    const { server, destination } = await hostile({ authorize });
    const reply = offer(destination);
    await isAsked;
    const closing = server.close();
    answer(true);
    const { objections } = await reply;
    expect(objections.map(({ message }) => message)).toEqual(['This host is shutting down.']);
    await closing;
    expect(server.migrations).toEqual([]);
  });

  test('for lack of room within maxStoredBytes, and a source that exceeds it is cut off', async () => {
    const { server, destination, images } = await hostile({ maxStoredBytes: 1 << 20 });
    const { objections } = await offer(destination, { memory: 2 << 20 });
    expect(refusalOf(objections)).toBe('no-space');
    const taken = await offer(destination);
    const endpoint = { host, port: taken.pagePort };
    const pages = await connectPages(endpoint, undefined, taken.roundToken, never);
    const closed = once(pages, 'close');
    pages.on('error', () => {}).resume();
    pages.write(Buffer.alloc(2 << 20));
    await closed;
    const status = await destination.call('getStatus', { id: taken.id }, limits);
    expect(status).toMatchObject({
      ...{ state: 'aborted', refusal: 'no-space' },
      message: 'the destination has reached the 1048576 bytes that it stores of all migrations',
    });
    expect(server.migrations).toMatchObject([{ state: 'aborted' }]);
    await waitFor(async () => (await images()).length === 0, 'its images are removed');
    expect((await offer(destination, { memory: 1 << 19 })).objections).toEqual([]);
  });

  test('when too many migrations are open', async () => {
    const { server, destination } = await hostile();
    const all = Array.from({ length: 70 }, () => offer(destination));
    const replies = await Promise.all(all);
    const taken = replies.filter(({ objections }) => objections.length === 0);
    expect(taken).toHaveLength(64);
    expect(server.migrations).toHaveLength(64);
    const refused = replies.filter((reply) => !taken.includes(reply));
    for (const { objections } of refused) {
      expect(objections.map(({ message }) => message)).toEqual([
        'There are 64 migrations under way to this host.',
      ]);
    }
    await destination.call('abort', { id: taken[0]?.id ?? '', reason: 'a test' }, limits);
    expect((await offer(destination)).objections).toEqual([]);
  }, 90_000);

  test('when one host has too many, and the others are served', async () => {
    const authority = await Authority.create('the hosts');
    const issue = async () => ({ ca: authority.cert, ...(await authority.issue(HERE)) });
    const { server } = await hostile({ tls: await issue(), insecure: false });
    const [greedy, other] = await Promise.all(
      [await issue(), await issue()].map((tls) => connect(server, tls)),
    );
    const all = Array.from({ length: 50 }, () => offer(greedy as DestinationClient));
    const refused = (await Promise.all(all)).flatMap(({ objections }) => objections);
    expect(refusalOf(refused)).toBe('busy');
    expect(refused.map(({ message }) => message)).toEqual([
      'There are 48 migrations from one host under way to this host.',
      'There are 48 migrations from one host under way to this host.',
    ]);
    expect((await offer(other as DestinationClient)).objections).toEqual([]);
  });

  test('no sooner because another one is being checked, and one that is withdrawn takes nothing', async () => {
    const directory = await temporaryDirectory();
    const [gate, starts] = ['gate', 'starts'].map((name) => join(directory, name)) as [
      string,
      string,
    ];
    const path = join(directory, 'criu');
    // After so many starts as the gate says, the next criu waits until the gate is gone.
    const isNext = `[ $(wc -l < ${starts}) -gt $(cat ${gate}) ] && mkdir ${gate}.taken 2>/dev/null`;
    const waits = `${isNext} && while [ -e ${gate} ]; do sleep 0.05; done`;
    const script = ['#!/bin/sh', `echo >> ${starts}`, `[ -e ${gate} ] && ${waits}`];
    await writeFile(path, [...script, `exec ${criuPath()} "$@"`].join('\n'), { mode: 0o755 });
    const { server, destination } = await hostile({ path });
    const count = async () => (await readFile(starts, 'utf8')).length;
    expect((await offer(destination)).objections).toEqual([]);
    const first = await count();
    expect((await offer(destination)).objections).toEqual([]);
    // The facts of the host first, and then the comparison of the processors.
    await writeFile(gate, String(2 * (await count()) - first));
    const { children } = await holdings();
    const withdrawn = new AbortController();
    const cpuinfo = await cpuinfoHere();
    const checking = refusal(offer(destination, { cpuinfo, signal: withdrawn.signal }));
    const isBusy = async () => (await holdings()).children.length > children.length;
    await waitFor(() => existsSync(`${gate}.taken`), 'the processor is compared');
    expect((await offer(destination)).objections).toEqual([]);
    withdrawn.abort();
    expect(await checking).toBe('Cancelled on client');
    await waitFor(async () => !(await isBusy()), 'the comparison ends');
    await rm(gate);
    expect(server.migrations).toHaveLength(3);
  });

  test('and of many that have ended, the last are listed and the others are in their journals', async () => {
    const { server, destination } = await hostile();
    const ids: string[] = [];
    for (let count = 0; count < 102; count++) {
      const { id } = await offer(destination);
      await destination.call('abort', { id, reason: 'a test' }, limits);
      ids.push(id);
    }
    // The last one had not ended when it was added.
    expect(server.migrations.map(({ id }) => id)).toEqual(ids.slice(1));
    const [id = ''] = ids;
    const how = await destination.call('getStatus', { id }, limits);
    expect(how).toMatchObject({ state: 'aborted', message: 'a test' });
  }, 90_000);

  test('for memory that another open migration needs', async () => {
    const { destination } = await hostile();
    const { host: facts } = await offer(destination);
    const { freeMemory = 0, freeDisk = 0 } = facts ?? {};
    const memory = Math.floor(0.6 * Math.min(freeMemory, freeDisk));
    const both = await Promise.all([0, 1].map(() => offer(destination, { memory })));
    const taken = both.find(({ objections }) => objections.length === 0);
    const refused = both.find(({ objections }) => objections.length > 0);
    expect(refused?.objections[0]?.message).toContain('besides what other open migrations need');
    await destination.call('abort', { id: taken?.id ?? '', reason: 'a test' }, limits);
    expect((await offer(destination, { memory })).objections).toEqual([]);
  });
});

/** CRIU's description of this processor. */
async function cpuinfoHere(): Promise<Buffer> {
  const imagesDirectory = await temporaryDirectory();
  await using criu = new Criu({ path: criuPath() });
  await criu.cpuinfoDump({ imagesDirectory });
  return await readFile(join(imagesDirectory, 'cpuinfo.img'));
}

/** Sets seven bits of each feature word: no processor has them all. */
function withAllFeatures(image: Buffer): Buffer {
  // After two magic numbers and a size there is one message, with numbers and a text in it.
  let at = 12;
  const varint = () => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = image[at++] ?? 0;
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
  };
  varint();
  varint();
  while (at < image.length) {
    const tag = varint();
    if (tag >> 3 === 6) image[at] = (image[at] ?? 0) | 0x7f;
    const value = varint();
    if ((tag & 7) === 2) at += value;
  }
  return image;
}
