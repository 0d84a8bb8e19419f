import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type DashboardOptions, type FleetHost, serveDashboard } from '../../../src/fleet.ts';
import { startBrowser } from '../../helpers/browser.ts';
import {
  SAMPLE_TIME,
  sampleHost,
  sampleMove,
  sampleOperation,
  sampleStep,
  sampleUnplaced,
  sampleWorkload,
} from '../../helpers/fleet-samples.ts';
import { ScriptedFleet } from '../../helpers/scripted-fleet.ts';
import { scriptedQueue } from '../../helpers/scripted-queue.ts';

const HOSTILE =
  '"><img src=x onerror="document.title=1"></script><script>document.title=2</script>\u202e';

let browser: Browser;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(async () => await browser?.close());

/** Serves a fleet, and opens its page; collects what the browser complains of and what it requests. */
async function show(fleet: ScriptedFleet, options: DashboardOptions & { fragment?: boolean } = {}) {
  const { fragment = true, ...own } = options;
  const dashboard = await serveDashboard(fleet, { intervalMs: 100, ...own });
  const context = await browser.newContext({
    ...{ colorScheme: 'light' as const, viewport: { width: 1280, height: 720 } },
  });
  const complaints: string[] = [];
  const origins = new Set<string>();
  context.on('console', (message) => complaints.push(`${message.type()}: ${message.text()}`));
  context.on('weberror', (error) => complaints.push(String(error.error())));
  context.on('request', (request) => origins.add(new URL(request.url()).origin));
  const page = await context.newPage();
  const origin = dashboard.url.replace(/\/#.*/, '');
  await page.goto(fragment ? dashboard.url : origin);
  return {
    ...{ page, context, dashboard, complaints, origins, origin },
    async [Symbol.asyncDispose]() {
      await context.close();
      await dashboard.close();
    },
  };
}

/** Waits until a condition holds. */
const eventually = <T>(ask: () => Promise<T>) => expect.poll(ask, { timeout: 20_000 });

/** The texts of the first cells of each row that is drawn. */
async function rows(page: Page, cells = Infinity): Promise<string[][]> {
  const all: string[][] =
    await page.evaluate(`[...document.querySelectorAll('.rows .row:not([hidden])')]
    .sort((a, b) => a.getAttribute('aria-rowindex') - b.getAttribute('aria-rowindex'))
    .map((row) => [...row.children].map((cell) => cell.textContent))`);
  return all.map((row) => row.slice(0, cells));
}

/** The text of the first cell of the active row. */
async function active(page: Page): Promise<string | undefined> {
  return await page.evaluate(
    "document.getElementById(document.activeElement.getAttribute('aria-activedescendant'))?.firstChild.textContent",
  );
}

const first = async (page: Page) => (await rows(page)).map(([name]) => name);
const background = async (page: Page) =>
  await page.evaluate('getComputedStyle(document.body).backgroundColor');

test('a browser shows a fleet and follows it, by keyboard, by day and by night', async () => {
  const fleet = new ScriptedFleet();
  await using shown = await show(fleet);
  const { page, complaints, origins, origin } = shown;
  await eventually(() => rows(page, 2)).toEqual([
    ['host-a', 'draining'],
    ['host-b', 'ready'],
  ]);
  // The token is not in the address any more.
  expect(page.url()).not.toContain(shown.dashboard.token);
  expect(await page.title()).toBe('test fleet · fleet');
  expect(await page.locator('#live').innerText()).toBe('live');
  expect(await page.locator('#tabs').innerText()).toMatch(
    /Hosts2\s+Workloads3\s+Moves2\s+Plans1\s+History0/,
  );
  expect((await rows(page))[0]?.slice(2)).toEqual([
    ...['24.0 GiB of 64.0 GiB', '40.0 GiB', '1.3 / 16', '2', '0 / 2', '1 / 2', '4.2.1', 'zone=a'],
  ]);

  // The move goes on, and ends.
  await page.keyboard.press('3');
  await eventually(() => rows(page, 6)).toEqual([
    ['api', 'host-a', 'host-b', 'active', 'rounds', '256 MiB of 512 MiB'],
    ['db', 'host-a', 'host-b', 'waiting', '', '0 B of 512 MiB'],
    ['old', 'host-a', 'host-b', 'done', 'done', '512 MiB of 512 MiB'],
  ]);
  const steps = [
    sampleStep('api', { state: 'active', phase: 'switch-over', bytes: 2 ** 29, attempts: 1 }),
    sampleStep('db', { state: 'delayed', attempts: 2, message: 'host-b is busy' }),
  ];
  fleet.running = [sampleOperation('drain-1', steps, { unplaced: ['web'] })];
  fleet.changed();
  await eventually(() => rows(page, 6)).toEqual([
    ['api', 'host-a', 'host-b', 'active', 'switch-over', '512 MiB of 512 MiB'],
    ['db', 'host-a', 'host-b', 'delayed', '', '0 B of 512 MiB'],
  ]);
  expect((await rows(page))[1]?.slice(9)).toEqual(['2', 'host-b is busy']);

  // Why a workload stays, by keyboard.
  fleet.plans.set('drain-1', { moves: [], unplaced: [sampleUnplaced('web')], notes: [] });
  await page.keyboard.press('4');
  await page.keyboard.press('Enter');
  const details = page.locator('#details');
  await eventually(() => details.innerText()).toContain(
    'not host-b, host-c and 10 more: its CRIU 4.1 is older',
  );
  expect(await details.innerText()).toMatch(/1 active, 1 delayed/);
  await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await eventually(() => details.innerText()).toMatch(/^Workload\s+web/);
  await page.keyboard.press('Escape');
  expect(await details.isVisible()).toBe(false);
  expect(await active(page)).toBe('drain');

  const ended = { state: 'done' as const, endedAt: Date.now() };
  fleet.running = [
    sampleOperation('drain-1', [sampleMove('api', 80), sampleMove('db', 120)], ended),
  ];
  fleet.changed();
  await page.keyboard.press('5');
  await eventually(() => rows(page, 8)).toEqual([
    ['drain', 'host-a', 'done', '2 of 2', '·', '·', '1.00 GiB', '120 ms'],
  ]);

  // Rows, headings, the search.
  await page.keyboard.press('2');
  expect(await first(page)).toEqual(['api', 'db', 'web']);
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('j');
  expect(await active(page)).toBe('web');
  fleet.known = {
    ...fleet.known,
    workloads: [
      sampleWorkload('aaa', 'host-b', { memoryBytes: 2 ** 40 }),
      ...fleet.known.workloads,
    ],
  };
  fleet.changed();
  await eventually(() => first(page)).toEqual(['aaa', 'api', 'db', 'web']);
  expect(await active(page)).toBe('web');
  await page.keyboard.press('Home');
  expect(await active(page)).toBe('aaa');
  await page.getByRole('columnheader', { name: 'Workload' }).getByRole('button').press('Enter');
  expect(await first(page)).toEqual(['web', 'db', 'api', 'aaa']);
  expect(await page.locator('[aria-sort=descending]').innerText()).toBe('Workload');
  await page.keyboard.press('/');
  await page.keyboard.type('HOST-A running');
  expect(await first(page)).toEqual(['db', 'api']);
  await page.keyboard.type(' no');
  expect(await page.locator('.empty').innerText()).toBe('Nothing matches the search.');
  await page.keyboard.press('Escape');
  expect(await first(page)).toEqual(['web', 'db', 'api', 'aaa']);
  await page.keyboard.press('?');
  expect(await page.locator('#help').isVisible()).toBe(true);
  await page.keyboard.press('Escape');
  expect(await page.locator('#help').isVisible()).toBe(false);
  await page.keyboard.press('1');
  await page.locator('#tab-hosts').focus();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  expect(await page.locator('[aria-selected=true][role=tab]').innerText()).toMatch(/^Moves/);

  // What a drain would do, which is not done.
  fleet.planDrain = async (host) => ({
    moves: [],
    unplaced: [sampleUnplaced('web', { from: host })],
    notes: ['1 workload stays'],
  });
  fleet.planRebalance = async () => ({
    moves: [
      {
        workload: 'api',
        from: 'host-a',
        to: 'host-b',
        memoryBytes: 2 ** 33,
        reason: 'a reason',
        objections: [],
      },
    ],
    unplaced: [],
    notes: ['host-a stays at 75 % of memory in use'],
  });
  await page.reload();
  await eventually(() => first(page)).toHaveLength(2);
  await page.keyboard.press('1');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Plan a drain' }).press('Enter');
  await eventually(() => details.innerText()).toMatch(
    /nothing is\.\s+1 workload stays\s+Would stay 1\s+web\s+no host is possible/,
  );
  expect(await page.evaluate('document.activeElement.textContent')).toBe('Plan a drain');
  await page.keyboard.press('Escape');

  // And what a rebalance would do, by key and by button.
  await page.keyboard.press('r');
  await eventually(() => details.innerText()).toMatch(
    /stays at 75 %.*\s+Memory in use 2\s+host-a\s+38 % → 25 %\s+host-b\s+38 % → 50 %\s+Would move 1\s+api\s+host-a → host-b, 8\.00 GiB\s+a reason/,
  );
  await page.keyboard.press('Escape');
  expect(await active(page)).toBe('host-a');
  await page.getByRole('button', { name: 'Rebalance' }).press('Enter');
  await eventually(() => details.innerText()).toMatch(/^Fleet\s+Rebalance\s+×\s+Plan again\s+What/);
  await page.keyboard.press('Escape');
  expect(await page.evaluate('document.activeElement.id')).toBe('rebalance');
  await page.keyboard.press('3');

  // The system's colours, or one's own, also after the page is loaded again.
  expect(await background(page)).toBe('rgb(255, 255, 255)');
  await page.emulateMedia({ colorScheme: 'dark' });
  expect(await background(page)).toBe('rgb(14, 17, 22)');
  await page.keyboard.press('t');
  await page.keyboard.press('t');
  expect(await page.locator('#theme').innerText()).toBe('light');
  await page.reload();
  await eventually(() => first(page)).toHaveLength(2);
  expect(await background(page)).toBe('rgb(255, 255, 255)');
  expect(await page.locator('[aria-selected=true][role=tab]').innerText()).toMatch(/^Moves/);

  expect(complaints).toEqual([]);
  expect([...origins]).toEqual([origin]);
});

test('a browser tells that a fleet or its dashboard does not answer, and comes back', async () => {
  const fleet = new ScriptedFleet();
  const token = 'a'.repeat(43);
  await using shown = await show(fleet, { token });
  const { page, dashboard } = shown;
  const { port } = dashboard;
  const live = page.locator('#live');
  await eventually(() => first(page)).toEqual(['host-a', 'host-b']);
  fleet.trouble = 'Redis does not answer';
  fleet.changed();
  await eventually(() => live.innerText()).toBe('not up to date');
  expect(await page.locator('#trouble').innerText()).toBe('Redis does not answer');
  fleet.trouble = undefined;
  await eventually(() => live.innerText()).toBe('live');
  expect(await page.locator('#trouble').isVisible()).toBe(false);

  await dashboard.close();
  await eventually(() => live.innerText()).toBe('reconnecting');
  expect(await first(page)).toEqual(['host-a', 'host-b']);
  fleet.known = { hosts: [sampleHost('host-c', { isAlive: false })], workloads: [] };
  await using _again = await serveDashboard(fleet, { token, port, intervalMs: 100 });
  await eventually(() => rows(page, 2)).toEqual([['host-c', 'lost']]);
  expect(await live.innerText()).toBe('live');
});

test('a browser without the token is asked for it', async () => {
  await using shown = await show(new ScriptedFleet(), { fragment: false });
  const { page, dashboard, origin } = shown;
  await page.locator('#token').waitFor();
  expect(await page.locator('#content').isVisible()).toBe(false);
  await page.keyboard.type('a wrong one');
  await page.keyboard.press('Enter');
  await eventually(() => page.locator('#refused').innerText()).toMatch(/^The token is wrong/);
  await page.locator('#token').fill(dashboard.url);
  await page.keyboard.press('Enter');
  await eventually(() => first(page)).toEqual(['host-a', 'host-b']);
  const cookies = await shown.context.cookies(origin);
  expect(cookies).toMatchObject([{ httpOnly: true, sameSite: 'Strict' }]);
});

test('hostile names are shown as text', async () => {
  const fleet = new ScriptedFleet(HOSTILE);
  const host = sampleHost(HOSTILE, { labels: { [HOSTILE]: HOSTILE } });
  fleet.known = {
    hosts: [host],
    workloads: [sampleWorkload(HOSTILE, HOSTILE, { labels: { __proto__: 'x', a: HOSTILE } })],
  };
  const step = sampleStep(HOSTILE, {
    from: HOSTILE,
    to: HOSTILE,
    state: 'failed',
    message: HOSTILE,
  });
  fleet.running = [sampleOperation(HOSTILE, [step], { target: HOSTILE, unplaced: [HOSTILE] })];
  const hosts = [{ objection: HOSTILE, count: 1, hosts: [HOSTILE] }];
  const unplaced = sampleUnplaced(HOSTILE, { reason: HOSTILE, objections: hosts });
  fleet.plans.set(HOSTILE, { moves: [], unplaced: [unplaced], notes: [] });
  await using shown = await show(fleet);
  const { page, complaints, origins, origin } = shown;
  const text = HOSTILE.replace('\u202e', '\\u{202e}');
  await eventually(() => first(page)).toEqual([text]);
  const details = page.locator('#details');
  for (const key of ['1', '2', '3', '4']) {
    await page.keyboard.press(key);
    await page.keyboard.press('Enter');
    await eventually(() => details.innerText()).toContain(text);
  }
  await eventually(() => details.innerText()).toContain(`not ${text}: ${text}`);
  expect(await page.locator('img, main script, aside script').count()).toBe(0);
  expect(await page.title()).toBe(`${text} · fleet`);
  expect(complaints).toEqual([]);
  expect([...origins]).toEqual([origin]);
});

test('the page stays quick with 1,000 hosts and 20,000 workloads', async () => {
  const fleet = new ScriptedFleet();
  fleet.known = large(1000, 20_000);
  await using shown = await show(fleet);
  const { page, complaints } = shown;
  await page.evaluate(`window.longest = 0;
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) longest = Math.max(longest, duration);
    }).observe({ type: 'longtask', buffered: true });`);
  await eventually(() => page.locator('#tabs').innerText()).toMatch(/1,000\s+Workloads20,000/);
  await page.keyboard.press('2');
  expect(await page.locator('.rows .row').count()).toBeLessThan(60);
  await page.keyboard.press('End');
  expect(await active(page)).toBe('workload-20000');
  await page.keyboard.press('/');
  await page.keyboard.type('workload-19');
  expect(await first(page)).toContain('workload-19');
  await page.keyboard.press('Escape');
  // A change of each host and of a thousand workloads, until it is drawn.
  const { hosts, workloads } = fleet.known;
  fleet.known = {
    hosts: hosts.map((host): FleetHost => ({ ...host, facts: { ...host.facts, load: 7 } })),
    workloads: workloads.map((one, index) => (index % 20 ? one : { ...one, state: 'moving' })),
  };
  fleet.changed();
  await eventually(() => page.locator('#summary').innerText()).toContain('1,000 moving');
  const longest = await page.evaluate('window.longest');
  // It is a fifth of this on a computer that has nothing else to do.
  expect(longest).toBeLessThan(3000);
  expect(complaints).toEqual([]);
});

test('bull-board shows the queues, and can neither change them nor load anything from elsewhere', async () => {
  const fleet = new ScriptedFleet();
  fleet.queues = () => [scriptedQueue('outgoing host-a'), scriptedQueue('outgoing host-b')];
  await using shown = await show(fleet);
  const { page, complaints, origins, origin, dashboard } = shown;
  await eventually(() => page.locator('#queues').isVisible()).toBe(true);
  await page.locator('#queues').click();
  await eventually(() => page.locator('body').innerText()).toContain('outgoing host-b');
  // It loads parts in advance that it does not use, of which the browser warns.
  expect(complaints.filter((each) => each.startsWith('error'))).toEqual([]);
  expect([...origins]).toEqual([origin]);
  const headers = { authorization: `Bearer ${dashboard.token}` };
  const path = `${origin}/queues/api/queues/${encodeURIComponent('outgoing host-a')}`;
  const refused = await fetch(`${path}/pause`, { method: 'PUT', headers });
  expect(refused.status).toBe(405);
  const listed = await fetch(`${origin}/queues/api/queues`, { headers });
  expect(await listed.json()).toMatchObject({
    queues: [{ name: 'outgoing host-a', readOnlyMode: true }, { name: 'outgoing host-b' }],
  });
  for (const outside of [
    '/static/../../package.json',
    '/static/%2e%2e/index.ejs',
    '/static/none.js',
  ]) {
    expect((await fetch(`${origin}/queues${outside}`, { headers })).status).toBe(404);
  }
});

function large(hostCount: number, workloadCount: number) {
  const hosts = Array.from({ length: hostCount }, (_, index) => sampleHost(`host-${index + 1}`));
  const workloads = Array.from({ length: workloadCount }, (_, index) =>
    sampleWorkload(`workload-${index + 1}`, `host-${(index % hostCount) + 1}`, {
      since: SAMPLE_TIME - index * 1000,
    }),
  );
  return { hosts, workloads };
}
