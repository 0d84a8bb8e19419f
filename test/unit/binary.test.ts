import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { locate } from '../../src/worker/endpoint.ts';
import { failureOf } from '../helpers/failures.ts';
import { temporaryDirectory } from '../helpers/workload.ts';

let root: string;
beforeEach(async () => {
  root = await temporaryDirectory();
  for (const name of ['first', 'second']) await mkdir(join(root, name));
  vi.stubEnv('PATH', `${join(root, 'first')}:${join(root, 'second')}`);
  vi.stubEnv('CRIU_PATH', undefined);
});
afterEach(() => void vi.unstubAllEnvs());

/** Makes a file in the test's directory; returns its path. */
async function make(name: string, mode = 0o755): Promise<string> {
  const path = join(root, name);
  await writeFile(path, name, { mode });
  return path;
}
const located = async (path?: string) => (await locate('dump', { path })).path;
const failure = (path?: string) => failureOf(locate('dump', { path }));

describe('criu is', () => {
  test('the program of the option, by path or by name', async () => {
    vi.stubEnv('CRIU_PATH', await make('first/criu'));
    const own = await make('second/own');
    expect(await located(own)).toBe(own);
    expect(await located(relative('.', own))).toBe(own);
    expect(await located('own')).toBe(own);
  });

  test('else that of CRIU_PATH, by path or by name', async () => {
    await make('first/criu');
    const own = await make('second/own');
    for (const value of [own, 'own']) {
      vi.stubEnv('CRIU_PATH', value);
      expect(await located()).toBe(own);
    }
  });

  test('else the first on PATH, also if CRIU_PATH is empty', async () => {
    vi.stubEnv('CRIU_PATH', '');
    const second = await make('second/criu');
    expect(await located()).toBe(second);
    const first = await make('first/criu');
    expect(await located()).toBe(first);
  });

  test('not an entry on PATH that cannot be executed', async () => {
    await mkdir(join(root, 'first/criu'));
    const second = await make('second/criu');
    expect(await located()).toBe(second);
    await make('first/other', 0o644);
    const other = await make('second/other');
    expect(await located('other')).toBe(other);
  });
});

test('another file under the same path is another binary', async () => {
  const path = await make('first/criu');
  const { identity } = await locate('dump', { path });
  expect((await locate('check', { path })).identity).toBe(identity);
  await rename(await make('new'), path);
  expect((await locate('dump', { path })).identity).not.toBe(identity);
});

describe('the error reports', () => {
  test.each([
    ['/nonexistent/criu', 'there is no /nonexistent/criu;'],
    ['nonexistent', 'there is no nonexistent on PATH;'],
    ['/dev/null/criu', 'there is no /dev/null/criu;'],
    [undefined, 'there is no criu on PATH;'],
  ])('if there is no %s', async (path, message) => {
    const error = await failure(path);
    expect(error).toMatchObject({ code: 'ERR_CRIU_NOT_FOUND', operation: 'dump' });
    expect(error.message).toContain(`dump: ${message}`);
    expect(error.message).toContain('CRIU_PATH');
  });

  test('that PATH is not set', async () => {
    vi.stubEnv('PATH', undefined);
    expect(await failure()).toMatchObject({ code: 'ERR_CRIU_NOT_FOUND' });
  });

  test('a binary that may not be executed, by path and on PATH', async () => {
    const path = await make('first/criu', 0o644);
    for (const name of [path, undefined]) {
      const error = await failure(name);
      expect(error).toMatchObject({
        code: 'ERR_CRIU_NO_PERMISSION',
        operation: 'dump',
        cause: { code: 'EACCES' },
      });
      expect(error.message).toContain(`dump: cannot execute ${name ?? 'criu'}: EACCES`);
    }
  });

  test('a directory', async () => {
    const error = await failure(join(root, 'first'));
    expect(error).toMatchObject({ code: 'ERR_CRIU_NO_PERMISSION' });
    expect(error.message).toContain('is a directory');
  });
});
