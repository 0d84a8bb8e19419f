import { randomUUID } from 'node:crypto';
import { appendFile, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { constants } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, onTestFinished, test } from 'vitest';
import { listMigrations, unresolvedMigrations } from '../../src/index.ts';
import { isMigrationId, Journal, journalsIn } from '../../src/migration/journal/journal.ts';
import { reservePath } from '../../src/migration/journal/reserve.ts';
import { thisAgent } from '../../src/migration/protocol/identity.ts';
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

  test('knows since when it is in its state, whatever is noted after that', async () => {
    const { directory, id, path } = await newJournal();
    const lines = [
      ...[
        { state: 'begun', at: 1 },
        { state: 'done', at: 2 },
        { state: 'done', at: 3, pid: 12 },
      ],
    ];
    await using _ = await create(directory, id);
    await appendFile(path, lines.map((line) => `${JSON.stringify(line)}\n`).join(''));
    await using journal = await find(directory, id);
    expect(journal).toMatchObject({ since: 2, entry: { at: 3, pid: 12 } });
    await journal?.write('done');
    expect(journal?.since).toBe(2);
    await journal?.write('begun');
    expect(journal?.since).toBe(journal?.entry?.at);
  });

  test('is listed while its migration is in flight or unresolved', async () => {
    const directory = await temporaryDirectory();
    const [here, there] = [join(directory, 'outgoing'), join(directory, 'incoming')];
    const begin = async (journals: string, state: string, facts: object) => {
      const id = randomUUID();
      await using journal = await Journal.create<string, object>(journals, id);
      await journal.write(state, { pid: 12, ...facts });
      return id;
    };
    const to = { host: '::1', port: 7 };
    const own = await begin(here, 'offered', { to, agent: thisAgent() });
    const left = await begin(here, 'handed-over', { to, agent: '' });
    const addresses = [{ address: '192.0.2.9', prefix: 32 }];
    const away = await begin(here, 'aborted', { to, addresses, isSwitchedOver: true });
    await begin(here, 'done', { to });
    await begin(here, 'aborted', { to });
    const came = await begin(there, 'prepared', { peer: 'source', agent: 'gone' });
    await begin(there, 'complete', { peer: 'source' });
    const images = join(directory, 'images', own);
    await mkdir(images, { recursive: true });
    await writeFile(join(images, 'bytes'), '             12');
    const since = expect.any(Date);
    const outgoing = { role: 'source', peer: '[::1]:7', pid: 12, since } as const;
    const unresolved = { status: 'unresolved', agent: undefined, bytes: undefined } as const;
    const flight = { status: 'in-flight', agent: process.pid, bytes: 12 } as const;
    const listed = await listMigrations({ directory });
    expect(listed).toHaveLength(4);
    expect(listed).toEqual(
      expect.arrayContaining([
        { id: own, state: 'offered', ...outgoing, ...flight },
        { id: left, state: 'handed-over', ...outgoing, ...unresolved },
        { id: away, state: 'aborted', ...outgoing, ...unresolved },
        ...[
          { id: came, role: 'destination', state: 'prepared', peer: 'source', pid: 12, since },
        ].map((one) => ({ ...one, ...unresolved })),
      ]),
    );
    expect((await unresolvedMigrations({ directory })).sort()).toEqual([left, away].sort());
  });

  test('is written on a full disk, in space that is kept', async () => {
    const base = await temporaryDirectory();
    await execa('mount', ['-t', 'tmpfs', '-o', 'size=1m,mode=700', 'node-criu', base]);
    onTestFinished(async () => void (await execa('umount', ['-l', base])));
    const directory = join(base, 'incoming');
    const [reserve, filler] = [reservePath(directory), join(base, 'filler')];
    const sizeOf = async () => (await stat(reserve)).size;
    await using journal = await create(directory, randomUUID());
    const whole = await sizeOf();
    await writeFile(filler, Buffer.alloc(1 << 20)).catch(() => {});
    // Longer than what is left of the page.
    const facts = { text: 'x'.repeat(8192) };
    await journal.write('begun', facts);
    expect(await sizeOf()).toBeLessThan(whole);
    // A reserve that cannot be filled again is not lost.
    await using _ = await create(directory, randomUUID());
    expect(await sizeOf()).toBeGreaterThan(0);

    await rm(reserve);
    await appendFile(filler, Buffer.alloc(1 << 20)).catch(() => {});
    await expect(journal.write('done', facts)).rejects.toThrow('ENOSPC');
    expect(journal.entry?.state).toBe('begun');
    await rm(filler);
    await journal.write('done', facts);
    await using __ = await create(directory, randomUUID());
    expect(await sizeOf()).toBe(whole);
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
