import { once } from 'node:events';
import { readdir, readFile, stat } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { buildCommand, events, nodeCriu } from '../../helpers/command.ts';
import { client, startCounter, temporaryDirectory } from '../../helpers/workload.ts';

beforeAll(buildCommand);

test('only the owner can read the keys, and no temporary file stays', async () => {
  const lab = join(await temporaryDirectory(), 'a/lab');
  const ca = await nodeCriu(['cert', 'init', lab, '--json']);
  expect(ca).toMatchObject({ exitCode: 0, stderr: '' });
  expect(events(ca.stdout)).toEqual([
    { event: 'result', cert: join(lab, 'ca.pem'), key: join(lab, 'ca.key') },
  ]);
  expect(await nodeCriu(['cert', 'host', lab, 'source.example.org,source', '::1'])).toEqual({
    exitCode: 0,
    stdout: `${join(lab, 'source.example.org.pem')}\n${join(lab, 'source.example.org.key')}`,
    stderr: '',
  });
  const names = ['ca.key', 'ca.pem', 'source.example.org.key', 'source.example.org.pem'];
  expect((await readdir(lab)).sort()).toEqual(names);
  expect((await stat(lab)).mode & 0o777).toBe(0o700);
  for (const name of names.filter((each) => each.endsWith('.key'))) {
    expect((await stat(join(lab, name))).mode & 0o777).toBe(0o600);
  }
});

test('a dump sends pages to a page server with these certificates', async () => {
  const criu = client();
  const { lab, ca } = await authority();
  const [source, target] = [await issue(lab, 'source'), await issue(lab, 'target')];
  const counter = await startCounter();
  const there = await temporaryDirectory();
  const server = await criu.pageServer({
    imagesDirectory: there,
    tls: { ca, cert: target.cert, key: target.key },
  });
  const { exitCode } = await nodeCriu([
    ...['dump', String(counter.pid), '-D', await temporaryDirectory(), '--leave-running'],
    ...['--page-server', `127.0.0.1:${server.port}`, '--tls', '--tls-cacert', ca],
    ...['--tls-cert', source.cert, '--tls-key', source.key],
  ]);
  expect(exitCode).toBe(0);
  expect(await server.exited).toEqual({ code: 0, signal: null });
  expect(await readdir(there)).toContain(`pagemap-${counter.pid}.img`);
});

test('a TLS server and client of Node accept only certificates of this authority', async () => {
  const { lab, ca } = await authority();
  const other = await authority();
  const server = await tlsServer(ca, await issue(lab, 'target'));
  const client = (certificate: Certificate, servername?: string) =>
    greeting(server, ca, certificate, servername);
  expect(await client(await issue(lab, 'source'))).toBe('welcome source');
  expect(await client(await issue(lab, 'by-name'), 'target')).toBe('welcome by-name');
  await expect(client(await issue(lab, 'third'), 'elsewhere')).rejects.toThrow(/altnames/);
  await expect(client(await issue(other.lab, 'stranger'))).rejects.toThrow();
});

test('existing files are not overwritten, and a directory that others can access is refused', async () => {
  const { lab, ca } = await authority();
  await issue(lab, 'source');
  const before = await readFile(ca, 'utf8');
  const empty = await temporaryDirectory();
  const open = await nodeCriu(['cert', 'init', '/usr']);
  expect(open).toMatchObject({
    exitCode: 2,
    stderr: expect.stringContaining('accessible to others'),
  });
  const cases = [
    [['init', lab], `${ca} exists already`],
    [['host', lab, 'source'], 'source.pem exists already'],
    [['host', lab, 'ca'], 'ca is the name of the authority'],
    [['host', lab, '../source'], '"../source" is neither a host name nor an IP address'],
    [['host', lab, 'x\nDNS.2 = y'], 'is neither a host name nor an IP address'],
    [['host', empty, 'source'], `create it with: node-criu cert init ${empty}`],
    [['host', lab, 'new', '--days', '0'], 'Give a number of days'],
    [['host', lab], "missing required argument 'names'"],
    [['frob'], "unknown command 'frob'"],
  ] as const;
  for (const [args, message] of cases) {
    const { exitCode, stderr } = await nodeCriu(['cert', ...args]);
    expect({ args, exitCode }).toEqual({ args, exitCode: 2 });
    expect(stderr).toContain(message);
  }
  expect(await readFile(ca, 'utf8')).toBe(before);
  expect(await readdir(empty)).toEqual([]);
});

interface Certificate {
  readonly cert: string;
  readonly key: string;
}

async function authority(): Promise<{ lab: string; ca: string }> {
  const lab = join(await temporaryDirectory(), 'lab');
  expect(await nodeCriu(['cert', 'init', lab])).toMatchObject({ exitCode: 0 });
  return { lab, ca: join(lab, 'ca.pem') };
}

async function issue(lab: string, name: string): Promise<Certificate> {
  const { exitCode, stdout } = await nodeCriu(['cert', 'host', lab, name, '127.0.0.1']);
  expect(exitCode).toBe(0);
  const [cert = '', key = ''] = stdout.split('\n');
  return { cert, key };
}

/** Starts a server that accepts certificates of the authority, and resolves with its port. */
async function tlsServer(ca: string, { cert, key }: Certificate): Promise<number> {
  const [caText, certText, keyText] = await Promise.all(
    [ca, cert, key].map((file) => readFile(file)),
  );
  const options = { ca: caText, cert: certText, key: keyText };
  const server = createServer({ ...options, requestCert: true }, (socket) => {
    socket.on('error', () => {});
    socket.end(`welcome ${socket.getPeerCertificate().subject.CN}`);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

async function greeting(
  port: number,
  ca: string,
  { cert, key }: Certificate,
  servername?: string,
): Promise<string> {
  const [caText, certText, keyText] = await Promise.all(
    [ca, cert, key].map((file) => readFile(file)),
  );
  const options = { ca: caText, cert: certText, key: keyText };
  const name = servername === undefined ? {} : { servername };
  const socket: TLSSocket = connect({ host: '127.0.0.1', port, ...options, ...name });
  let text = '';
  for await (const chunk of socket) text += chunk;
  if (text === '') throw new Error('the server sent nothing');
  return text;
}
