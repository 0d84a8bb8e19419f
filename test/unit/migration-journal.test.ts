import { randomUUID } from 'node:crypto';
import { appendFile, readFile, stat, writeFile } from 'node:fs/promises';
import { constants } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, test } from 'vitest';
import { isMigrationId, Journal, journalsIn } from '../../src/migration/journal/journal.ts';
import { failureOf } from '../helpers/failures.ts';
import { temporaryDirectory } from '../helpers/workload.ts';

type State = 'begun' | 'done';
interface Facts {
  readonly pid: number;
  readonly text: string;
}
const create = (directory: string, id: string) => Journal.create<State, Facts>(directory, id);
const find = (directory: string, id: string) => Journal.find<State, Facts>(directory, id);

describe('a journal', () => {
  test('returns the last state and all facts so far', async () => {
    const { directory, id } = await newJournal();
    await using journal = await create(directory, id);
    expect(journal.entry).toBeUndefined();
    await journal.write('begun', { pid: 12, text: 'one\ntwo' });
    await journal.write('done', { text: '' });
    await using found = await find(directory, id);
    expect(found?.entry).toMatchObject({ state: 'done', pid: 12, text: '' });
    expect(found?.entry).toEqual(journal.entry);
  });

  test('is durable once a line is written, and readable by its user only', async () => {
    const { directory, id, path } = await newJournal();
    await using journal = await create(directory, id);
    await journal.write('begun', { pid: 12 });
    const { stdout } = await execa('tail', ['-n1', path]);
    expect(JSON.parse(stdout)).toMatchObject({ state: 'begun', pid: 12 });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
  });

  test('has one owner at a time, who reads it again', async () => {
    const { directory, id } = await newJournal();
    await using first = await create(directory, id);
    await first.write('begun', { pid: 12 });
    await using second = await find(directory, id);
    expect(await second?.lock()).toBe(false);
    const waiting = second?.lock(10_000);
    await first.write('done', { pid: 13 });
    await first[Symbol.asyncDispose]();
    expect(await waiting).toBe(true);
    expect(second?.entry).toMatchObject({ state: 'done', pid: 13 });
  });

  test('that exists is not created again', async () => {
    const { directory, id } = await newJournal();
    await using journal = await create(directory, id);
    await journal.write('begun');
    const error = await failureOf(create(directory, id));
    expect(error).toMatchObject({ code: 'ERR_CRIU_MIGRATION_REFUSED' });
    expect(error.message).toContain(id);
    await using found = await find(directory, id);
    expect(found?.entry?.state).toBe('begun');
  });

  test('that cannot be created is not reported as existing', async () => {
    const { directory, id } = await newJournal();
    await writeFile(directory, '');
    const error = await failureOf(create(directory, id));
    expect(error).toMatchObject({ code: 'ERR_CRIU_SYSTEM', errno: constants.errno.EEXIST });
    expect(error.message).toMatch(
      new RegExp(`^migration ${id}: cannot create its journal: EEXIST`),
    );
  });

  test('that does not exist is not found', async () => {
    const { directory, id } = await newJournal();
    expect(await find(directory, id)).toBeUndefined();
    expect(await journalsIn(directory)).toEqual([]);
  });

  test('without a line has no entry', async () => {
    const { directory, id } = await newJournal();
    await using _ = await create(directory, id);
    await using found = await find(directory, id);
    expect(found?.entry).toBeUndefined();
  });

  test('can be continued', async () => {
    const { directory, id } = await newJournal();
    await using journal = await create(directory, id);
    await journal.write('begun', { pid: 12 });
    await using found = await find(directory, id);
    await found?.write('done');
    await using again = await find(directory, id);
    expect(again?.entry).toMatchObject({ state: 'done', pid: 12 });
  });
});

describe('a truncated line', () => {
  test('is ignored, wherever it was truncated', async () => {
    const { directory, id, path } = await newJournal();
    await using journal = await create(directory, id);
    await journal.write('begun', { pid: 12 });
    const whole = await readFile(path);
    await journal.write('done', { text: 'later' });
    const both = await readFile(path);
    for (let size = whole.length; size < both.length; size++) {
      await writeFile(path, both.subarray(0, size));
      await using found = await find(directory, id);
      expect(found?.entry).toMatchObject({ state: 'begun', pid: 12 });
    }
  });

  test('does not affect later lines', async () => {
    const { directory, id, path } = await newJournal();
    await using journal = await create(directory, id);
    await journal.write('begun', { pid: 12 });
    for (let times = 0; times < 2; times++) {
      await appendFile(path, '{"state":"do');
      await using found = await find(directory, id);
      expect(found?.entry).toMatchObject({ state: 'begun', pid: 12 });
    }
    await using found = await find(directory, id);
    await found?.write('done');
    await using again = await find(directory, id);
    expect(again?.entry).toMatchObject({ state: 'done', pid: 12 });
    // Truncated again: now the line that was truncated first is the last complete one.
    await writeFile(path, (await readFile(path, 'utf8')).replace(/\n\{[^\n]*\n$/, '\n{"st'));
    await using last = await find(directory, id);
    expect(last?.entry).toMatchObject({ state: 'begun', pid: 12 });
  });
});

describe('ids', () => {
  const wrong = [
    '',
    '..',
    '../etc',
    'a/b',
    'A'.repeat(36),
    `${randomUUID()}\n`,
    `x${randomUUID()}`,
  ];

  test.each([...wrong, 12, undefined, null, {}])('%j is not the id of a migration', (id) => {
    expect(isMigrationId(id)).toBe(false);
  });

  test('only files that are named by an id are journals', async () => {
    const { directory, id } = await newJournal();
    await using _ = await create(directory, id);
    await writeFile(join(directory, 'notes.journal'), '');
    await writeFile(join(directory, '..journal'), '');
    expect(await journalsIn(directory)).toEqual([id]);
  });

  test('an unreadable directory is reported, not taken for empty', async () => {
    const path = join(await temporaryDirectory(), 'journals');
    expect(await journalsIn(path)).toEqual([]);
    await writeFile(path, '');
    expect(await failureOf(journalsIn(path))).toMatchObject({
      code: 'ERR_CRIU_SYSTEM',
      errno: constants.errno.ENOTDIR,
    });
  });
});

async function newJournal(): Promise<{ directory: string; id: string; path: string }> {
  const directory = join(await temporaryDirectory(), 'journals');
  const id = randomUUID() as string;
  return { directory, id, path: join(directory, `${id}.journal`) };
}
