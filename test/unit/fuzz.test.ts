import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { Criu } from '../../src/criu.ts';
import { CriuError } from '../../src/errors.ts';
import { errorLines } from '../../src/failure/log.ts';
import { readDumpStats, readRestoreStats } from '../../src/images/stats.ts';
import { spawnCheckpointable } from '../../src/launch/launch.ts';
import { readOptions } from '../../src/options/check.ts';
import { readConfigFile } from '../../src/options/config-file.ts';
import { type Operation, rows } from '../../src/options/table.ts';
import { translate, withDefaults } from '../../src/options/translate.ts';
import type { CriuOpts } from '../../src/options/types.ts';
import {
  type CriuRequest,
  type CriuResponse,
  decodeResponse,
  encodeRequest,
} from '../../src/protocol/messages.ts';
import { Session } from '../../src/protocol/session.ts';
import {
  acceptedBy,
  anyOptions,
  anything,
  messageOf,
  packets,
  type Recipe,
  recipeOf,
  requests,
  responses,
} from '../helpers/arbitraries.ts';
import { sample, testSeed } from '../helpers/sample.ts';
import { memoryPeer } from '../helpers/scripted-peer.ts';
import { decodeRequest, encodeMessage, encodeResponse } from '../helpers/wire.ts';
import { temporaryDirectory } from '../helpers/workload.ts';

// Every run uses the same inputs, so that only a change of the code can make it fail. For other inputs:
// TEST_SEED=… npx vitest run --project unit test/unit/fuzz.test.ts
const seed = testSeed(20_261_123);
const share = sample('tenths of the generated inputs', 10, 2) / 10;
const runs = (number: number) => ({ seed, numRuns: Math.ceil(number * share) });
// More runs, or a busy machine, need more time.
vi.setConfig({ testTimeout: 120_000 });

const operations = [
  ...new Set(rows.flatMap(([, { operations }]) => operations)),
] as readonly Operation[];

describe('messages', () => {
  test('every request is decoded as it was encoded', () => {
    const property = fc.property(requests, (request) => {
      expect(decodeRequest(encodeRequest(request))).toEqual(request);
    });
    fc.assert(property, runs(500));
  });

  test('every response is decoded as it was encoded', () => {
    const property = fc.property(responses, (response) => {
      expect(decodeResponse(encodeResponse(response))).toEqual(response);
    });
    fc.assert(property, runs(2000));
  });

  test('decoding any packet gives a response that can be encoded again, or throws an Error', () => {
    let understood = 0;
    const property = fc.property(packets, (bytes) => {
      const response = outcomeOf(() => decodeResponse(bytes));
      if (response instanceof Error) return;
      understood++;
      // An enum value that is not known yet is a number.
      expect(decodeResponse(encodeResponse(response))).toEqual(response);
    });
    fc.assert(property, runs(5000));
    expect(understood).toBeGreaterThan(1000 * share);
  });

  test('a request with arbitrary values is encoded unchanged, or refused', () => {
    let sent = 0;
    const property = fc.property(
      requests,
      fc.constantFrom<keyof CriuRequest>('type', 'opts', 'features', 'pid', 'keep_open'),
      fc.oneof(
        anything,
        anyOptions,
        recipeOf(fc.dictionary(fc.constantFrom('pid', 'root', 'ps'), fc.anything())),
      ),
      (request, field, make) => {
        const given = { ...request, [field]: make() };
        let bytes: Uint8Array;
        try {
          bytes = encodeRequest(given);
        } catch {
          return;
        }
        sent++;
        expect(asJson(decodeRequest(bytes))).toEqual(asJson(given));
      },
    );
    fc.assert(property, runs(2000));
    expect(sent).toBeGreaterThan(50 * share);
  });
});

describe('a session', () => {
  test('ends any sequence of packets with a reply, ERR_CRIU_PROTOCOL or ERR_CRIU_EOF', async () => {
    const codes = new Set<string | undefined>();
    const property = fc.asyncProperty(
      fc.constantFrom('DUMP', 'VERSION', 'PAGE_SERVER_CHLD'),
      fc.array(packets, { maxLength: 4 }),
      async (type, sequence) => {
        const peer = memoryPeer();
        // A criu that sends these packets after the request, and then ends.
        let asked = false;
        const send = () => {
          if (asked) return;
          asked = true;
          for (const packet of sequence) peer.send(packet);
          peer.close();
        };
        const channel = { ...peer.channel, send };
        const outcome = await new Session(channel)
          .exchange({ type } as CriuRequest)
          .catch((error: unknown) => error);
        codes.add((outcome as Partial<CriuError>).code);
        if (outcome instanceof CriuError) {
          expect(['ERR_CRIU_PROTOCOL', 'ERR_CRIU_EOF']).toContain(outcome.code);
          const whole = sequence.every((packet) => isNotification(packet));
          if (outcome.code === 'ERR_CRIU_EOF') expect(whole).toBe(true);
        } else {
          expect(outcome).toMatchObject({ reply: { success: expect.any(Boolean) } });
        }
      },
    );
    await fc.assert(property, runs(2000));
    expect(codes).toEqual(new Set([undefined, 'ERR_CRIU_PROTOCOL', 'ERR_CRIU_EOF']));
  });

  test('refuses an invalid request with ERR_CRIU_INVALID_ARGUMENT', async () => {
    const property = fc.asyncProperty(fc.oneof(anyOptions, anything), async (make) => {
      const { channel } = memoryPeer();
      const opts = make();
      // A request without options is valid.
      fc.pre(opts !== undefined);
      const request = { type: 'DUMP', opts } as CriuRequest;
      const outcome = new Session(channel).exchange(request);
      const error = await outcome.catch((reason: unknown) => reason);
      expect(error).toMatchObject({ code: 'ERR_CRIU_INVALID_ARGUMENT', option: 'request' });
      expect(error).toBeInstanceOf(CriuError);
    });
    await fc.assert(property, runs(1000));
  });
});

describe('options', () => {
  /** Options that an operation takes, in any combination. */
  const accepted = fc.constantFrom(...operations).chain((operation) => {
    const taken = rows.flatMap(([, row]) =>
      row.option && row.operations.includes(operation) ? [row.option] : [],
    );
    const some = Object.fromEntries(taken.map((option) => [option, acceptedBy(option)]));
    return fc
      .record(some as Record<keyof CriuOpts, fc.Arbitrary<unknown>>, {
        requiredKeys: operation === 'check' ? [] : ['imagesDirectory'],
        noNullPrototype: true,
      })
      .map((options) => ({ operation, options: inCompany(options as CriuOpts) }));
  });

  test('that are valid are translated deterministically, and are not modified', () => {
    const property = fc.property(accepted, ({ operation, options }) => {
      const before = structuredClone(options);
      const translation = translate(operation, options);
      expect(translate(operation, options)).toEqual(translation);
      expect(options).toEqual(before);
      const opts = { images_dir_fd: 5, ...translation.wire };
      const read = decodeRequest(encodeRequest({ type: 'DUMP', opts })).opts;
      expect(asJson(read)).toEqual(asJson(opts));
    });
    fc.assert(property, runs(500));
  });

  test('with arbitrary values are translated, or refused by name', () => {
    let translated = 0;
    const property = fc.property(fc.constantFrom(...operations), anyOptions, (operation, make) => {
      const options = operation === 'check' ? make() : withDirectory(make());
      const outcome = outcomeOf(() => {
        const own = readOptions(operation, options);
        return translate(operation, withDefaults(operation, own, {}));
      });
      if (outcome instanceof Error) {
        expectRefusal(outcome, operation);
      } else {
        translated++;
        encodeRequest({ type: 'DUMP', opts: { images_dir_fd: 5, ...outcome.wire } });
      }
    });
    fc.assert(property, runs(3000));
    expect(translated).toBeGreaterThan(100 * share);
  });

  const methods = [
    ...['version', 'features', 'check', 'restore', 'cpuinfoDump', 'cpuinfoCheck'],
    ...['pageServer', 'session', 'dump', 'preDump', 'checkpoint', 'preflight'],
  ] as const;
  const nobody = 0x7ffffffe;

  test.each(methods)('%s with arbitrary arguments fails with a CriuError', async (method) => {
    const criu = new Criu({ path: '/nonexistent/criu' });
    const loose = criu as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
    const takesPid = ['dump', 'preDump', 'checkpoint', 'preflight'].includes(method);
    const pids = fc.oneof(
      { weight: 3, arbitrary: fc.constant<Recipe<unknown>>(() => nobody) },
      anything,
    );
    const property = fc.asyncProperty(
      pids,
      fc.oneof({ weight: 3, arbitrary: anyOptions }, anything),
      fc.boolean(),
      async (makePid, makeOptions, inDirectory) => {
        const pid = makePid();
        // The pid must not be of an existing process.
        fc.pre(!Number.isInteger(pid) || pid === nobody);
        const made = makeOptions();
        const options = inDirectory ? withDirectory(made) : made;
        const args = takesPid ? [pid, options] : [options];
        const error = await loose[method]?.(...args).catch((reason: unknown) => reason);
        expect(error).toBeInstanceOf(CriuError);
        if ((error as CriuError).code === 'ERR_CRIU_INVALID_ARGUMENT') {
          expectRefusal(error as CriuError, expect.any(String));
        } else {
          expect((error as CriuError).code).toMatch(/NOT_FOUND|NO_SUCH_PROCESS|TIMEOUT|ABORTED/);
        }
      },
    );
    await fc.assert(property, runs(300));
  });

  test('a client with arbitrary options is made, or refused with a CriuError', () => {
    const given = fc.oneof(
      anything,
      anyOptions,
      recordOf({ path: anything, defaults: fc.oneof(anyOptions, anything) }),
    );
    const property = fc.property(given, (make) => {
      const criu = outcomeOf(() => new Criu(make() as object));
      if (criu instanceof Error) expectRefusal(criu, 'new Criu');
    });
    fc.assert(property, runs(2000));
  });

  test('spawnCheckpointable with arbitrary arguments fails with a CriuError', async () => {
    const some = recordOf({
      cwd: fc.oneof(
        fc.constant<Recipe>(() => '/'),
        anything,
      ),
      env: fc.oneof(recipeOf(fc.dictionary(fc.string(), fc.string())), anyOptions, anything),
      ...{ stdin: anything, stdout: anything, stderr: anything },
      descriptors: fc.oneof(recordOf({ 3: anything, 4: anything, x: anything }), anything),
    });
    const property = fc.asyncProperty(
      fc.oneof(
        { weight: 5, arbitrary: fc.constant<Recipe>(() => '/nonexistent/program') },
        anything,
      ),
      fc.oneof(recipeOf(fc.array(fc.string())), recipeOf(fc.array(fc.anything())), anything),
      fc.oneof({ weight: 3, arbitrary: some }, anyOptions, anything),
      async (makeFile, makeArgs, makeOptions) => {
        const file = makeFile();
        // The name must not be of an existing program.
        fc.pre(typeof file !== 'string' || file.startsWith('/nonexistent/'));
        const [args, options] = [makeArgs(), makeOptions()];
        const outcome = spawnCheckpointable(file as string, args as string[], options as object);
        const error = await outcome.catch((reason: unknown) => reason);
        expect(error).toBeInstanceOf(CriuError);
        if ((error as CriuError).code !== 'ERR_CRIU_NOT_FOUND') {
          expectRefusal(error as CriuError, 'spawnCheckpointable');
        }
      },
    );
    await fc.assert(property, runs(2000));
  });
});

describe('files', () => {
  test('statistics are read as CRIU writes them', async () => {
    const directory = await temporaryDirectory();
    const property = fc.asyncProperty(messageOf<StatsEntry>('stats_entry'), async (entry) => {
      const body = encodeMessage('stats_entry', entry);
      const head = Buffer.alloc(12);
      for (const [index, word] of [0x55105940, 0x57093306, body.length].entries()) {
        head.writeUInt32LE(word, 4 * index);
      }
      for (const name of ['stats-dump', 'stats-restore']) {
        await writeFile(join(directory, name), Buffer.concat([head, body]));
      }
      const dump = await readDumpStats(directory).catch((error: unknown) => error);
      if (entry.dump) expect(dump).toMatchObject({ pagesWritten: entry.dump.pages_written });
      else expect(dump).toMatchObject({ code: 'ERR_CRIU_BAD_IMAGE' });
      const restore = await readRestoreStats(directory).catch((error: unknown) => error);
      if (entry.restore) expect(restore).toMatchObject({ forkingTimeMs: expect.any(Number) });
      else expect(restore).toMatchObject({ code: 'ERR_CRIU_BAD_IMAGE' });
    });
    await fc.assert(property, runs(200));
  });

  test('the errors of any log are its error lines, at most 20', () => {
    const line = fc.oneof(
      fc.constantFrom('Error (', 'Error (criu/x.c:1): ', 'No a.img image', ')', '(00.1) ', '\r'),
      fc.string({ unit: 'binary' }),
      fc.constant('\n'),
    );
    const property = fc.property(fc.array(line, { maxLength: 60 }), (parts) => {
      const log = parts.join('');
      const errors = errorLines(log);
      expect(errors.length).toBeLessThanOrEqual(20);
      for (const error of errors) {
        expect(error).not.toContain('\n');
        expect(log).toContain(error);
      }
    });
    fc.assert(property, runs(3000));
  });

  test.each(['Error (', 'No a image\n', 'No a image\nError (', 'No ', 'Error (a)', '('])(
    'a log that is nothing but %j is read in no time',
    (part) => {
      // 256 KiB would take minutes if the search were quadratic.
      expect(errorLines(part.repeat(262_144 / part.length))).toEqual([]);
    },
  );

  test('the directories in any configuration file are found', async () => {
    const path = join(await temporaryDirectory(), 'criu.conf');
    const noise = fc
      .array(fc.oneof(fc.constantFrom('"', '\\"', '#', '=', 'log-file', ' '), fc.string()))
      .map((parts) => `# ${parts.join('').replaceAll(/[\n\r]/g, '')}\n`);
    const name = fc.stringMatching(/^[\w/.-]{1,20}$/);
    const property = fc.asyncProperty(noise, name, noise, async (before, file, after) => {
      await writeFile(path, `${before}log-file ${file}\n${after}`);
      expect(await readConfigFile('dump', path)).toEqual({ logFile: file });
      await writeFile(path, `${before}${after}${file}`);
      await readConfigFile('dump', path);
    });
    await fc.assert(property, runs(300));
  });
});

interface StatsEntry {
  readonly dump?: { readonly pages_written: number };
  readonly restore?: object;
}

/** The result of an action, or the Error that it throws; any other thrown value fails the test. */
function outcomeOf<T>(action: () => T): T | Error {
  try {
    return action();
  } catch (error) {
    if (error instanceof Error) return error;
    throw new Error('something was thrown that is no Error', { cause: error });
  }
}

/** Checks that a refusal says on one line what is wrong, with the name of the option. */
function expectRefusal(error: Error, operation: string): void {
  expect(error).toBeInstanceOf(CriuError);
  expect(error).toMatchObject({
    code: 'ERR_CRIU_INVALID_ARGUMENT',
    operation,
    option: expect.any(String),
  });
  expect(error.message).not.toMatch(/[\n\r\0]/);
}

/** Replaces -0 with 0, and removes empty lists. */
function asJson(value: unknown): unknown {
  const unlessEmpty = (_: string, one: unknown) =>
    Array.isArray(one) && one.length === 0 ? undefined : one;
  return JSON.parse(JSON.stringify(value, unlessEmpty));
}

function isNotification(packet: Uint8Array): boolean {
  const response = outcomeOf(() => decodeResponse(packet));
  return !(response instanceof Error) && (response as CriuResponse).type === 'NOTIFY';
}

/** Adds a directory, unless the value has one or is no object. */
function withDirectory<T>(options: T): T {
  const directory = { value: '/i', enumerable: true };
  try {
    if (!Object.hasOwn(options as object, 'imagesDirectory')) {
      Object.defineProperty(options, 'imagesDirectory', directory);
    }
  } catch {
    // This operation takes no directory.
  }
  return options;
}

/** Recipes of records with some of these properties. */
function recordOf(fields: Readonly<Record<string, fc.Arbitrary<Recipe>>>): fc.Arbitrary<Recipe> {
  return fc
    .record(fields, { requiredKeys: [] })
    .map(
      (recipes) => () =>
        Object.fromEntries(Object.entries(recipes).map(([name, make]) => [name, make?.()])),
    );
}

/** Adds options that others need, and removes options that exclude each other. */
function inCompany(options: CriuOpts): CriuOpts {
  return {
    ...options,
    ...(options.statusFd !== undefined && { lazyPages: true }),
    ...(options.pageServer?.fd !== undefined && options.tls && { tls: false }),
  };
}
