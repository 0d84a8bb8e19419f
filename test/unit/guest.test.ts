import { writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { GuestChannel } from '../../src/copies/guest-channel.ts';
import { buildLibrary } from '../helpers/built.ts';
import { failureOf } from '../helpers/failures.ts';
import {
  guestFile,
  guestImport,
  socketPair,
  startGuest,
  startGuestWithHost,
} from '../helpers/guest.ts';
import { nodeMajors, nodePath } from '../helpers/node-versions.ts';
import { temporaryDirectory } from '../helpers/workload.ts';

beforeAll(buildLibrary);

const limits = { timeoutMs: 20_000 };
const copy = { id: 'copy-1', name: 'first' };

/** A program that prints which hooks run, and what they get. */
const printing = `${guestImport}
  for (const name of ['first', 'second']) {
    onBeforeCheckpoint(async () => console.log('before', name));
    onAfterRestore(({ copy, env, args, aborted, restoredAt }) => {
      console.log('after', name, JSON.stringify({ copy, args, aborted, restoredAt, NEW: env.NEW, OLD: env.OLD }));
    });
  }
  setInterval(() => {}, 1000);`;

describe.each(nodeMajors)('Node %i', (major) => {
  const node = nodePath(major);

  test('hooks run in order, and get what is new', async () => {
    const { channel, output } = await startGuestWithHost(printing, {
      node,
      args: ['a'],
      env: { OLD: '1' },
    });
    expect(await channel.hello()).toMatchObject({
      ...{ protocol: 1, language: 'node', version: expect.stringMatching(`^v${major}\\.`) },
    });
    expect(await channel.checkpoint(limits)).toEqual({ handles: undefined });
    await output.has('before second\nbefore first\n');
    const env = { NEW: 'x=y', OLD: null };
    await channel.restored({ copy, env, args: ['b', ''], restoredAt: 5 }, limits);
    const event = { copy, args: ['b', ''], restoredAt: 5, NEW: 'x=y' };
    const text = JSON.stringify(event);
    await output.has(`before first\nafter first ${text}\nafter second ${text}\n`);
  });

  test('the library works when it is imported in advance, or required', async () => {
    const script = `
      const { onAfterRestore } = require(${JSON.stringify(guestFile)});
      onAfterRestore(({ copy }) => console.log(copy.id));
      setInterval(() => {}, 1000);`;
    const options = { node, extension: 'cjs', flags: ['--import', guestFile] };
    const { channel, output } = await startGuestWithHost(script, options);
    await channel.checkpoint(limits);
    await channel.restored({ copy, restoredAt: 5 }, limits);
    await output.has('copy-1');
  });
});

test('no JavaScript runs between ready and the next message', async () => {
  const { channel, output } = await startGuestWithHost(`${printing}
    setInterval(() => console.log('tick'), 1);`);
  await channel.checkpoint(limits);
  const { text } = output;
  await channel.restored({ copy, restoredAt: 5 }, limits);
  await output.has('after second');
  expect(output.text.slice(text.length)).toMatch(/^(tick\n)?(before.*\n)*after first/);
});

test('a failed checkpoint lets the program continue, and tells the hooks why', async () => {
  const { channel, output } = await startGuestWithHost(printing, {
    args: ['a'],
    env: { OLD: '1' },
  });
  await channel.checkpoint(limits);
  await channel.resume('criu failed', limits);
  await output.has('"args":["a"],"aborted":"criu failed"');
  await output.has('"OLD":"1"');
  // It can be checkpointed again.
  await channel.checkpoint(limits);
  await channel.restored({ copy, restoredAt: 5 }, limits);
  await output.has('copy-1');
});

test('a hook that fails aborts the checkpoint: the host gets its error and stack, the others are undone', async () => {
  const { channel, output } = await startGuestWithHost(`${printing}
    const remove = onBeforeCheckpoint(function closePool() { throw new RangeError('pool is busy'); });
    onAfterRestore(({ aborted }) => { if (aborted) remove(); });`);
  const refused = await failureOf(channel.checkpoint(limits));
  expect(refused).toMatchObject({
    code: 'ERR_CRIU_GUEST',
    message: 'checkpoint: the program refused: onBeforeCheckpoint: pool is busy',
    cause: { stack: expect.stringMatching(/^RangeError: pool is busy\n +at .*closePool/) },
  });
  await output.has('after second');
  expect(output.text).toMatch(/^after first .*pool is busy.*\nafter second/);
  await channel.checkpoint(limits);
});

test('a hook that takes too long aborts the checkpoint', async () => {
  const { channel } = await startGuestWithHost(`${guestImport}
    onBeforeCheckpoint(function forever() { return new Promise(() => {}); }, { timeoutMs: 20 });
    onBeforeCheckpoint(async () => {}, { timeoutMs: 20 });
    setInterval(() => {}, 1000);`);
  const own = await failureOf(channel.checkpoint(limits));
  expect(own.message).toMatch(/hook forever has not ended within 20 ms$/);
  expect(own.cause).toMatchObject({
    stack: expect.stringMatching(/registered here:\n +at .*app.mjs:3/),
  });
  const all = await failureOf(channel.checkpoint({ timeoutMs: 10 }));
  expect(all).toMatchObject({ code: 'ERR_CRIU_GUEST' });
  expect(all.message).toMatch(/hook forever has not ended within (9|10) ms$/);
});

test('a hook that fails in a copy is reported, and the others run', async () => {
  const { channel, output } = await startGuestWithHost(`${guestImport}
    onAfterRestore(() => { throw undefined; });
    onAfterRestore(() => Promise.reject(new Error('no database')));
    onAfterRestore(() => console.log('last'));
    setInterval(() => {}, 1000);`);
  await channel.checkpoint(limits);
  const failed = await failureOf(channel.restored({ copy, restoredAt: 5 }, limits));
  expect(failed).toMatchObject({
    code: 'ERR_CRIU_GUEST',
    message: 'restored: the program failed: onAfterRestore: undefined; onAfterRestore: no database',
  });
  await output.has('last');
});

test('a program asks for its checkpoint, and awaits it', async () => {
  const { channel, output, exited } = await startGuestWithHost(`${guestImport}
    try {
      await checkpoint();
    } catch (error) {
      console.log(error.message);
    }
    const { copy } = await checkpoint();
    console.log(copy.id);`);
  await channel.requested();
  await channel.checkpoint(limits);
  await channel.resume('not now', limits);
  await output.has('checkpoint: there is none: not now\n');
  await channel.checkpoint(limits);
  await channel.restored({ copy, restoredAt: 5 }, limits);
  await output.has('copy-1\n');
  // The library does not keep it running.
  expect(await exited).toEqual([0, null]);
});

test('the program continues when the host is gone', async () => {
  const { channel, output, exited } = await startGuestWithHost(`${printing}
    onAfterRestore(({ aborted }) => process.exit(aborted === 'the host is gone' ? 7 : 8));`);
  await channel.checkpoint(limits);
  channel.close();
  expect(await exited).toEqual([7, null]);
  expect(output.text).toContain('the host is gone');
});

test('a cancelled checkpoint is undone at the next hook', async () => {
  const gate = join(await temporaryDirectory(), 'gate');
  const { channel, output } = await startGuestWithHost(`${printing}
    import { existsSync } from 'node:fs';
    onBeforeCheckpoint(async () => {
      console.log('waiting');
      // Seen twice, because what the host has sent before is received in between.
      for (let seen = 0; seen < 2; seen += existsSync(${JSON.stringify(gate)}) ? 1 : 0) {
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
    });`);
  const giveUp = new AbortController();
  const checkpoint = failureOf(channel.checkpoint({ ...limits, signal: giveUp.signal }));
  await output.has('waiting');
  giveUp.abort(new Error('enough'));
  expect(await checkpoint).toMatchObject({
    code: 'ERR_CRIU_ABORTED',
    cause: { message: 'enough' },
  });
  const resumed = channel.resume('cancelled', limits);
  await writeFile(gate, '');
  await resumed;
  await output.has('after second');
  expect(output.text).not.toContain('before');
  await channel.checkpoint(limits);
});

test('outside of a template the library does nothing', async () => {
  const script = `${guestImport}
    const remove = onBeforeCheckpoint(() => console.log('wrong'));
    remove();
    onAfterRestore(() => console.log('wrong'));
    console.log(await checkpoint());
    console.log(process.report.getReport().sharedObjects.filter((name) => name.endsWith('.node')).length);
    console.log(process.moduleLoadList.some((name) => /NativeModule (crypto|tls|worker_threads)$/.test(name)));
    console.log(process._getActiveHandles().length);
    console.log(Math.random.toString());`;
  const { output, exited } = await startGuest(script);
  expect(await exited).toEqual([0, null]);
  expect(output.text).toMatch(
    /^undefined\n0\nfalse\n\d\nfunction random\(\) \{ \[native code\] \}\n$/,
  );
  const imported = createRequire(import.meta.url)(guestFile);
  expect(Object.keys(imported).sort()).toEqual([
    'checkpoint',
    'onAfterRestore',
    'onBeforeCheckpoint',
  ]);
});

test('a descriptor that leads to no host is reported, and the program runs', async () => {
  const script = `${guestImport}
    import { fork } from 'node:child_process';
    import { fileURLToPath } from 'node:url';
    process.on('warning', ({ message }) => console.log(message));
    onAfterRestore(() => {});
    // The channel between parent and child has the number 3.
    if (!process.send) fork(fileURLToPath(import.meta.url), { execArgv: [], env: { NODE_CRIU_GUEST_FD: '3' } });`;
  const env = { NODE_CRIU_GUEST_FD: '77' };
  const { output, exited } = await startGuest(script, { env, flags: ['--no-warnings'] });
  expect(await exited).toEqual([0, null]);
  for (const fd of [77, 3]) await output.has(`descriptor ${fd} of NODE_CRIU_GUEST_FD is not a`);
});

test('a program whose Math is frozen refuses', async () => {
  const flags = ['--frozen-intrinsics', '--no-warnings'];
  const { channel } = await startGuestWithHost(printing, { flags });
  const { message } = await failureOf(channel.checkpoint(limits));
  expect(message).toMatch(/refused: Math.random cannot be replaced: Math is frozen$/);
});

test('a program that breaks the protocol is disconnected, with the reason', async () => {
  const cases: [string, RegExp][] = [
    ['hello\n', /has sent a line that is not JSON$/],
    ['[1]\n', /has sent a message that is not an object$/],
    ['{"type":"toString"}\n', /a message with a wrong type$/],
    ['{"__proto__":{"type":"ready"}}\n', /a message with a wrong type$/],
    ['{"type":"hello","protocol":2,"language":"a","version":"1"}\n', /version 2 of the protocol/],
    ['{"type":"hello","protocol":"1"}\n', /a message of type "hello" with a wrong protocol$/],
    ['{"type":"refused"}\n', /a message of type "refused" with a wrong error$/],
    ['{"type":"handles","handles":[{"kind":1}]}\n', /with a wrong kind$/],
    ['a'.repeat(1024 * 1024 + 1), /a line of more than 1048576 bytes$/],
    ['', /has closed its connection$/],
  ];
  for (const [text, reason] of cases) {
    const [mine, fd] = socketPair();
    const channel = new GuestChannel(fd);
    const hello = failureOf(channel.hello());
    mine.end(text);
    const { message, code } = await hello;
    expect({ text: text.slice(0, 80), code, message }).toMatchObject({
      code: 'ERR_CRIU_GUEST',
      message: expect.stringMatching(reason),
    });
    expect(await failureOf(channel.checkpoint(limits))).toMatchObject({ code: 'ERR_CRIU_GUEST' });
    channel.close();
  }
});

test('an answer that does not fit ends the connection, one that does not come is not awaited', async () => {
  const [mine, fd] = socketPair();
  const channel = new GuestChannel(fd);
  mine.on('data', () => mine.write('{"type":"running"}\n'));
  const wrong = await failureOf(channel.checkpoint(limits));
  expect(wrong.message).toBe('checkpoint: the program has sent running in answer to checkpoint');

  const [silent, other] = socketPair();
  const waiting = new GuestChannel(other);
  await waiting.resume('there was no checkpoint', limits);
  const late = await failureOf(waiting.checkpoint({ timeoutMs: -1950 }));
  expect(late).toMatchObject({ code: 'ERR_CRIU_TIMEOUT', operation: 'checkpoint' });
  // What crosses the request to continue is no answer to it.
  silent.on('data', (bytes) => {
    if (String(bytes).includes('resume')) silent.write('{"type":"ready"}\n{"type":"running"}\n');
  });
  await waiting.resume('late', limits);
  const stop = { signal: AbortSignal.abort('stop') };
  expect(await failureOf(waiting.requested(stop))).toMatchObject({ code: 'ERR_CRIU_ABORTED' });
  waiting.close();
});
