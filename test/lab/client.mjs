// The client that measures a migration, in a process of its own: sends one request after the other on one
// connection, and records when each is answered and what goes wrong.
//
// usage: client.mjs HOST PORT, forked: takes { id, task }, answers { id, result }.
import { Agent, request } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

const [, , host, port] = process.argv;
const now = () => performance.timeOrigin + performance.now();

/** Of each answer since the start, its time of day and the time since the answer before, in ms. */
let timeline = [];
let faults = [];
let connections = [];
let [count, last] = [0, 0];
let stopped = true;
let pauseMs = 1;
let running = Promise.resolve();
const agent = new Agent({ keepAlive: true, maxSockets: 1, scheduling: 'fifo' });

async function run() {
  last = now();
  while (!stopped) {
    try {
      take(await ask('/'));
    } catch (error) {
      faults.push({ at: now(), fault: `connection: ${error.code ?? error.message}` });
      await sleep(10);
    }
    await sleep(pauseMs);
  }
}

function take(answer) {
  const at = now();
  const next = Number(answer);
  timeline.push([at, at - last]);
  if (count > 0 && next !== count + 1) faults.push({ at, fault: `${next} came after ${count}` });
  [last, count] = [at, next];
}

function ask(path) {
  return new Promise((resolve, reject) => {
    const sent = request({ host, port, path, agent }, async (response) => {
      try {
        let body = '';
        for await (const chunk of response) body += chunk;
        resolve(body);
      } catch (error) {
        reject(error);
      }
    });
    sent.on('socket', ({ connecting }) => {
      if (!connecting) return;
      const at = now();
      if (connections.length > 0) faults.push({ at, fault: 'connection: replaced' });
      connections.push(at);
    });
    sent.on('error', reject).end();
  });
}

const tasks = {
  /**
   * Sends requests, each a millisecond after the answer before. A patient client waits for half a second
   * and so leaves an emulated machine its processor. With `probes`, TCP keepalive detects a connection
   * that the server has lost without a word; the probes also end one to a server that is frozen for
   * eleven seconds, as on a busy machine.
   */
  start({ patient = false, probes = false }) {
    pauseMs = patient ? 500 : 1;
    agent.keepAliveMsecs = probes ? 1000 : 3_600_000;
    [timeline, faults] = [[], []];
    connections = connections.slice(-1);
    stopped = false;
    running = run();
  },
  async stop() {
    stopped = true;
    await running;
    return tasks.report();
  },
  report() {
    const longest = timeline.reduce((most, entry) => (entry[1] > most[1] ? entry : most), [0, 0]);
    return {
      answers: timeline.length,
      count,
      longestGapMs: longest[1],
      longestGapAt: longest[0],
      connections: connections.length,
      faults,
      timeline,
    };
  },
  answers: () => timeline.length,
  /** Fetches another path of the server on a connection of its own, once the measurement is over. */
  async get({ path }) {
    const response = await fetch(
      `http://${host.includes(':') ? `[${host}]` : host}:${port}${path}`,
    );
    return await response.json();
  },
};

process.on('message', async ({ id, task, options }) => {
  try {
    process.send({ id, result: await tasks[task](options) });
  } catch (error) {
    process.send({ id, error: { message: error.message, code: error.code } });
  }
});
process.on('disconnect', () => process.exit());
process.send({ ready: process.pid });
