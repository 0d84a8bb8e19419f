import { type Transform, Writable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  Answers,
  type Command,
  commandOf,
  failure,
  farewell,
  leave,
  oneByOne,
  Requests,
} from '../../src/postcopy/page-protocol.ts';
import { commands, pageAnswer, pageMessage, pageRequest } from '../helpers/page-messages.ts';
import { sample, testSeed } from '../helpers/sample.ts';

const runs = { seed: testSeed(5), numRuns: sample('cut page messages', 300, 60) };

describe('commands', () => {
  test.each([
    ['a request for pages', pageRequest(), 'get'],
    ['a request without flags', pageMessage(commands.get), 'get'],
    ['an end', pageMessage(commands.close), 'leave'],
    ['a forced end', pageMessage(commands.forceClose), 'leave'],
    ['ours that all is over', leave(), 'leave'],
    ['ours that all has failed', failure(), 'unknown'],
    ['pages to be written', pageMessage(commands.add), 'unknown'],
    ['a request of HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'), 'unknown'],
  ])('%s is known', (_what, message, command) => {
    expect(commandOf(message)).toBe(command);
  });

  test('the answer to an end is a status of zero', () => {
    expect(farewell()).toEqual(Buffer.alloc(4));
  });
});

describe('requests', () => {
  const one = pageRequest({ start: 4096 });
  const two = pageRequest({ start: 8192, count: 16 });

  test('whole ones pass, wherever they are cut', async () => {
    const all = Buffer.concat([one, two, pageMessage(commands.close), one]);
    for (let cut = 0; cut <= all.length; cut++) {
      expect(await requested([all.subarray(0, cut), all.subarray(cut)])).toEqual({
        passed: Buffer.concat([one, two]),
        stopped: ['leave'],
      });
    }
    expect(await requested([...all].map((byte) => Buffer.of(byte)))).toEqual({
      passed: Buffer.concat([one, two]),
      stopped: ['leave'],
    });
  });

  test('half a request does not pass', async () => {
    const chunks = [one, two.subarray(0, 31)];
    expect(await requested(chunks)).toEqual({ passed: one, stopped: [] });
  });

  test('nothing passes after something else', async () => {
    const chunks = [one, failure(), two, pageMessage(commands.close)];
    expect(await requested(chunks)).toEqual({ passed: one, stopped: ['unknown'] });
  });

  test('who talks on after the end does not fill the memory', async () => {
    const requests = new Requests(() => {});
    const chunk = Buffer.alloc(1 << 20);
    // Each byte kept would be copied with each chunk: that would not end in time either.
    await write(requests, [failure(), ...Array(2000).fill(chunk)]);
    expect(requests.readableLength).toBe(0);
  });

  test('any chunks pass up to what is no request, and make no error', async () => {
    await fc.assert(
      fc.asyncProperty(anyChunks, async (chunks) => {
        const { passed, stopped } = await requested(chunks);
        const all = Buffer.concat(chunks);
        expect(passed).toEqual(all.subarray(0, passed.length));
        expect(passed.length % 32).toBe(0);
        const rest = all.subarray(passed.length);
        expect(stopped).toEqual(rest.length < 32 ? [] : [commandOf(rest)]);
        expect(stopped).not.toContain('get');
      }),
      runs,
    );
  });
});

describe('answers', () => {
  const sent = [
    { pid: 7, start: 4096, count: 1 },
    { pid: 8, start: 0x7fff_1234_5000, count: 2 },
  ];
  const all = Buffer.concat(sent.map((pages) => pageAnswer(pages)));

  test('they pass as they are and tell what they bring, wherever they are cut', async () => {
    for (let cut = 0; cut <= all.length; cut++) {
      const { passed, brought } = await answered([all.subarray(0, cut), all.subarray(cut)]);
      if (!passed.equals(all)) throw new Error(`cut at ${cut} they do not pass as they are`);
      expect(brought).toEqual(sent);
    }
  });

  test('their beginnings and their pages leave in chunks of their own', async () => {
    const chunks: Buffer[] = [];
    const answers = new Answers(() => {});
    answers.on('data', (chunk: Buffer) => chunks.push(chunk));
    answers.end(all);
    await finished(answers);
    expect(chunks.map(({ length }) => length)).toEqual([32, 4096, 32, 8192]);
  });

  test('one chunk is written after the other', async () => {
    const sizes: number[] = [];
    const peer = new Writable({
      write(chunk, _encoding, done) {
        sizes.push(chunk.length);
        setImmediate(done);
      },
      writev() {
        throw new Error('together');
      },
    });
    const writer = oneByOne(peer);
    for (const length of [32, 4096, 32, 8192]) writer.write(Buffer.alloc(length));
    writer.end();
    await finished(peer);
    expect(sizes).toEqual([32, 4096, 32, 8192]);
  });

  test('they may come byte by byte', async () => {
    const { passed, brought } = await answered([...all].map((byte) => Buffer.of(byte)));
    expect(passed.equals(all)).toBe(true);
    expect(brought).toEqual(sent);
  });

  test('pages that have come in part bring nothing yet', async () => {
    const part = all.subarray(0, all.length - 1);
    const { passed, brought } = await answered([part]);
    expect(passed.equals(part)).toBe(true);
    expect(brought).toEqual(sent.slice(0, 1));
  });

  test('an answer without pages brings none, and the next one counts', async () => {
    const none = { pid: 7, start: 4096, count: 0 };
    const chunks = [pageAnswer(none), all];
    expect((await answered(chunks)).brought).toEqual([none, ...sent]);
  });

  test('any chunks pass as they are, and make no error', async () => {
    await fc.assert(
      fc.asyncProperty(anyChunks, async (chunks) => {
        const { passed } = await answered(chunks);
        expect(passed.equals(Buffer.concat(chunks))).toBe(true);
      }),
      runs,
    );
  });
});

/** Messages and rubbish, in pieces that need not be whole. */
const anyChunks = fc
  .array(
    fc.oneof(
      fc.record({ start: fc.nat(), count: fc.nat(3) }).map(pageRequest),
      fc.record({ start: fc.nat(), count: fc.nat(3) }).map((pages) => pageAnswer(pages)),
      fc.constantFrom(leave(), farewell(), failure(), pageMessage(commands.forceClose)),
      fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes)),
    ),
    { maxLength: 20 },
  )
  .chain((messages) => {
    const bytes = Buffer.concat(messages);
    const cuts = fc.array(fc.nat(bytes.length), { maxLength: 10 });
    return cuts.map((at) => {
      const places = [0, ...at.sort((a, b) => a - b), bytes.length];
      return places.slice(1).map((end, index) => bytes.subarray(places[index], end));
    });
  });

async function requested(chunks: readonly Buffer[]) {
  const stopped: Command[] = [];
  const passed = await write(new Requests((command) => stopped.push(command)), chunks);
  return { passed, stopped };
}

async function answered(chunks: readonly Buffer[]) {
  const brought: { pid: number; start: number; count: number }[] = [];
  const answers = new Answers((pid, start, count) => brought.push({ pid, start, count }));
  return { passed: await write(answers, chunks), brought };
}

/** Sends chunks through a stream; resolves with what has come out. */
async function write(through: Transform, chunks: readonly Buffer[]): Promise<Buffer> {
  const out: Buffer[] = [];
  const sink = new Writable({
    write(chunk, _encoding, done) {
      out.push(chunk);
      done();
    },
  });
  await pipeline(chunks, through, sink);
  return Buffer.concat(out);
}
