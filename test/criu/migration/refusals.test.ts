import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { copyFile, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { expect, test } from 'vitest';
import { criuPath } from '../../../scripts/criu-path.mjs';
import {
  Criu,
  CriuError,
  type MigrateOptions,
  type MigrationServer,
  migrate,
  type ServeMigrationsOptions,
  serveMigrations,
} from '../../../src/index.ts';
import { readCredentials } from '../../../src/migration/protocol/credentials.ts';
import { Authority, ELSEWHERE, HERE } from '../../helpers/certificates.ts';
import { failureOf } from '../../helpers/failures.ts';
import { MigrationHost } from '../../helpers/migration-host.ts';
import { startObstacle } from '../../helpers/obstacle.ts';
import { RunLog } from '../../helpers/run-log.ts';
import { freePort, ownAddress } from '../../helpers/sockets.ts';
import { isAlive, processState, temporaryDirectory } from '../../helpers/workload.ts';

const listen = { host: '127.0.0.1', port: 0 };

/** The certificates of two hosts of one authority. */
async function hosts() {
  const authority = await Authority.create('the hosts');
  const issue = async () => ({ ca: authority.cert, ...(await authority.issue(HERE)) });
  return [await issue(), await issue()] as const;
}

/** A server in this process, where the pids of all workloads are in use. */
async function serve(
  options: Partial<Parameters<typeof serveMigrations>[0]>,
): Promise<{ server: MigrationServer; directory: string }> {
  const directory = await temporaryDirectory();
  const server = await serveMigrations({ listen, directory, path: criuPath(), ...options });
  return { server, directory };
}

/** Tries to migrate; expects that nothing changes, and returns the error. */
async function refused(
  pid: number,
  options: Partial<MigrateOptions> & Pick<MigrateOptions, 'to'>,
  there: string[] = [],
): Promise<CriuError> {
  const directory = await temporaryDirectory();
  const given = { mode: 'stop-and-copy', path: criuPath(), directory, ...options } as const;
  const error = await failureOf(migrate(pid, given).result);
  expect(await isAlive(pid)).toBe(true);
  expect(await processState(pid)).not.toMatch(/[Tt]/);
  for (const one of [directory, ...there]) {
    expect(await readdir(join(one, 'images')).catch(() => [])).toEqual([]);
  }
  return error;
}

const REFUSED = 'ERR_CRIU_MIGRATION_REFUSED';

test.each(['stop-and-copy', 'post-copy'] as const)(
  '%s over mutual TLS needs a certificate of the authority',
  async (mode) => {
    const [ours, theirs] = await hosts();
    const [foreign] = await hosts();
    const runLog = await RunLog.start(8);
    const host = await MigrationHost.start({ tls: theirs });
    const to = { host: '127.0.0.1', port: host.ports[0] };
    const without = await refused(runLog.pid, { to, insecure: true, mode }, [host.directory]);
    expect(without.code).toBe(REFUSED);
    const other = await refused(runLog.pid, { to, tls: foreign, mode }, [host.directory]);
    expect(other.code).toBe(REFUSED);
    // The destination would accept this certificate, but the source expects another authority.
    const tls = { ...ours, ca: foreign.ca };
    expect((await refused(runLog.pid, { to, tls, mode }, [host.directory])).code).toBe(REFUSED);

    const directory = await temporaryDirectory();
    const good = { to, tls: ours, mode, directory, path: criuPath() };
    await migrate(runLog.pid, good).result;
    expect(await runLog.alone()).not.toBe(runLog.pid);
    await runLog.verify();
    const stays = await runLog.stays();
    expect(stays.map(({ here }) => here)).toEqual([true, false]);
  },
);

test('a certificate that is renewed during a migration is used without a restart', async () => {
  const authority = await Authority.create('the hosts');
  const issue = async () => ({ ca: authority.cert, ...(await authority.issue(HERE)) });
  const [ours, theirs, fresh] = [await issue(), await issue(), await issue()];
  const runLog = await RunLog.start(8);
  const host = await MigrationHost.start({ tls: theirs });
  const to = { host: '127.0.0.1', port: host.ports[0] };
  const shown: string[] = [];
  const noteShown = async () => {
    const files = await readCredentials('a test', to.host, ours, false);
    const socket = connect({ ...to, ...files }).on('error', () => {});
    await once(socket, 'secureConnect');
    shown.push(socket.getPeerCertificate().fingerprint256);
    socket.destroy();
  };
  await migrate(runLog.pid, {
    ...{ to, tls: ours, mode: 'stop-and-copy', path: criuPath() },
    directory: await temporaryDirectory(),
    hooks: {
      async phase(phase) {
        if (phase === 'connect') {
          // The connection for pages is the first with the new certificate.
          await copyFile(fresh.cert, theirs.cert);
          await copyFile(fresh.key, theirs.key);
        }
        if (phase === 'images') await noteShown();
      },
    },
  }).result;
  expect(await runLog.alone()).not.toBe(runLog.pid);
  await runLog.verify();
  const { fingerprint256 } = new X509Certificate(await readFile(fresh.cert));
  expect(shown).toEqual([fingerprint256]);
});

test('a destination with the certificate of another host is refused', async () => {
  const authority = await Authority.create('the hosts');
  const issue = async (where: string) => ({
    ca: authority.cert,
    ...(await authority.issue(where)),
  });
  const [ours, theirs] = [await issue(HERE), await issue(ELSEWHERE)];
  const runLog = await RunLog.start(1);
  const { server, directory } = await serve({ tls: theirs });
  await using _ = server;
  const error = await refused(runLog.pid, { to: server, tls: ours }, [directory]);
  expect(error).toMatchObject({ code: REFUSED });
  expect(error.message).toContain("does not match certificate's altnames");
  expect(server.migrations).toEqual([]);
});

test('a destination with the certificate of another host is accepted with verifyName: false', async () => {
  const authority = await Authority.create('the hosts');
  const issue = async (where: string) => ({
    ca: authority.cert,
    ...(await authority.issue(where)),
  });
  const tls = { ...(await issue(HERE)), verifyName: false };
  const runLog = await RunLog.start(1);
  const authorize = () => false;
  const { server, directory } = await serve({ tls: await issue(ELSEWHERE), authorize });
  await using _ = server;
  const error = await refused(runLog.pid, { to: server, tls }, [directory]);
  expect(error.message).toContain('This host does not accept the migration');
});

test('the certificate of a destination must have the name that is given', async () => {
  const authority = await Authority.create('the hosts');
  const issue = async (where: string) => ({
    ca: authority.cert,
    ...(await authority.issue(where)),
  });
  const [here, named] = [await issue(HERE), await issue('DNS:host-b')];
  const runLog = await RunLog.start(1);
  const authorize = () => false;
  for (const [tls, reason] of [
    [named, 'This host does not accept the migration'],
    [here, "does not match certificate's altnames"],
  ] as const) {
    const { server, directory } = await serve({ tls, authorize });
    await using _ = server;
    const to = { host: server.host, port: server.port, name: 'host-b' };
    const error = await refused(runLog.pid, { to, tls: here }, [directory]);
    expect(error.message).toContain(reason);
  }
});

test('a source whose certificate is revoked is refused', async () => {
  const authority = await Authority.create('the hosts');
  const issue = async () => ({ ca: authority.cert, ...(await authority.issue(HERE)) });
  const [ours, revoked, theirs] = [await issue(), await issue(), await issue()];
  const crl = await authority.revoke(revoked);
  const runLog = await RunLog.start(1);
  const authorize = () => false;
  const { server, directory } = await serve({ tls: { ...theirs, crl }, authorize });
  await using _ = server;
  const error = await refused(runLog.pid, { to: server, tls: revoked }, [directory]);
  expect(error.message).toContain('does not answer');
  const known = await refused(runLog.pid, { to: server, tls: ours }, [directory]);
  expect(known.message).toContain('This host does not accept the migration');
});

test.each([
  ['throws', () => Promise.reject(new Error('no such tenant')), 'no such tenant'],
  ['returns a wrong option', () => ({ tcpEstablished: 'yes' as never }), 'takes a boolean'],
  ['returns a reserved option', () => ({ lazyPages: true }), 'restore.lazyPages takes nothing'],
] as const)('a restore function that %s refuses', async (_what, restore, words) => {
  const runLog = await RunLog.start(1);
  const { server, directory } = await serve({ insecure: true, restore });
  await using _ = server;
  const error = await refused(runLog.pid, { to: server, insecure: true }, [directory]);
  expect(error).toMatchObject({ code: REFUSED });
  expect(error.message).toContain('This host cannot restore the migration');
  expect(error.message).toContain(words);
});

test('paths of certificates that cannot be read are refused by name', async () => {
  const runLog = await RunLog.start(1);
  const to = { host: '127.0.0.1', port: 9 };
  const tls = { ca: '/nonexistent/ca.pem', cert: 'x', key: 'y' };
  const error = await refused(runLog.pid, { to, tls });
  expect(error).toMatchObject({ code: 'ERR_CRIU_INVALID_ARGUMENT' });
  expect(error.message).toContain('tls.ca');
});

test('insecure: true is refused except on loopback addresses', async () => {
  const runLog = await RunLog.start(1);
  const to = { host: '192.0.2.1', port: 7000 };
  const error = await refused(runLog.pid, { to, insecure: true });
  expect(error.code).toBe('ERR_CRIU_INVALID_ARGUMENT');
  expect(error.message).toContain('loopback');
  expect((await refused(runLog.pid, { to })).code).toBe('ERR_CRIU_INVALID_ARGUMENT');
  const open = serveMigrations({
    listen: { host: '0.0.0.0', port: 0 },
    insecure: true,
    directory: await temporaryDirectory(),
  });
  expect((await failureOf(open)).code).toBe('ERR_CRIU_INVALID_ARGUMENT');
});

test('a source that authorize does not accept is refused', async () => {
  const [ours, theirs] = await hosts();
  const runLog = await RunLog.start(1);
  const asked: unknown[] = [];
  const authorize: ServeMigrationsOptions['authorize'] = (offer, peer) => {
    asked.push([offer.program, offer.mode, offer.pids, peer.name]);
    return false;
  };
  const { server, directory } = await serve({ tls: theirs, authorize });
  await using _ = server;
  const error = await refused(runLog.pid, { to: server, tls: ours }, [directory]);
  expect(error).toMatchObject({ code: REFUSED, refusal: 'not-authorized' });
  expect(error.message).toContain('This host does not accept the migration');
  expect(asked).toEqual([['run-log', 'stop-and-copy', [runLog.pid], 'cert1']]);
});

test.each([undefined, 1, 'yes', {}])('authorize has to return true, not %j', async (answer) => {
  const runLog = await RunLog.start(1);
  const { server, directory } = await serve({ insecure: true, authorize: () => answer as boolean });
  await using _ = server;
  const error = await refused(runLog.pid, { to: server, insecure: true }, [directory]);
  expect(error).toMatchObject({ code: REFUSED });
  expect(error.message).toContain('This host does not accept the migration');
});

test.each([new Error('no list of hosts'), 'no list of hosts'])(
  'a source is refused if authorize throws: %s',
  async (thrown) => {
    const runLog = await RunLog.start(1);
    const authorize = async () => {
      throw thrown;
    };
    const { server, directory } = await serve({ insecure: true, authorize });
    await using _ = server;
    const error = await refused(runLog.pid, { to: server, insecure: true }, [directory]);
    expect(error).toMatchObject({ code: REFUSED });
    expect(error.message).toContain('does not accept the migration: authorize threw: no list');
  },
);

test('a source is refused as busy if authorize throws an error with that refusal', async () => {
  const runLog = await RunLog.start(1);
  const authorize = () => {
    throw new CriuError('ERR_CRIU_FAILED', 'another one is coming', { refusal: 'busy' });
  };
  const { server, directory } = await serve({ insecure: true, authorize });
  await using _ = server;
  const error = await refused(runLog.pid, { to: server, insecure: true }, [directory]);
  expect(error).toMatchObject({ code: REFUSED, refusal: 'busy' });
  expect(error.message).toContain('another one is coming');
});

test('a pid that is in use at the destination is refused', async () => {
  const runLog = await RunLog.start(1);
  const { server, directory } = await serve({ insecure: true });
  await using _ = server;
  const error = await refused(runLog.pid, { to: server, insecure: true }, [directory]);
  expect(error).toMatchObject({ code: REFUSED, refusal: 'pids-in-use' });
  expect(error.message).toContain(`The pids ${runLog.pid} are in use on this host.`);
  expect(error.message).toContain('in its own pid namespace');
});

test('a destination that does not answer is reported', async () => {
  const runLog = await RunLog.start(1);
  const to = { host: ownAddress, port: await freePort(ownAddress) };
  const error = await refused(runLog.pid, { to, insecure: true });
  expect(error).toMatchObject({ code: REFUSED, refusal: 'unreachable' });
  expect(error.message).toContain(`${to.host}:${to.port} does not answer`);
});

test('a destination without criu is reported', async () => {
  const runLog = await RunLog.start(1);
  const { server, directory } = await serve({ insecure: true, path: '/nonexistent/criu' });
  await using _ = server;
  const error = await refused(runLog.pid, { to: server, insecure: true }, [directory]);
  expect(error).toMatchObject({ code: REFUSED });
  expect(error.message).toContain('/nonexistent/criu');
});

test('a process that CRIU cannot dump is refused', async () => {
  const { pid } = await startObstacle('io_uring');
  const host = await MigrationHost.start({ insecure: true });
  const to = { host: '127.0.0.1', port: host.ports[0] };
  for (const mode of ['stop-and-copy', 'post-copy'] as const) {
    const error = await refused(pid, { to, insecure: true, mode }, [host.directory]);
    expect(error).toMatchObject({ code: REFUSED });
    expect(error.message).toContain('io_uring');
    expect(error.findings).toMatchObject([{ code: 'IO_URING' }]);
  }
});

test('a pid without a process is refused', async () => {
  const host = await MigrationHost.start({ insecure: true });
  const to = { host: '127.0.0.1', port: host.ports[0] };
  const directory = await temporaryDirectory();
  const { result } = migrate(0x3fffff, { to, insecure: true, directory, path: criuPath() });
  expect((await failureOf(result)).code).toBe('ERR_CRIU_NO_SUCH_PROCESS');
});

test('rounds that this kernel cannot make are refused before anything is offered', async (context) => {
  const criu = new Criu({ path: criuPath() });
  if ((await criu.features()).memTrack) context.skip();
  const runLog = await RunLog.start(8);
  const to = { host: '127.0.0.1', port: 1 };
  const options = { to, insecure: true, mode: 'pre-copy', tracking: 'soft-dirty' } as const;
  expect(await refused(runLog.pid, options)).toMatchObject({
    code: REFUSED,
    message: expect.stringContaining(
      'pre-copy is not possible: this kernel does not track changed',
    ),
  });
});
