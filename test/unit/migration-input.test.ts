import { generateKeyPairSync } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { criuPath } from '../../scripts/criu-path.mjs';
import {
  migrate,
  resolveMigration,
  serveMigrations,
  unresolvedMigrations,
} from '../../src/index.ts';
import { readCredentials } from '../../src/migration/protocol/credentials.ts';
import { thisAgent } from '../../src/migration/protocol/identity.ts';
import { Authority, HERE } from '../helpers/certificates.ts';
import { failureOf } from '../helpers/failures.ts';
import { temporaryDirectory } from '../helpers/workload.ts';

type Given = Record<string, unknown>;
type Bad = readonly [option: string, change: Given];

const pem = '-----BEGIN CERTIFICATE-----\n';
const to = { host: '127.0.0.1', port: 7000 };
const listen = { host: '127.0.0.1', port: 0 };
const tls = { ca: pem, cert: pem, key: pem };

const badTls: Bad[] = [
  ['insecure', { insecure: 'yes' }],
  ['tls', { insecure: false }],
  ['tls', { tls: null }],
  ['tls', { tls: 'ca.pem' }],
  ['tls.key', { tls: { ca: pem, cert: pem } }],
  ['tls.ca', { tls: { ...tls, ca: '' } }],
  ['tls.cert', { tls: { ...tls, cert: '/nowhere/cert.pem' } }],
  ['tls.cert', { tls: { ...tls, cert: 5 } }],
];

const ofMigrate: Bad[] = [
  ...badTls,
  ['mod', { mod: 'pre-copy' }],
  ['to', { to: undefined }],
  ['to', { to: '127.0.0.1:7000' }],
  ['to.port', { to: { host: '127.0.0.1' } }],
  ['to.port', { to: { host: '127.0.0.1', port: 0 } }],
  ['to.port', { to: { host: '127.0.0.1', port: 65536 } }],
  ['tls', { to: { host: '192.0.2.1', port: 7000 } }],
  ['mode', { mode: 'teleport' }],
  ['dump', { dump: null }],
  ['dump.imagesDirectory', { dump: { imagesDirectory: '/i' } }],
  ['dump.leaveRunning', { dump: { leaveRunning: true } }],
  ['dump.lazyPages', { dump: { lazyPages: true } }],
  ['dump.pageServer', { dump: { pageServer: { fd: 3 } } }],
  ['dump.hooks.preDumb', { dump: { hooks: { preDumb() {} } } }],
  ['dump.gracePeriodMs', { dump: { gracePeriodMs: -1 } }],
  ['addresses', { addresses: '192.0.2.9/32' }],
  ['addresses', { addresses: ['192.0.2.9'] }],
  ['addresses', { addresses: ['192.0.2.9/33'] }],
  ['addresses', { addresses: [{ device: 'eth0' }] }],
  ['addresses', { addresses: [{ address: '::9/128', device: 'lo' }] }],
  ['switchOver', { addresses: ['::9/128'], switchOver() {} }],
  ['switchBack', { addresses: ['::9/128'], switchBack() {} }],
  ['switchOver', { switchOver: 'ip addr' }],
  ['switchBack', { switchBack: true }],
  ['metadata', { metadata: () => {} }],
  ['metadata', { metadata: 'x'.repeat(256 << 10) }],
  ['lazyRestore', { lazyRestore: 'yes' }],
  ['lazyRestore', { lazyRestore: true, mode: 'post-copy' }],
  ['tracking', { tracking: 'dirty' }],
  ['tracking', { tracking: 'compare', mode: 'post-copy' }],
  ['rateLimit', { rateLimit: 0 }],
  ['rateLimit', { rateLimit: Number.NaN }],
  ['rateLimit', { rateLimit: '1000' }],
  ['rateLimit', { rateLimit: { bytesPerSecond: 1000 } }],
  ['stallMs', { stallMs: -1 }],
  ['stallMs', { stallMs: [10] }],
  ['directory', { directory: '' }],
  ['signal', { signal: new EventTarget() }],
  ['deadlineMs', { deadlineMs: -1 }],
  ['dump.stream', { dump: { stream: true } }],
  ['dump.tls', { dump: { tls: { ca: 'a', cert: 'b', key: 'c' } } }],
  ['hooks', { hooks: 5 }],
  ['hooks.fase', { hooks: { fase: () => {} } }],
  ['hooks.phase', { hooks: { phase: 'dump' } }],
];

const ofServe: Bad[] = [
  ...badTls,
  ['port', { port: 7000 }],
  ['listen', { listen: undefined }],
  ['listen.port', { listen: { host: '127.0.0.1', port: 65536 } }],
  ['listen.pagePort', { listen: { ...listen, pagePort: -1 } }],
  ['tls', { listen: { host: '0.0.0.0', port: 0 } }],
  ['directory', { directory: undefined }],
  ['directory', { directory: '' }],
  ['authorize', { authorize: true }],
  ['restore', { restore: null }],
  ['restore.tcpEstablished', { restore: { tcpEstablished: 'yes' } }],
  ['restore.networkLock', { restore: { networkLock: 'maybe' } }],
  ['restore.leaveRunning', { restore: { leaveRunning: true } }],
  ['restore.tpcClose', { restore: { tpcClose: true } }],
  ['restore.imagesDirectory', { restore: { imagesDirectory: '/i' } }],
  ['restore.workDirectory', { restore: { workDirectory: '/w' } }],
  ['restore.lazyPages', { restore: { lazyPages: true } }],
  ['restore.signal', { restore: { signal: AbortSignal.abort() } }],
  ['restore.hooks.postRestore', { restore: { hooks: { postRestore: 5 } } }],
  ['allowAddresses', { allowAddresses: ['any'] }],
  ['maxMigrations', { maxMigrations: 0 }],
  ['maxBandwidth', { maxBandwidth: 1.5 }],
  ['maxStoredBytes', { maxStoredBytes: 0 }],
  ['metrics', { metrics: 9464 }],
  ['metrics.port', { metrics: { host: '127.0.0.1' } }],
  ['metrics.host', { metrics: { host: '', port: 0 } }],
  ['holdMs', { holdMs: 0 }],
  ['stallMs', { stallMs: 1.5 }],
];

const ofResolve: Bad[] = [
  ['direktory', { direktory: '/d' }],
  ['destinationIsDead', { destinationIsDead: 'yes' }],
  ['directory', { directory: 5 }],
  ['switchBack', { switchBack: 'ip addr' }],
  ['deadlineMs', { deadlineMs: Number.NaN }],
];

describe('wrong input is refused by the name of its option, and nothing is created', () => {
  test.each(ofMigrate)('migrate: %s in %j', async (option, change) => {
    const directory = join(await temporaryDirectory(), 'state');
    const given = { to, insecure: true, directory, ...change };
    const { result } = migrate(process.pid, given as never);
    expect(await failureOf(result)).toMatchObject(wrong('migrate', option));
    await expect(readdir(directory)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test.each([0, -1, 1.5, '12', 2 ** 31, undefined])('migrate: the pid %j', async (pid) => {
    const directory = join(await temporaryDirectory(), 'state');
    const { result } = migrate(pid as number, { to, insecure: true, directory });
    expect(await failureOf(result)).toMatchObject(wrong('migrate', 'pid'));
    await expect(readdir(directory)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test.each(ofServe)('serveMigrations: %s in %j', async (option, change) => {
    const directory = join(await temporaryDirectory(), 'state');
    const given = { listen, insecure: true, directory, ...change };
    const error = await failureOf(serveMigrations(given as never));
    expect(error).toMatchObject(wrong('serveMigrations', option));
    await expect(readdir(directory)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test.each(ofResolve)('resolveMigration: %s in %j', async (option, change) => {
    const error = await failureOf(resolveMigration(crypto.randomUUID(), change as never));
    expect(error).toMatchObject(wrong('resolveMigration', option));
  });

  test.each(['', '../x', 12, undefined])('resolveMigration: the id %j', async (id) => {
    const error = await failureOf(resolveMigration(id as string));
    expect(error).toMatchObject(wrong('resolveMigration', 'id'));
  });

  test('resolveMigration: an unknown migration', async () => {
    const directory = await temporaryDirectory();
    const error = await failureOf(resolveMigration(crypto.randomUUID(), { directory }));
    expect(error).toMatchObject(wrong('resolveMigration', 'id'));
    expect(await readdir(directory)).toEqual([]);
  });

  test.each([null, 'fast', 5])('options that are %j', async (options) => {
    const bad = options as never;
    expect(await failureOf(migrate(process.pid, bad).result)).toMatchObject({
      code: 'ERR_CRIU_INVALID_ARGUMENT',
    });
    expect(await failureOf(serveMigrations(bad))).toMatchObject({
      code: 'ERR_CRIU_INVALID_ARGUMENT',
    });
  });
});

describe('credentials', () => {
  const read = (host: string, given?: unknown, insecure?: boolean) =>
    readCredentials('migrate', host, given as never, insecure);

  test('are refused by name if TLS cannot use them, without a word of what they hold', async () => {
    const authority = await Authority.create('Test authority');
    const [one, two] = [await authority.issue(HERE), await authority.issue(HERE)];
    const usable = { ca: authority.cert, ...one, crl: await authority.revoke() };
    expect(await read('127.0.0.1', usable)).toBeDefined();
    const garbage = Buffer.from('secret words');
    for (const [option, change] of [
      ['tls.ca', { ca: garbage }],
      ['tls.ca', { ca: one.key }],
      ['tls.cert', { cert: garbage }],
      ['tls.key', { key: garbage }],
      ['tls.key', { key: two.key }],
      ['tls.crl', { crl: garbage }],
    ] as const) {
      const error = await failureOf(read('127.0.0.1', { ...usable, ...change }));
      expect(error).toMatchObject({ code: 'ERR_CRIU_INVALID_ARGUMENT', option });
      expect(error.message).toMatch(/^migrate: tls\.\w+ takes .*, which the one given is not/);
      expect(inspect(error, { depth: 9 })).not.toContain('secret');
    }
  });

  test('are optional on loopback addresses, with insecure: true', async () => {
    for (const host of ['127.0.0.1', '127.1.2.3', '::1']) {
      expect(await read(host, undefined, true)).toBeUndefined();
      expect(await failureOf(read(host))).toMatchObject({ option: 'tls' });
    }
    for (const host of ['0.0.0.0', '::', '192.0.2.1', 'example.org', '127.0.0.1.example.org', '']) {
      const error = await failureOf(read(host, undefined, true));
      expect(error).toMatchObject({ option: 'tls' });
      expect(error.message).toContain('loopback');
    }
  });

  test('can be texts, bytes or paths', async () => {
    const authority = await Authority.create('migrations');
    const { cert, key } = await authority.issue(HERE);
    const [ca, text, bytes] = await Promise.all([
      readFile(authority.cert),
      readFile(cert, 'utf8'),
      readFile(key),
    ]);
    const given = { ca: authority.cert, cert: text, key: new Uint8Array(bytes) };
    expect(await read('192.0.2.1', given)).toEqual({
      ...{ ca, cert: Buffer.from(text), key: bytes },
      verifyName: true,
    });
  });

  test('that cannot be read are named', async () => {
    const directory = await temporaryDirectory();
    const error = await failureOf(read('192.0.2.1', { ...tls, key: join(directory, 'none.pem') }));
    expect(error).toMatchObject(wrong('migrate', 'tls.key'));
    expect(error.message).toContain('ENOENT');
    const isDirectory = await failureOf(read('192.0.2.1', { ...tls, ca: directory }));
    expect(isDirectory).toMatchObject(wrong('migrate', 'tls.ca'));
  });

  test('that may be a key in another encoding are not quoted in the error', async () => {
    const text = Buffer.from(`-----BEGIN PRIVATE KEY-----\n${'A'.repeat(300)}`).toString('base64');
    const { privateKey } = generateKeyPairSync('ed25519');
    const short = privateKey.export({ type: 'pkcs8', format: 'der' }).toString('base64');
    // Short parts between slashes, as in a path.
    const split = 'MC4CAQAwBQYDK2VwBCIEIGKdqGy/rbpMIq0bDB6PGhZX6/TDNpXhBJJws2t9WDAl';
    for (const key of [text, short, split]) {
      const error = await failureOf(read('192.0.2.1', { ...tls, key }));
      expect(error).toMatchObject(wrong('migrate', 'tls.key'));
      expect(inspect(error)).not.toContain(key.slice(0, 20));
    }
  });
});

describe('a server', () => {
  test('reports that a port is in use, and releases the other', async () => {
    const options = { insecure: true, path: criuPath() };
    await using server = await serveMigrations({
      ...{ ...options, listen, directory: await temporaryDirectory() },
    });
    const { port, pagePort } = server;
    for (const taken of [{ port }, { port: 0, pagePort }]) {
      const directory = await temporaryDirectory();
      const where = { host: listen.host, ...taken };
      const error = await failureOf(serveMigrations({ ...options, listen: where, directory }));
      expect(error).toMatchObject({ code: 'ERR_CRIU_SYSTEM', operation: 'serveMigrations' });
    }
  });

  test('leaves alone the migrations of another agent that is alive', async () => {
    const directory = await temporaryDirectory();
    const incoming = join(directory, 'incoming');
    await mkdir(incoming);
    const living = { state: 'resumed', at: 1, lazy: true, pid: 0, agent: thisAgent() };
    const [, ticks, boot, namespace] = thisAgent().split(' ');
    const dead = [
      `${process.pid} 1 ${boot} ${namespace}`,
      `${process.pid} ${ticks} ${crypto.randomUUID()} ${namespace}`,
    ].map((agent) => ({ ...living, agent }));
    const journals = [living, ...dead].map((entry) => [crypto.randomUUID(), entry] as const);
    for (const [id, entry] of journals) {
      await writeFile(join(incoming, `${id}.journal`), `${JSON.stringify(entry)}\n`);
    }
    const server = await serveMigrations({ listen, insecure: true, directory });
    await server.close();
    const states = journals.map(async ([id]) => {
      const lines = await readFile(join(incoming, `${id}.journal`), 'utf8');
      return JSON.parse(lines.trimEnd().split('\n').at(-1) as string).state;
    });
    expect(await Promise.all(states)).toEqual(['resumed', 'failed', 'failed']);
  });
});

describe('a migration whose agent has died', () => {
  test('before the hand-over is resolved without its destination, and the deed is noted after the intent', async () => {
    const directory = await temporaryDirectory();
    const outgoing = join(directory, 'outgoing');
    await mkdir(outgoing);
    await mkdir(join(directory, 'images'));
    for (const [state, then] of [
      ['offered', 'aborted'],
      ['aborting', 'aborted'],
      ['ending', 'done'],
    ]) {
      const id = crypto.randomUUID();
      const path = join(outgoing, `${id}.journal`);
      const entry = { state, at: 1, pid: 2 ** 22, startTime: '1', to, agent: '1 1' };
      await writeFile(path, `${JSON.stringify(entry)}\n`);
      await mkdir(join(directory, 'images', id));
      expect(await resolveMigration(id, { directory })).toMatchObject({
        ...{ id, source: then, done: 'nothing', workload: 'gone' },
        owner: then === 'done' ? 'destination' : 'source',
      });
      const text = await readFile(path, 'utf8');
      expect(JSON.parse(text.trimEnd().split('\n').at(-1) as string).state).toBe(then);
    }
    expect(await readdir(join(directory, 'images'))).toEqual([]);
    expect(await unresolvedMigrations({ directory })).toEqual([]);
  });
});

function wrong(operation: string, option: string) {
  return { code: 'ERR_CRIU_INVALID_ARGUMENT', operation, option };
}
