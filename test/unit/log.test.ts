import { appendFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { errorLines, LogFile } from '../../src/failure/log.ts';
import { temporaryDirectory } from '../helpers/workload.ts';

const line = (message: string) => `(00.012345)     12: Error (criu/cr-dump.c:99): ${message}\n`;

describe('error lines', () => {
  test('have no time, pid or source location', () => {
    const log = [
      '(00.000001) Version: 4.2.1\n',
      '(00.000002) Warn  (criu/log.c:1): Error is near\n',
      line("Can't open (null): No such file"),
      '(00.3) Error (criu/mount.c:7): mnt: Mount 2 (a:b) is bad \r\n',
      'Error (criu/cr-service.c:1): before the log\n',
      line('the end').trimEnd(),
    ].join('');
    expect(errorLines(log)).toEqual([
      "Can't open (null): No such file",
      'mnt: Mount 2 (a:b) is bad',
      'before the log',
      'the end',
    ]);
  });

  test('are limited to the last 20', () => {
    const numbers = Array.from({ length: 25 }, (_, index) => `${index}`);
    expect(errorLines(numbers.map(line).join(''))).toEqual(numbers.slice(5));
  });

  test('are empty for a log without errors', () => {
    expect(errorLines('')).toEqual([]);
    expect(errorLines('(00.1) all is well\n')).toEqual([]);
  });
});

describe('a log file', () => {
  const logPath = async () => join(await temporaryDirectory(), 'dump.log');

  test('is read if it is new', async () => {
    const path = await logPath();
    const log = await LogFile.at(path);
    expect(await log.read()).toBeUndefined();
    await writeFile(path, line('one'));
    expect(await log.read()).toEqual({ path, errors: ['one'] });
    await appendFile(path, line('two'));
    expect(await log.read()).toEqual({ path, errors: ['one', 'two'] });
  });

  test('of an earlier run is ignored until it is written again or replaced', async () => {
    const path = await logPath();
    await writeFile(path, line('old'));
    const log = await LogFile.at(path);
    expect(await log.read()).toBeUndefined();
    await writeFile(path, line('newer'));
    expect(await log.read()).toEqual({ path, errors: ['newer'] });

    const next = await LogFile.at(path);
    await writeFile(`${path}.new`, line('other'));
    await rename(`${path}.new`, path);
    expect(await next.read()).toEqual({ path, errors: ['other'] });
  });

  test('that CRIU has opened and left empty has no errors', async () => {
    const path = await logPath();
    const log = await LogFile.at(path);
    await writeFile(path, '');
    expect(await log.read()).toEqual({ path, errors: [] });
  });

  test('that is long is searched from its end', async () => {
    const path = await logPath();
    const log = await LogFile.at(path);
    const filler = `(00.1) ${'ü'.repeat(60)}\n`.repeat(5000);
    await writeFile(
      path,
      line('too far away') + filler + line('near the end') + filler.slice(0, 70_000),
    );
    expect(await log.read()).toEqual({ path, errors: ['near the end'] });
  });

  test('that cannot be read counts as a log without errors', async () => {
    const directory = await temporaryDirectory();
    const log = await LogFile.at(join(directory, 'gone', 'dump.log'));
    expect(await log.read()).toBeUndefined();
    const before = await LogFile.at(directory);
    await writeFile(join(directory, 'a'), '');
    expect(await before.read()).toEqual({ path: directory, errors: [] });
  });
});
