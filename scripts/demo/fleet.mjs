// Drains a host of a fleet while clients keep their connections to the servers on it, and takes a picture of the
// dashboard meanwhile.
//
// usage: npm run demo:fleet [-- SERVERS [MIB]] [--write-docs]
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CriuError } from 'node-criu';
import { Fleet, formatPlan, serveDashboard } from 'node-criu/fleet';
import { chromium } from 'playwright-core';
import { startFleet, startService } from '../../test/lab/fleet.mjs';
import { Lab } from '../../test/lab/hosts.mjs';

const given = process.argv.slice(2);
const writesDocs = given.includes('--write-docs');
const [servers = '4', heap = '32'] = given.filter((arg) => arg !== '--write-docs');
const picture = writesDocs ? 'docs/fleet-dashboard.png' : join(tmpdir(), 'node-criu-fleet.png');
const say = (text) => console.log(text);

const lab = await Lab.start({ count: 3 });
const scene = await startFleet(lab);
const fleet = await Fleet.connect(scene.connection);
const dashboard = await serveDashboard(fleet);
try {
  await demo();
} catch (error) {
  console.error(error instanceof CriuError ? `${error.message} (${error.code})` : error);
  process.exitCode = 1;
} finally {
  await dashboard.close();
  await fleet.close();
  await Promise.all(scene.agents.map((agent) => agent.kill()));
  await scene.redis.stop();
  await lab.close();
}

async function demo() {
  say(
    'three hosts, a, b and c, each in namespaces of its own with an agent of the fleet, and a Redis',
  );
  const services = [];
  for (let index = 0; index < Number(servers); index++) {
    services.push(await startService(lab, fleet, index, { heap: Number(heap) }));
  }
  say(`${servers} servers with ${heap} MiB run on a, and each has a client that counts\n`);
  say('node-criu fleet drain a --plan');
  say(`${formatPlan(await fleet.planDrain('a'))}\n`);
  say('node-criu fleet drain a');
  const operation = await fleet.drain('a');
  const taken = takePicture();
  taken.catch(() => {});
  const { steps } = await operation.result();
  await taken;
  for (const { workload, to, bytes, downtimeMs = 0 } of steps) {
    const moved = `${(bytes / 2 ** 20).toFixed(0)} MiB, ${Math.round(downtimeMs)} ms of downtime`;
    say(`  ${workload} is on ${to}: ${moved}`);
  }
  for (const { name, client } of services) await checked(name, client);
  say(`\nno client lost an answer or its connection; a is ${await stateOfA()}`);
  say(`the dashboard while the host was drained: ${picture}`);
}

/** Checks that a client got each number once and in order, on one connection, and that the memory is right. */
async function checked(name, client) {
  await client.answersOn();
  const { faults, connections } = await client.ask('stop');
  if (faults.length > 0 || connections !== 1) {
    throw new Error(`the client of ${name} saw ${JSON.stringify({ faults, connections })}`);
  }
  const { ok, wrong } = await client.ask('get', { path: '/verify' });
  if (!ok) throw new Error(`the memory of ${name} is wrong: ${wrong.slice(0, 5).join(', ')}`);
}

async function stateOfA() {
  const [a] = await fleet.hosts();
  return a.state;
}

/** Has a browser without a window draw the dashboard once it shows moves that are under way. */
async function takePicture() {
  const executablePath = execFileSync('bash', ['scripts/chromium.sh'], { encoding: 'utf8' }).trim();
  const args = ['--no-sandbox', '--disable-gpu'];
  const browser = await chromium.launch({ executablePath, args });
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 860 } });
    await page.goto(dashboard.url);
    // The tab with the moves.
    await page.keyboard.press('3');
    await page.locator('.rows .row', { hasText: 'active' }).first().waitFor();
    await page.screenshot({ path: picture });
  } finally {
    await browser.close();
  }
}
