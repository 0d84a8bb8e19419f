import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { type AddressInfo, connect } from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { ChangeLog } from '../../src/fleet/dashboard/change-log.ts';
import { Feed } from '../../src/fleet/dashboard/feed.ts';
import { Reader } from '../../src/fleet/dashboard/reader.ts';
import { tablesOf } from '../../src/fleet/dashboard/rows.ts';
import {
  type Dashboard,
  type DashboardOptions,
  type DashboardSource,
  serveDashboard,
} from '../../src/fleet.ts';
import { Authority } from '../helpers/certificates.ts';
import { eventsOf, type ServerEvent } from '../helpers/event-stream.ts';
import { failureOf } from '../helpers/failures.ts';
import { sampleHost, sampleUnplaced, sampleWorkload } from '../helpers/fleet-samples.ts';
import { readExposition } from '../helpers/read-exposition.ts';
import { ScriptedFleet } from '../helpers/scripted-fleet.ts';
import { waitFor } from '../helpers/workload.ts';

const open: Dashboard[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((dashboard) => dashboard.close()));
});

/** Serves a fleet until the test has ended, with functions that ask as a program with the token does. */
async function serve(source: DashboardSource, options: DashboardOptions = {}) {
  const dashboard = await serveDashboard(source, { intervalMs: 100, ...options });
  open.push(dashboard);
  const origin = dashboard.url.replace(/\/#.*/, '');
  const authorization = `Bearer ${dashboard.token}`;
  const get = async (path: string, headers: Record<string, string> = { authorization }) =>
    await fetch(`${origin}${path}`, { headers, redirect: 'manual' });
  return { dashboard, origin, authorization, get };
}

/** The next event that is not about the time. */
async function next(events: AsyncGenerator<ServerEvent, void>): Promise<ServerEvent> {
  for (;;) {
    const { value } = await events.next();
    if (!value) throw new Error('the events have ended');
    if (value.event !== 'status') return value;
  }
}

test.each([
  ['source', undefined, {}],
  ['source', { view: 1, operations: 2 }, {}],
  ['port', new ScriptedFleet(), { port: 70_000 }],
  ['host', new ScriptedFleet(), { host: '0.0.0.0' }],
  ['host', new ScriptedFleet(), { host: 'fleet.example.org' }],
  ['token', new ScriptedFleet(), { token: 'guess' }],
  ['tls', new ScriptedFleet(), { tls: 'yes' }],
  ['tls.cert', new ScriptedFleet(), { tls: { cert: 'no certificate', key: 'no key' } }],
  ['names', new ScriptedFleet(), { names: 'fleet.example.org' }],
  ['intervalMs', new ScriptedFleet(), { intervalMs: 0 }],
  ['prot', new ScriptedFleet(), { prot: 1 }],
])('refuses bad input: %s', async (option, source, options) => {
  const error = await failureOf(serveDashboard(source as never, options as never));
  expect(error).toMatchObject({
    ...{ code: 'ERR_CRIU_INVALID_ARGUMENT', operation: 'serveDashboard', option },
  });
  expect((error as Error).message).not.toMatch(/guess|no key/);
});

test('says why it cannot listen, and closes more than once', async () => {
  const { dashboard } = await serve(new ScriptedFleet());
  const error = await failureOf(serveDashboard(new ScriptedFleet(), { port: dashboard.port }));
  expect(error).toMatchObject({
    ...{ code: 'ERR_CRIU_SYSTEM', message: expect.stringContaining('EADDRINUSE') },
  });
  await Promise.all([dashboard.close(), dashboard[Symbol.asyncDispose]()]);
  await expect(fetch(dashboard.url)).rejects.toThrow();
  const { dashboard: other } = await serve(new ScriptedFleet(), {
    host: '0.0.0.0',
    insecure: true,
  });
  expect(other.url).toBe(`http://0.0.0.0:${other.port}/#token=${other.token}`);
});

describe('access', () => {
  const paths = [
    '/session',
    '/events',
    '/operation?id=drain-1',
    '/plan?drain=a',
    '/metrics',
    '/queues',
    '/none',
  ];

  test.each(paths)('%s needs the token', async (path) => {
    const { get, dashboard } = await serve(new ScriptedFleet());
    expect(dashboard.token).toMatch(/^[\w-]{43}$/);
    const wrong = `${dashboard.token.slice(0, -1)}${dashboard.token.endsWith('A') ? 'B' : 'A'}`;
    for (const headers of [
      {},
      { authorization: `Bearer ${wrong}` },
      { authorization: `Basic ${dashboard.token}` },
      { cookie: `token=${dashboard.token}` },
    ]) {
      const answer = await get(path, headers);
      expect(answer.status).toBe(401);
      expect(await answer.text()).toBe('the token is missing\n');
    }
    const browser = await get(path, { accept: 'text/html,*/*' });
    expect([browser.status, browser.headers.get('location')]).toEqual([303, '/']);
  });

  test('the token is exchanged for a cookie that is not the token', async () => {
    const { get, origin, authorization, dashboard } = await serve(new ScriptedFleet());
    const session = async (headers: Record<string, string>) =>
      await fetch(`${origin}/session`, { method: 'POST', headers });
    expect((await session({})).status).toBe(401);
    expect((await session({ authorization: 'Bearer x' })).headers.get('set-cookie')).toBeNull();
    const given = await session({ authorization });
    expect(given.status).toBe(204);
    const cookie = given.headers.get('set-cookie') as string;
    expect(cookie).toMatch(/^node-criu-[\w-]{12}=[\w-]{43}; Path=\/; HttpOnly; SameSite=Strict$/);
    expect(cookie).not.toContain(dashboard.token);
    const [pair = ''] = cookie.split(';');
    const answer = await get('/session', { cookie: `other=1; ${pair}` });
    expect(await answer.json()).toMatchObject({ name: 'test fleet', hasQueues: false });
    expect((await get('/session', { cookie: `${pair.slice(0, -1)}_` })).status).toBe(401);
    // The cookie does not open a dashboard with another token.
    const other = await serve(new ScriptedFleet());
    expect((await other.get('/session', { cookie: pair })).status).toBe(401);
  });

  test.each([
    ['127.0.0.1', 200],
    ['127.0.0.1:8080', 200],
    ['[::1]:8080', 200],
    ['localhost:1', 200],
    ['fleet.example.org', 200],
    ['FLEET.example.org:443', 200],
    ['attacker.example', 421],
    ['127.0.0.1.attacker.example', 421],
    ['localhost.attacker.example:80', 421],
    ['fleet.example.org@attacker.example', 421],
  ])('the name %j of the host is answered with %i', async (host, status) => {
    const { dashboard, authorization } = await serve(new ScriptedFleet(), {
      names: ['Fleet.example.org'],
    });
    const found = await new Promise<number | undefined>((resolve, reject) => {
      const { port } = dashboard;
      const headers = { authorization, host };
      request({ host: '127.0.0.1', port, path: '/session', headers, agent: false }, (answer) => {
        answer.resume();
        resolve(answer.statusCode);
      })
        .on('error', reject)
        .end();
    });
    expect(found).toBe(status);
  });

  test('nothing can be changed, and each answer has the headers that protect a browser', async () => {
    const { origin, authorization, get } = await serve(new ScriptedFleet());
    for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
      const { status } = await fetch(`${origin}/`, { method, headers: { authorization } });
      expect(status).toBe(405);
    }
    const files = ['/', '/main.js', '/style.css', '/icon.svg'];
    for (const path of [...files, '/session', '/metrics', '/none', '/queues']) {
      const { headers, status } = await get(path);
      expect(status).toBe(['/none', '/queues'].includes(path) ? 404 : 200);
      const policy = headers.get('content-security-policy')?.split('; ');
      expect(policy).toEqual(
        expect.arrayContaining([
          "default-src 'none'",
          "script-src 'self'",
          "frame-ancestors 'none'",
        ]),
      );
      expect(Object.fromEntries(headers)).toMatchObject({
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'cross-origin-resource-policy': 'same-origin',
        'cache-control': 'no-store',
      });
    }
    // The page itself has nothing of the fleet, and what is not of the page is not sent.
    expect((await get('/', {})).status).toBe(200);
    for (const path of ['/../package.json', '/%2e%2e/fleet.js', '//main.js/..', '/style.css/']) {
      expect((await get(path, {})).status).not.toBe(500);
      expect(await (await get(path)).text()).not.toContain('"dependencies"');
    }
  });
});

test('serves https, and the cookie is for https only', async () => {
  const authority = await Authority.create('authority');
  const { cert, key } = await authority.issue('IP:127.0.0.1');
  const { dashboard } = await serve(new ScriptedFleet(), { tls: { cert, key } });
  expect(dashboard.url).toMatch(/^https:/);
  const [pem, ca] = await Promise.all([readFile(key, 'utf8'), readFile(authority.cert, 'utf8')]);
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    const { port, token } = dashboard;
    const headers = { authorization: `Bearer ${token}` };
    const to = { host: '127.0.0.1', port, path: '/session', method: 'POST', agent: false };
    httpsRequest({ ...to, headers, ca }, resolve)
      .on('error', reject)
      .end();
  });
  answer.resume();
  expect(answer.statusCode).toBe(204);
  expect(answer.headers['set-cookie']?.[0]).toMatch(/; Secure$/);
  const error = await failureOf(serveDashboard(new ScriptedFleet(), { tls: { cert, key: cert } }));
  expect(error).toMatchObject({ code: 'ERR_CRIU_INVALID_ARGUMENT', option: 'tls.key' });
  await using open = await serveDashboard(new ScriptedFleet(), {
    ...{ host: '::', tls: { cert, key: pem }, token: 'x'.repeat(32) },
  });
  expect(open.url).toBe(`https://[::]:${open.port}/#token=${'x'.repeat(32)}`);
});

describe('events', () => {
  test('are everything at first, and then what has changed', async () => {
    const fleet = new ScriptedFleet();
    const { get } = await serve(fleet);
    const response = await get('/events');
    expect(response.headers.get('content-type')).toBe('text/event-stream');
    const events = eventsOf(response);
    const first = await next(events);
    expect(first.event).toBe('everything');
    expect(first.data).toMatchObject({
      name: 'test fleet',
      hosts: [{ key: 'host-a', state: 'draining', criu: 40201 }, { key: 'host-b' }],
      workloads: [{ key: 'api', host: 'host-a' }, { key: 'db' }, { key: 'web', state: 'moving' }],
      operations: [{ key: 'drain-1', count: 3, counts: { done: 1, active: 1, waiting: 1 } }],
      steps: [{ key: 'drain-1/step-old' }, { phase: 'rounds' }, { state: 'waiting' }],
    });
    const { hosts, workloads } = fleet.known;
    fleet.known = {
      hosts,
      workloads: [...workloads.slice(1), sampleWorkload('api', 'host-b')],
    };
    fleet.running = [];
    fleet.changed();
    const second = await next(events);
    expect(second).toMatchObject({
      event: 'change',
      id: expect.not.stringMatching(first.id ?? ''),
    });
    expect(second.data).toEqual({
      workloads: { put: [expect.objectContaining({ key: 'api', host: 'host-b' })], drop: [] },
      operations: { put: [], drop: ['drain-1'] },
      steps: { put: [], drop: ['drain-1/step-old', 'drain-1/step-api', 'drain-1/step-db'] },
    });
    fleet.known = { hosts: hosts.slice(1), workloads: fleet.known.workloads };
    fleet.changed();
    const third = await next(events);
    expect(third.data).toEqual({ hosts: { put: [], drop: ['host-a'] } });
    await events.return();
  });

  test('begin where a reader has left, and anew for a reader of another dashboard', async () => {
    const fleet = new ScriptedFleet();
    const { get, authorization } = await serve(fleet);
    const one = eventsOf(await get('/events'));
    const { id = '' } = await next(one);
    fleet.known = { ...fleet.known, workloads: [] };
    fleet.changed();
    const change = await next(one);
    const from = async (last: string) => {
      const events = eventsOf(await get('/events', { authorization, 'last-event-id': last }));
      const event = await next(events);
      await events.return();
      return event;
    };
    expect(await from(id)).toEqual(change);
    const everything = await next(eventsOf(await get('/events')));
    expect(everything).toMatchObject({ event: 'everything', id: change.id });
    for (const last of ['elsewhere.1', `${id.split('.')[0]}.99`, `${id.split('.')[0]}.x`, '']) {
      expect(await from(last)).toEqual(everything);
    }
    await one.return();
  });

  test('come at intervals from a fleet that does not tell of its changes', async () => {
    const fleet = new ScriptedFleet();
    const { get } = await serve({
      name: 'quiet',
      view: () => fleet.view(),
      operations: () => fleet.operations(),
    });
    const events = eventsOf(await get('/events'));
    await next(events);
    for (const hosts of [[sampleHost('host-c')], [sampleHost('host-d')]]) {
      fleet.known = { hosts, workloads: [] };
      expect(await next(events)).toMatchObject({
        data: { hosts: { put: [{ key: hosts[0]?.name }] } },
      });
    }
    await events.return();
  });

  test('tell when the fleet does not answer, and when it does again', async () => {
    const fleet = new ScriptedFleet();
    fleet.trouble = 'Redis does not answer';
    const { get } = await serve(fleet);
    const events = eventsOf(await get('/events'));
    const troubles = async (wanted: string | undefined) => {
      for (;;) {
        const { value } = await events.next();
        if (!value) throw new Error('the events have ended');
        if (value.event !== 'status') continue;
        if ((value.data as { trouble?: string }).trouble === wanted) return;
      }
    };
    await troubles('Redis does not answer');
    const refused = await get('/metrics');
    expect([refused.status, await refused.text()]).toEqual([503, 'Redis does not answer\n']);
    fleet.trouble = undefined;
    expect(await next(events)).toMatchObject({ event: 'everything' });
    await troubles(undefined);
    await events.return();
  });

  test('are looked for only while somebody reads, and end with the dashboard', async () => {
    const fleet = new ScriptedFleet();
    const { get, dashboard } = await serve(fleet);
    await get('/session');
    expect(fleet.asked).toBe(0);
    const events = eventsOf(await get('/events'));
    await next(events);
    expect(fleet.asked).toBeGreaterThan(0);
    const ended = (async () => {
      for await (const _ of events);
    })();
    await dashboard.close();
    await ended.catch(() => {});
    await expect(get('/session')).rejects.toThrow();
  });

  test('are not queued for a reader that does not take them; it is dropped after a while', () => {
    vi.useFakeTimers({ toFake: ['performance'] });
    try {
      const listeners = new Map<string, () => void>();
      const response = {
        on: (name: string, listener: () => void) => listeners.set(name, listener),
        write: vi.fn(() => false),
        destroy: vi.fn(),
      };
      const reader = new Reader(response as never, 0);
      reader.send('one', 1);
      expect([reader.isReady, reader.version]).toEqual([false, 1]);
      vi.advanceTimersByTime(14_000);
      listeners.get('drain')?.();
      expect(reader.isReady).toBe(true);
      reader.send('two', 2);
      vi.advanceTimersByTime(14_000);
      reader.dropIfStalled();
      expect(response.destroy).not.toHaveBeenCalled();
      vi.advanceTimersByTime(2_000);
      reader.dropIfStalled();
      expect(response.destroy).toHaveBeenCalledOnce();
    } finally {
      vi.useRealTimers();
    }
  });

  test('wait in one piece for a slow reader, which has the present rows in the end', async () => {
    const fleet = new ScriptedFleet();
    const feed = new Feed(fleet, 100);
    let response: ServerResponse | undefined;
    const server = createServer((_, answer) => {
      response = answer;
      feed.subscribe(answer, undefined);
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1').pause();
    try {
      socket.write('GET / HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n');
      const size = 2 ** 21;
      let longest = 0;
      // More than the buffers of the two sockets hold.
      for (let pid = 1; pid <= 16; pid++) {
        const labels = { padding: String(pid % 10).repeat(size) };
        const workloads = [sampleWorkload('api', 'host-a', { pid, labels })];
        fleet.known = { hosts: [], workloads };
        const { asked } = fleet;
        fleet.changed();
        await waitFor(() => fleet.asked > asked, 'the fleet is asked');
        longest = Math.max(longest, response?.writableLength ?? 0);
      }
      expect(longest).toBeGreaterThan(0);
      expect(longest).toBeLessThan(3 * size);
      let tail = '';
      socket.setEncoding('utf8').on('data', (text) => {
        tail = (tail + text).slice(-2 * size);
      });
      socket.resume();
      await waitFor(() => tail.includes('"pid":16,'), 'the reader has the last change');
    } finally {
      feed.close();
      socket.destroy();
      server.close();
    }
  });

  test('of long ago are not kept: a slow reader is sent everything', () => {
    const log = new ChangeLog('f');
    const update = (pid: number) => {
      const workloads = [sampleWorkload('api', 'host-a', { pid })];
      log.update(tablesOf({ hosts: [sampleHost('host-a')], workloads }, []));
    };
    update(1);
    const before = log.version;
    update(1);
    expect(log.version).toBe(before);
    for (let pid = 2; pid <= 61; pid++) update(pid);
    expect(log.since(before).match(/^event: change$/gm)).toHaveLength(60);
    update(62);
    expect(log.since(before).match(/^event: everything$/gm)).toHaveLength(1);
    expect(log.since(log.version)).toBe('');
  });
});

test('an operation has its steps, and its plan', async () => {
  const fleet = new ScriptedFleet();
  const { get } = await serve(fleet);
  const steps = [{ key: 'drain-1/step-old', operation: 'drain-1', workload: 'old', index: 0 }];
  const ask = async () => await (await get('/operation?id=drain-1')).json();
  const known = await ask();
  expect(known).toMatchObject({ steps: [...steps, { workload: 'api' }, { workload: 'db' }] });
  expect(known).not.toHaveProperty('plan');
  const plan = { moves: [], unplaced: [sampleUnplaced('db')], notes: [] };
  fleet.plans.set('drain-1', plan);
  expect(await ask()).toMatchObject({ plan });
  expect((await get('/operation?id=other')).status).toBe(404);
});

test('a drain, a move and a rebalance can be planned, which changes nothing', async () => {
  const fleet = new ScriptedFleet();
  const { get } = await serve(fleet);
  expect(await (await get('/session')).json()).toEqual({
    name: 'test fleet',
    hasQueues: false,
    plans: [],
  });
  expect((await get('/plan?drain=host-a')).status).toBe(404);
  const plan = { moves: [], unplaced: [sampleUnplaced('db')], notes: ['a note'] };
  fleet.planDrain = async (host) => {
    if (host !== 'host a/b') throw new Error(`there is no host ${host}`);
    return plan;
  };
  fleet.planMove = async () => ({ ...plan, notes: [] });
  fleet.planRebalance = async () => ({ ...plan, notes: ['a rebalance'] });
  expect(await (await get('/session')).json()).toMatchObject({
    plans: ['drain', 'move', 'rebalance'],
  });
  expect(await (await get('/plan?drain=host+a%2Fb')).json()).toEqual(plan);
  expect(await (await get('/plan?move=db')).json()).toMatchObject({ notes: [] });
  expect(await (await get('/plan?rebalance=')).json()).toMatchObject({ notes: ['a rebalance'] });
  const refused = await get('/plan?drain=none');
  expect([refused.status, await refused.text()]).toEqual([503, 'there is no host none\n']);
  expect((await get('/plan')).status).toBe(404);
});

test('the metrics are those of the fleet, and stay when it forgets', async () => {
  const fleet = new ScriptedFleet();
  const { get } = await serve(fleet);
  const scrape = async () => {
    const answer = await get('/metrics');
    expect(answer.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    return readExposition(await answer.text());
  };
  expect((await scrape())('fleet_moves_ended_total{state="done"}')).toBe(1);
  fleet.running = [];
  const { asked } = fleet;
  await waitFor(async () => {
    const value = await scrape();
    return fleet.asked > asked && value('fleet_moves_ended_total{state="done"}') === 1;
  }, 'the metrics are new');
});

test('each file of the page is served with its type', async () => {
  const { get } = await serve(new ScriptedFleet());
  const page = await (await get('/', {})).text();
  const named = [...page.matchAll(/(?:src|href)="([^"]+\.\w+)"/g)].map(([, name]) => name);
  expect(named.sort()).toEqual(['icon.svg', 'main.js', 'style.css', 'theme.js']);
  expect(page).not.toMatch(/<script>|<style|style=|\son\w+=|https?:/);
  const modules = new Set(['main.js']);
  for (const module of modules) {
    const file = await get(`/${module}`, {});
    expect([module, file.status, file.headers.get('content-type')]).toEqual([
      ...[module, 200, 'text/javascript; charset=utf-8'],
    ]);
    for (const [, name = ''] of (await file.text()).matchAll(/from '\.\/([\w-]+\.js)'/g)) {
      modules.add(name);
    }
  }
});
