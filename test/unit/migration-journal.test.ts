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
  test('has the last state, and all facts so far', async () => {
    const { directory, id } = await place();
    await using journal = await create(directory, id);
    expect(journal.entry).toBeUndefined();
    await journal.write('begun', { pid: 12, text: 'one\ntwo' });
    await journal.write('done', { text: '' });
    await using found = await find(directory, id);
    expect(found?.entry).toMatchObject({ state: 'done', pid: 12, text: '' });
    expect(found?.entry).toEqual(journal.entry);
  });

  test('is there for other processes once a step is written, and for no other user', async () => {
    const { directory, id, path } = await place();
    await using journal = await create(directory, id);
    await journal.write('begun', { pid: 12 });
    const { stdout } = await execa('tail', ['-n1', path]);
    expect(JSON.parse(stdout)).toMatchObject({ state: 'begun', pid: 12 });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
  });

  test('that is there already is not begun anew', async () => {
    const { directory, id } = await place();
    await using journal = await create(directory, id);
    await journal.write('begun');
    const error = await failureOf(create(directory, id));
    expect(error).toMatchObject({ code: 'ERR_CRIU_MIGRATION_REFUSED' });
    expect(error.message).toContain(id);
    await using found = await find(directory, id);
    expect(found?.entry?.state).toBe('begun');
  });

  test('that cannot be begun is not said to be there', async () => {
    const { directory, id } = await place();
    await writeFile(directory, '');
    const error = await failureOf(create(directory, id));
    expect(error).toMatchObject({ code: 'ERR_CRIU_SYSTEM', errno: constants.errno.EEXIST });
    expect(error.message).toMatch(
      new RegExp(`^migration ${id}: its journal cannot be begun: EEXIST`),
    );
  });

  test('that nobody has begun is not found', async () => {
    const { directory, id } = await place();
    expect(await find(directory, id)).toBeUndefined();
    expect(await journalsIn(directory)).toEqual([]);
  });

  test('without a line has no entry', async () => {
    const { directory, id } = await place();
    await using _ = await create(directory, id);
    await using found = await find(directory, id);
    expect(found?.entry).toBeUndefined();
  });

  test('is gone on with', async () => {
    const { directory, id } = await place();
    await using journal = await create(directory, id);
    await journal.write('begun', { pid: 12 });
    await using found = await find(directory, id);
    await found?.write('done');
    await using again = await find(directory, id);
    expect(again?.entry).toMatchObject({ state: 'done', pid: 12 });
  });
});

describe('a line that was cut off', () => {
  test('does not count, wherever that was', async () => {
    const { directory, id, path } = await place();
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

  test('does not spoil those after it', async () => {
    const { directory, id, path } = await place();
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
    // Cut off once more, and now the line that was cut off before is the last whole one.
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

  test.each([...wrong, 12, undefined, null, {}])('%j is none', (id) => {
    expect(isMigrationId(id)).toBe(false);
  });

  test('only files that are named by one are journals', async () => {
    const { directory, id } = await place();
    await using _ = await create(directory, id);
    await writeFile(join(directory, 'notes.journal'), '');
    await writeFile(join(directory, '..journal'), '');
    expect(await journalsIn(directory)).toEqual([id]);
  });

  test('is not taken for missing if its directory cannot be read', async () => {
    const path = join(await temporaryDirectory(), 'journals');
    expect(await journalsIn(path)).toEqual([]);
    await writeFile(path, '');
    expect(await failureOf(journalsIn(path))).toMatchObject({
      code: 'ERR_CRIU_SYSTEM',
      errno: constants.errno.ENOTDIR,
    });
  });
});

async function place(): Promise<{ directory: string; id: string; path: string }> {
  const directory = join(await temporaryDirectory(), 'journals');
  const id = randomUUID() as string;
  return { directory, id, path: join(directory, `${id}.journal`) };
}
