import { generateKeyPairSync } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { CriuError, invalid, withFindings } from '../../src/errors.ts';
import type { PreflightFinding } from '../../src/finding.ts';
import { readTls } from '../../src/options/tls.ts';
import { failureOf } from '../helpers/failures.ts';
import { client } from '../helpers/workload.ts';

const finding: PreflightFinding = {
  code: 'FILE_LOCK',
  severity: 'error',
  pid: 12,
  message: 'process 12 holds a lock',
  remedy: 'use fileLocks',
};

const DER = generateKeyPairSync('ed25519')
  .privateKey.export({ type: 'pkcs8', format: 'der' })
  .toString('base64');
const PEM = `-----BEGIN PRIVATE KEY-----\n${DER}\n-----END PRIVATE KEY-----\n`;

describe('a CriuError', () => {
  test('has the properties that are known, and no others', () => {
    const error = new CriuError('ERR_CRIU_FAILED', 'dump: broken', {
      operation: 'dump',
      pid: 12,
      exit: undefined,
    });
    expect(Object.keys(error).sort()).toEqual(['code', 'name', 'operation', 'pid']);
    expect(error.exit).toBeUndefined();
    expect('cause' in error).toBe(false);
  });

  test('prints what is known, and nothing that is undefined', () => {
    const printed = inspect(invalid('dump', 'tcpEstablished', 'a boolean', 'yes'));
    expect(printed).toContain("dump: tcpEstablished takes a boolean, not 'yes'");
    expect(printed).toContain("code: 'ERR_CRIU_INVALID_ARGUMENT'");
    expect(printed).toContain("option: 'tcpEstablished'");
    expect(printed).not.toContain('undefined');
  });

  test.each([
    ['tls', PEM],
    ['tls', [PEM]],
    ['tls', Buffer.from(PEM)],
    ['tls', { key: PEM, cert: '/cert.pem' }],
    ['tls.key', { pem: PEM }],
    ['tls.verifyName', DER],
    ['defaults.tls', DER],
    ['to', PEM],
    ['imagesDirectory', { directory: PEM }],
  ])('does not quote a private key that is given for %s', (option, value) => {
    const printed = inspect(invalid('migrate', option, 'something else', value));
    expect(printed).toContain(`migrate: ${option} takes something else, not `);
    for (const part of [
      PEM.slice(28, 44),
      DER.slice(0, 16),
      Buffer.from(PEM).toString('hex', 0, 4),
    ]) {
      expect(printed.replaceAll(' ', '')).not.toContain(part);
    }
  });

  test('keeps its cause, stack and details when findings are added', () => {
    const cause = new Error('why');
    const error = new CriuError('ERR_CRIU_FAILED', 'dump: broken', { pid: 12, cause });
    const explained = withFindings(error, [finding]);
    expect(explained).toMatchObject({ code: 'ERR_CRIU_FAILED', pid: 12, findings: [finding] });
    expect(explained.message).toBe(error.message);
    expect(explained.cause).toBe(cause);
    expect(explained.stack).toBe(error.stack);
    expect('cause' in withFindings(new CriuError('ERR_CRIU_EOF', 'x'), [])).toBe(false);
  });
});

describe('a private key where a path belongs is not quoted', () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const pem = privateKey.export({ type: 'sec1', format: 'pem' }) as string;
  const [, ...lines] = pem.trim().split('\n').slice(0, -1);
  const forms = {
    'without its first and last line': lines.join('\n'),
    'with spaces for line breaks': lines.join(' '),
    'with escaped line breaks': pem.replaceAll('\n', '\\n').replace('BEGIN ', 'BEGIN'),
    'after a slash': `/${lines.join('')}`,
    'in hexadecimal': (privateKey.export({ type: 'sec1', format: 'der' }) as Buffer)
      .toString('hex')
      .replace(/..(?!$)/g, '$&:'),
  };

  test.each(Object.entries(forms))('%s', async (_form, key) => {
    const [ca, cert] = ['/ca.pem', '/cert.pem'];
    const errors = [
      await failureOf(readTls('migrate', { ca: key, cert, key })),
      await failureOf(client().dump(1, { imagesDirectory: '/', tls: { ca, cert, key } })),
    ];
    for (const error of errors) {
      expect(error).toMatchObject({ code: 'ERR_CRIU_INVALID_ARGUMENT' });
      expect(inspect(error, { depth: 9 })).not.toContain(key.slice(20, 40));
    }
  });
});
