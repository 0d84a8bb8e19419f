import { readFile, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeCheckpoint } from '../../../src/images.ts';
import { startBrowser } from '../../helpers/browser.ts';
import { buildCommand, events, nodeCriu } from '../../helpers/command.ts';
import { networkNamespace } from '../../helpers/namespaces.ts';
import { startNode } from '../../helpers/node-program.ts';
import { client, killAfterTest, temporaryDirectory, waitFor } from '../../helpers/workload.ts';

const HOSTILE = '<img src=x onerror="document.title=1"></script><script>document.title=2</script>';
/** Set to write the pictures of docs/checkpoints.md. */
const pictures = process.env.REPORT_PICTURES;

let browser: Browser;
beforeAll(async () => {
  [browser] = await Promise.all([startBrowser(), buildCommand()]);
});
afterAll(async () => await browser?.close());

/** Opens a page, and collects what the browser complains of and what it requests. */
async function open(file: string, colorScheme: 'light' | 'dark') {
  const page = await browser.newPage({ colorScheme, viewport: { width: 1000, height: 800 } });
  const complaints: string[] = [];
  const requests: string[] = [];
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('request', (request) => requests.push(request.url()));
  await page.goto(`file://${file}`);
  return { page, complaints, requests };
}

/** What has the keyboard: its label, or its text. */
const focused = async (page: Page) =>
  await page.evaluate('document.activeElement.ariaLabel ?? document.activeElement.textContent');

test('a browser shows the report of a server, by night and by keyboard, and loads nothing', async () => {
  const directory = await temporaryDirectory();
  const { pid } = await startNode([resolve('test/fixtures/described-server.mjs'), directory], {
    network: await networkNamespace(),
    cwd: directory,
    env: { PATH: process.env.PATH, API_TOKEN: 'hunter2', GREETING: HOSTILE },
  });
  const ready = async () => await readFile(join(directory, 'ready'), 'utf8').catch(() => undefined);
  await waitFor(async () => (await ready()) !== undefined, 'the server is ready');
  const imagesDirectory = await temporaryDirectory();
  const before = await temporaryDirectory();
  const options = { tcpEstablished: true, leaveRunning: true };
  await client().dump(pid, { ...options, imagesDirectory: before });
  await using iteration = await client().iterate(pid, {
    ...{ imagesDirectory, tracking: 'compare', tcpEstablished: true },
  });
  await iteration.preDump();
  const dump = await iteration.dump({ leaveStopped: true });
  const {
    directory: images,
    stats: { frozenTimeMs },
  } = dump;
  killAfterTest(pid);

  const file = join(directory, 'report.html');
  const written = await nodeCriu([
    'report',
    images,
    '-o',
    file,
    '--deep',
    '--diff',
    before,
    '--json',
  ]);
  expect(written).toMatchObject({ exitCode: 0, stderr: '' });
  const { size, mode } = await stat(file);
  expect(mode & 0o777).toBe(0o600);
  expect(events(written.stdout)).toMatchObject([
    { event: 'result', path: file, bytes: size, defects: [], obstacles: expect.any(Array) },
  ]);
  expect(size).toBeLessThan(2 ** 20);

  const { page, complaints, requests } = await open(file, 'light');
  const text = async (selector: string) => await page.locator(selector).innerText();
  expect(await page.title()).toContain(`(${pid})`);
  const titles = await page.locator('main section > h2').allInnerTexts();
  expect(titles).toEqual([
    ...['Overview', 'Verification', 'Restore here', 'Processes', 'Memory'],
    ...['Connections and files', 'Timings', 'Difference'],
  ]);
  expect(await text('#overview')).toMatch(/complete, unchanged[\s\S]*Frozen for/);
  // The stopped process has its pids, so that it cannot be restored here.
  expect(await text('#restore')).toContain('PID_IN_USE');
  expect(await text('#restore')).toContain('tcpEstablished: the processes have 2 TCP connections');
  expect(await text('#memory')).toMatch(/V8 heap\s+[\d.]+ MiB[\s\S]*Dirty memory per round/);
  expect(await page.locator('.treemap .cell.c-v8-heap').count()).toBeGreaterThan(5);
  expect(await text('#timings')).toContain('Processes are frozen');
  // CRIU's own statistics count on between the rounds of one criu.
  const { stats } = await describeCheckpoint(images);
  expect(stats?.frozenTimeMs).toBeCloseTo(frozenTimeMs);
  expect(await text('#difference')).toMatch(/pages? of 4096 bytes differ/);
  expect(await page.locator('.graph .node').allTextContents()).toEqual(
    expect.arrayContaining([expect.stringMatching(/127\.0\.0\.1:\d+ LISTEN/)]),
  );
  expect(await page.content()).not.toContain('hunter2');

  // Without a mouse.
  await page.keyboard.press('4');
  expect(await page.evaluate('document.activeElement.id')).toBe('processes');
  await page.keyboard.press('Tab');
  expect(await focused(page)).toContain(String(pid));
  await page.keyboard.press('Enter');
  expect(await text(`#p${pid}`)).toContain(`GREETING=${HOSTILE}`);
  await page.keyboard.press('ArrowDown');
  expect(await focused(page)).toContain('sleep 1000 | cat');
  await page.keyboard.press('5');
  await page.keyboard.press('Tab');
  const first = await focused(page);
  await page.keyboard.press('ArrowRight');
  const second = await focused(page);
  expect(second).not.toBe(first);
  expect(await text('#memory .detail')).toBe(second);
  await page.keyboard.press('6');
  await page.keyboard.press('Tab');
  await page.keyboard.press('End');
  expect(await page.locator('.graph path.on').count()).toBeGreaterThan(0);
  await page.keyboard.press('/');
  await page.keyboard.type('sleep 1000 |');
  expect(await page.locator('#processes .row:visible').count()).toBe(1);
  await page.keyboard.press('Escape');
  expect(await page.locator('#processes .row:visible').count()).toBe(4);

  const night = await open(file, 'dark');
  const colours = async (of: Page) =>
    await of.evaluate('getComputedStyle(document.body).backgroundColor');
  expect(await colours(page)).toBe('rgb(255, 255, 255)');
  expect(await colours(night.page)).toBe('rgb(13, 17, 23)');
  await page.emulateMedia({ media: 'print' });
  expect(await page.locator('nav').isVisible()).toBe(false);
  expect((await page.pdf()).length).toBeGreaterThan(10_000);

  expect(complaints).toEqual([]);
  expect(night.complaints).toEqual([]);
  expect(requests).toEqual([`file://${file}`]);
  expect(await page.title()).toContain(`(${pid})`);
  if (pictures) {
    await page.emulateMedia({ media: 'screen' });
    for (const each of [page, night.page]) {
      await each.setViewportSize({ width: 840, height: 800 });
      await each.evaluate("document.querySelector('nav').hidden = true");
    }
    await page.locator('.treemap').screenshot({ path: 'docs/report-memory.png' });
    await night.page.locator('.cards').screenshot({ path: 'docs/report-overview.png' });
  }
});
