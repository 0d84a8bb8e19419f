import { hostname } from 'node:os';
import { beforeAll, describe, expect, test } from 'vitest';
import type { GuestChannel } from '../../src/copies/guest-channel.ts';
import { buildLibrary } from '../helpers/built.ts';
import { Authority, HERE } from '../helpers/certificates.ts';
import { failureOf } from '../helpers/failures.ts';
import { guestImport, startGuestWithHost } from '../helpers/guest.ts';
import { nodeMajors, nodePath } from '../helpers/node-versions.ts';

beforeAll(buildLibrary);

const limits = { timeoutMs: 20_000 };
const restored = { copy: { id: 'copy-1' }, restoredAt: 5 };

/** Takes the program, in which nothing else happens, from a checkpoint to the life of a copy. */
async function continueAsCopy(channel: GuestChannel): Promise<void> {
  await channel.checkpoint(limits);
  await channel.restored(restored, limits);
}

const results = (text: string) => JSON.parse(text.slice(text.indexOf('{')));

describe.each(nodeMajors)('Node %i', (major) => {
  const node = nodePath(major);

  test('Math.random looks and behaves like the original, in all contexts', async () => {
    const script = `
      import vm, { createContext, runInContext, runInNewContext, Script } from 'node:vm';
      ${guestImport}
      const { random } = Math;
      const draw = 'Math.random()';
      const contexts = [{}, vm.constants?.DONT_CONTEXTIFY].map((object) => createContext(object));
      const own = createContext({ Math: { random: () => 4 } });
      const shared = createContext({ Math });
      function facts() {
        const numbers = Array.from({ length: 20000 }, random);
        const all = [
          ...contexts.map((context) => runInContext(draw, context)),
          runInNewContext(draw), runInNewContext(draw, {}, 'file.js'), runInNewContext(draw, {}, { contextName: 'a' }),
          new Script(draw).runInNewContext(), new Script(draw).runInNewContext({ a: 1 }, { microtaskMode: 'afterEvaluate' }),
          vm.runInNewContext(draw), runInContext(draw, shared), Math.random(),
        ];
        return {
          inRange: [...numbers, ...all].every((number) => number >= 0 && number < 1),
          different: new Set([...numbers, ...all]).size - numbers.length - all.length,
          mean: numbers.reduce((sum, number) => sum + number, 0) / numbers.length,
          own: runInContext(draw, own),
        };
      }
      const error = (action) => { try { action(); } catch ({ code, message }) { return code ?? message; } };
      const before = facts();
      onAfterRestore(() => console.log(JSON.stringify({
        before, after: facts(), isSame: random === Math.random,
        shape: [random.name, random.length, typeof random.prototype, runInNewContext('Math.random instanceof Function')],
        property: Object.entries(Object.getOwnPropertyDescriptor(Math, 'random')).slice(1),
        errors: [
          () => createContext(null), () => new Script(draw).runInNewContext({}, null),
          () => createContext({}, { name: 1 }), () => runInNewContext('throw new Error(1)'),
        ].map(error),
      })));
      setInterval(() => {}, 1000);`;
    const { channel, output } = await startGuestWithHost(script, { node });
    await continueAsCopy(channel);
    await output.has('\n');
    const { before, after, isSame, shape, property, errors } = results(output.text);
    for (const facts of [before, after]) {
      expect(facts).toMatchObject({ inRange: true, different: 0, own: 4 });
      expect(Math.abs(facts.mean - 0.5)).toBeLessThan(0.02);
    }
    expect(isSame).toBe(true);
    expect(shape).toEqual(['random', 0, 'undefined', true]);
    expect(property).toEqual([
      ['writable', true],
      ['enumerable', false],
      ['configurable', true],
    ]);
    expect(errors).toEqual([...Array(3).fill('ERR_INVALID_ARG_TYPE'), '1']);
  });

  test('connections for later are closed before the checkpoint, and TLS state is renewed after it', async () => {
    const authority = await Authority.create('guests');
    const { cert, key } = await authority.issue(HERE);
    const script = `
      import { readFileSync } from 'node:fs';
      import http from 'node:http';
      import https from 'node:https';
      ${guestImport}
      const [ca, cert, key] = ${JSON.stringify([authority.cert, cert, key])}.map((file) => readFileSync(file));
      const listen = (server) => new Promise((resolve) => {
        server.listen(0, '127.0.0.1', () => resolve('//127.0.0.1:' + server.address().port + '/'));
      });
      const answer = (_request, response) => response.end('answer');
      const servers = [http.createServer(answer), https.createServer({ cert, key }, answer)];
      const fixed = https.createServer({ cert, key, ticketKeys: Buffer.alloc(48, 1) }, answer);
      const late = https.createServer({ cert, key }, answer);
      const agents = [new http.Agent({ keepAlive: true }), new https.Agent({ keepAlive: true, ca })];
      const get = (module, url, agent) => new Promise((resolve, reject) => {
        module.get(url, { agent }, (response) => response.resume().on('close', resolve)).on('error', reject);
      });
      const urls = [await listen(servers[0]), await listen(servers[1])];
      await listen(fixed);
      async function requests() {
        await get(http, 'http:' + urls[0], agents[0]);
        await get(https, 'https:' + urls[1], agents[1]);
        await (await fetch('http:' + urls[0])).text();
        await new Promise(setImmediate);
      }
      const count = (server) => new Promise((resolve) => server.getConnections((_error, count) => resolve(count)));
      const tickets = () => [servers[1], fixed, late].map((server) => server.getTicketKeys().toString('hex'));
      const state = async () => ({
        free: agents.map((agent) => Object.keys(agent.freeSockets).length),
        sessions: agents[1]._sessionCache.list.length,
        tickets: tickets(),
      });
      await requests();
      const before = await state();
      onAfterRestore(async () => {
        const after = await state();
        await listen(late);
        while ((await count(servers[0])) + (await count(servers[1])) > 0) await new Promise(setImmediate);
        const lateTickets = tickets()[2];
        await requests();
        console.log(JSON.stringify({ before, after, lateTickets, again: await state() }));
      });
      console.log('started');`;
    const { channel, output } = await startGuestWithHost(script, { node });
    await output.has('started');
    await continueAsCopy(channel);
    await output.has('}\n');
    const { before, after, lateTickets, again } = results(output.text);
    expect(before).toMatchObject({ free: [1, 1], sessions: 1 });
    expect(after).toMatchObject({ free: [0, 0], sessions: 0 });
    expect(again).toMatchObject({ free: [1, 1], sessions: 1 });
    expect(after.tickets[0]).not.toBe(before.tickets[0]);
    expect(after.tickets[1]).toBe(before.tickets[1]);
    expect(lateTickets).not.toBe(before.tickets[2]);
  });

  test('the DNS resolver is replaced, with the servers that the program has set or those of the machine', async () => {
    const script = `
      import dns, { getServers, resolve4, Resolver, setServers } from 'node:dns';
      ${guestImport}
      const machine = new Resolver().getServers();
      const first = resolve4;
      resolve4('localhost', () => {});
      const copies = [];
      onAfterRestore(() => {
        copies.push({ servers: getServers(), isNew: dns.resolve4 !== first && resolve4 === dns.resolve4 });
        if (copies.length === 2) console.log(JSON.stringify({ machine, copies }));
        else setServers(['127.0.0.9:5353']);
      });
      setInterval(() => {}, 1000);`;
    const { channel, output } = await startGuestWithHost(script, { node });
    await continueAsCopy(channel);
    await continueAsCopy(channel);
    await output.has('\n');
    const { machine, copies } = results(output.text);
    expect(copies).toEqual([
      { servers: machine, isNew: true },
      { servers: ['127.0.0.9:5353'], isNew: true },
    ]);
  });
});

test('UUIDs that Node keeps are dropped even if the program has replaced the function', async () => {
  const { channel, output } = await startGuestWithHost(`${guestImport}
    import crypto from 'node:crypto';
    const { randomUUID } = crypto;
    let calls = 0;
    crypto.randomUUID = () => 'mine ' + ++calls;
    onAfterRestore(() => console.log(crypto.randomUUID(), randomUUID().length));
    setInterval(() => {}, 1000);`);
  await continueAsCopy(channel);
  await output.has('mine 1 36\n');
});

test('work of other threads is awaited before the checkpoint', async () => {
  const { channel, output } = await startGuestWithHost(`${guestImport}
    import { pbkdf2 } from 'node:crypto';
    onBeforeCheckpoint(() => pbkdf2('a', 'b', 20_000, 64, 'sha512', () => console.log('done')));
    onAfterRestore(() => console.log('after'));
    setInterval(() => {}, 1000);`);
  await continueAsCopy(channel);
  await output.has('after');
  expect(output.text).toBe('done\nafter\n');
});

test('the host name is set in a UTS namespace of the program, and never that of the machine', async () => {
  const script = `${guestImport}
    import { hostname } from 'node:os';
    onAfterRestore(() => console.log('I am ' + hostname()));
    setInterval(() => {}, 1000);`;
  const { channel, output } = await startGuestWithHost(script, {
    ...{ node: 'unshare', flags: ['--uts', process.execPath] },
  });
  await channel.checkpoint(limits);
  await channel.restored({ ...restored, hostname: 'copy-1' }, limits);
  await output.has('I am copy-1\n');
  expect(hostname()).not.toBe('copy-1');
});

test('a host name that cannot be set is a failure', async () => {
  const { channel } = await startGuestWithHost(`${guestImport} setInterval(() => {}, 1000);`, {
    node: 'unshare',
    flags: ['--uts', process.execPath],
  });
  await channel.checkpoint(limits);
  const hostname = 'x'.repeat(100);
  const failed = await failureOf(channel.restored({ ...restored, hostname }, limits));
  expect(failed.message).toMatch(/^restored: the program failed: .*sethostname/);
});
