import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { serveDashboard } from '../../../src/fleet.ts';
import { startBrowser } from '../../helpers/browser.ts';
import { fleetScene, startWeb } from '../../helpers/fleet-lab.ts';
import { readExposition } from '../../helpers/read-exposition.ts';

let browser: Browser;
beforeAll(async () => {
  browser = await startBrowser();
});
afterAll(async () => await browser?.close());

test('a browser follows a drain, from its plan to its history', async () => {
  const scene = await fleetScene(2);
  const { fleet } = scene;
  const web = await startWeb(scene, 0);
  await using dashboard = await serveDashboard(fleet, { intervalMs: 100 });
  const page = await browser.newPage({ viewport: { width: 1400, height: 800 } });
  const complaints: string[] = [];
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(String(error)));
  const cells = async (): Promise<string[][]> =>
    await page.evaluate(`[...document.querySelectorAll('.rows .row:not([hidden])')]
      .sort((a, b) => a.getAttribute('aria-rowindex') - b.getAttribute('aria-rowindex'))
      .map((row) => [...row.children].map((cell) => cell.textContent))`);
  const columns = async (...which: readonly number[]) =>
    (await cells()).map((row) => which.map((column) => row[column]));
  const eventually = <T>(ask: () => Promise<T>) => expect.poll(ask, { timeout: 20_000 });

  await page.goto(dashboard.url);
  await eventually(() => columns(0, 1, 5)).toEqual([
    ['a', 'ready', '1'],
    ['b', 'ready', '·'],
  ]);
  await page.keyboard.press('1');
  await page.keyboard.press('Enter');
  await page.getByRole('button', { name: 'Plan a drain' }).press('Enter');
  await eventually(() => page.locator('.planned').innerText()).toMatch(/Would move 1\s+web-0/);
  await page.keyboard.press('Escape');

  // All that the page shows of the moves, each time it changes.
  await page.keyboard.press('3');
  await page.evaluate(`window.seen = new Set();
    new MutationObserver(() => {
      for (const row of document.querySelectorAll('.rows .row:not([hidden])')) {
        seen.add(row.children[0].textContent + ' ' + row.children[3].textContent);
      }
    }).observe(document.querySelector('.rows'), { childList: true, subtree: true, characterData: true });`);
  await (await fleet.drain('a')).result();
  // That they were started is there as well.
  const moves = async () =>
    (await columns(0, 1, 2, 3, 8)).filter(([, from]) => from === 'a').sort();
  const downtime = expect.stringMatching(/^\d+ ms$|^\d\.\d s$/);
  await eventually(moves).toEqual([['web-0', 'a', 'b', 'done', downtime]]);
  const seen = await page.evaluate('[...seen]');
  expect(seen).toEqual(expect.arrayContaining(['web-0 active']));
  await page.keyboard.press('1');
  await eventually(() => columns(0, 1, 5)).toEqual([
    ['a', 'drained', '·'],
    ['b', 'ready', '1'],
  ]);
  await page.keyboard.press('2');
  await eventually(() => columns(0, 1, 2)).toEqual([['web-0', 'b', 'running']]);
  await page.keyboard.press('5');
  // The page may know where the workload is before it knows that the operation has ended.
  await eventually(async () => (await columns(0, 1, 2, 3))[0]).toEqual([
    ...['drain', 'a', 'done', '1 of 1'],
  ]);
  await web.check('b');

  const headers = { authorization: `Bearer ${dashboard.token}` };
  const answer = await fetch(new URL('/metrics', dashboard.url), { headers });
  const value = readExposition(await answer.text());
  expect(value('fleet_hosts{state="drained"}')).toBe(1);
  expect(value('fleet_host_workloads{host="b"}')).toBe(1);
  expect(value('fleet_downtime_seconds_count')).toBe(1);
  expect(complaints).toEqual([]);
});
