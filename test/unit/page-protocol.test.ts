import { type Transform, Writable } from 'node:stream';
import { finished, pipeline } from 'node:stream/promises';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  AnswerMeter,
  type Command,
  closeAnswer,
  closeMessage,
  commandOf,
  invalidMessage,
  RequestFilter,
  recordWriter,
} from '../../src/postcopy/page-protocol.ts';
import { commands, pageAnswer, pageMessage, pageRequest } from '../helpers/page-messages.ts';
import { sample, testSeed } from '../helpers/sample.ts';

const runs = { seed: testSeed(5), numRuns: sample('cut page messages', 300, 60) };

describe('commands', () => {
  test.each([
    ['a request for pages', pageRequest(), 'get'],
    ['a request without flags', pageMessage(commands.get), 'get'],
    ['a close message', pageMessage(commands.close), 'close'],
    ['a forced close message', pageMessage(commands.forceClose), 'close'],
    ['our close message', closeMessage(), 'close'],
    ['our invalid message', invalidMessage(), 'unknown'],
    ['pages to write', pageMessage(commands.add), 'unknown'],
    ['an HTTP request', Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'), 'unknown'],
  ])('%s is recognized', (_what, message, command) => {
    expect(commandOf(message)).toBe(command);
  });

  test('the answer to a close message is a status of zero', () => {
    expect(closeAnswer()).toEqual(Buffer.alloc(4));
  });
});

describe('requests', () => {
  const one = pageRequest({ start: 4096 });
  const two = pageRequest({ start: 8192, count: 16 });

  test('complete ones pass, wherever the chunks are cut', async () => {
    const all = Buffer.concat([one, two, pageMessage(commands.close), one]);
    for (let cut = 0; cut <= all.length; cut++) {
      expect(await requested([all.subarray(0, cut), all.subarray(cut)])).toEqual({
        passed: Buffer.concat([one, two]),
        stopped: ['close'],
      });
    }
    expect(await requested([...all].map((byte) => Buffer.of(byte)))).toEqual({
      passed: Buffer.concat([one, two]),
      stopped: ['close'],
    });
  });

  test('an incomplete request does not pass', async () => {
    const chunks = [one, two.subarray(0, 31)];
    expect(await requested(chunks)).toEqual({ passed: one, stopped: [] });
  });

  test('nothing passes after another message', async () => {
    const chunks = [one, invalidMessage(), two, pageMessage(commands.close)];
    expect(await requested(chunks)).toEqual({ passed: one, stopped: ['unknown'] });
  });

  test('data after another message is not kept', async () => {
    const requests = new RequestFilter(
      () => {},
      () => true,
    );
    const chunk = Buffer.alloc(1 << 20);
    // If bytes were kept, each chunk would copy them all, and the test would not end in time.
    await write(requests, [invalidMessage(), ...Array(2000).fill(chunk)]);
    expect(requests.readableLength).toBe(0);
  });

  test('any chunks pass up to the first other message, without an error', async () => {
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

  test('they pass unchanged and their pages are reported, wherever the chunks are cut', async () => {
    for (let cut = 0; cut <= all.length; cut++) {
      const { passed, brought } = await answered([all.subarray(0, cut), all.subarray(cut)]);
      if (!passed.equals(all)) throw new Error(`cut at ${cut} they do not pass unchanged`);
      expect(brought).toEqual(sent);
    }
  });

  test('their beginnings and their pages closeMessage in chunks of their own', async () => {
    const chunks: Buffer[] = [];
    const answers = new AnswerMeter(() => {});
    answers.on('data', (chunk: Buffer) => chunks.push(chunk));
    answers.end(all);
    await finished(answers);
    expect(chunks.map(({ length }) => length)).toEqual([32, 4096, 32, 8192]);
  });

  test('chunks are written one after the other', async () => {
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
    const writer = recordWriter(peer);
    for (const length of [32, 4096, 32, 8192]) writer.write(Buffer.alloc(length));
    writer.end();
    await finished(peer);
    expect(sizes).toEqual([32, 4096, 32, 8192]);
  });

  test('they may arrive byte by byte', async () => {
    const { passed, brought } = await answered([...all].map((byte) => Buffer.of(byte)));
    expect(passed.equals(all)).toBe(true);
    expect(brought).toEqual(sent);
  });

  test('incomplete pages are not reported', async () => {
    const part = all.subarray(0, all.length - 1);
    const { passed, brought } = await answered([part]);
    expect(passed.equals(part)).toBe(true);
    expect(brought).toEqual(sent.slice(0, 1));
  });

  test('an answer without pages is reported, and the next one as well', async () => {
    const none = { pid: 7, start: 4096, count: 0 };
    const chunks = [pageAnswer(none), all];
    expect((await answered(chunks)).brought).toEqual([none, ...sent]);
  });

  test('any chunks pass unchanged, without an error', async () => {
    await fc.assert(
      fc.asyncProperty(anyChunks, async (chunks) => {
        const { passed } = await answered(chunks);
        expect(passed.equals(Buffer.concat(chunks))).toBe(true);
      }),
      runs,
    );
  });
});

/** Messages and random bytes, cut into chunks anywhere. */
const anyChunks = fc
  .array(
    fc.oneof(
      fc.record({ start: fc.nat(), count: fc.nat(3) }).map(pageRequest),
      fc.record({ start: fc.nat(), count: fc.nat(3) }).map((pages) => pageAnswer(pages)),
      fc.constantFrom(
        closeMessage(),
        closeAnswer(),
        invalidMessage(),
        pageMessage(commands.forceClose),
      ),
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
  const passed = await write(
    new RequestFilter(
      (command) => stopped.push(command),
      () => true,
    ),
    chunks,
  );
  return { passed, stopped };
}

async function answered(chunks: readonly Buffer[]) {
  const brought: { pid: number; start: number; count: number }[] = [];
  const answers = new AnswerMeter((pid, start, count) => brought.push({ pid, start, count }));
  return { passed: await write(answers, chunks), brought };
}

/** Sends chunks through a stream; resolves with its output. */
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
