// Empties a host before its maintenance: shows the plan, drains it, and reports what has become of each workload.
//
// usage: NODE_CRIU_REDIS=redis://… node fleet.js HOST OPERATOR KEY-FILE
//
// With the Redis of compose.yaml: NODE_CRIU_REDIS=rediss://operator:PASSWORD@HOST:6380 NODE_EXTRA_CA_CERTS=ca.pem
import { readFile } from 'node:fs/promises';
import { Fleet, formatPlan } from 'node-criu/fleet';

const [host, name, keyFile] = process.argv.slice(2);
if (!host || !name || !keyFile) throw new Error('usage: node fleet.js HOST OPERATOR KEY-FILE');

const fleet = await Fleet.connect({
  redis: process.env.NODE_CRIU_REDIS ?? 'redis://127.0.0.1:6379',
  operator: { name, privateKey: await readFile(keyFile, 'utf8') },
});

console.log(formatPlan(await fleet.planDrain(host)));
const drain = await fleet.drain(host);
for await (const { steps } of drain) {
  const done = steps.filter(({ state }) => state === 'done').length;
  console.log(`${done} of ${steps.length} moved`);
}
const { steps, unplaced } = await drain.view();
for (const { workload, to, state, message } of steps) console.log(workload, to, message ?? state);
if (unplaced.length > 0) console.log(`no host for ${unplaced.join(', ')}`);
await fleet.close();
