// A client of Redis or of an HTTP server, in a process of its own: sends one request after the other on one
// connection, and checks each answer.
//
// usage: steady-client.mjs HOST PORT redis|http, forked: takes { id, task }, answers { id, result }.
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

const [, , host, port, protocol] = process.argv;
const PAUSE_MS = 5;

const protocols = {
  /** The counter tells whether a request was lost or done twice. */
  redis: {
    request: 'INCR steady\r\n',
    isWhole: (text) => text.endsWith('\r\n'),
    isRight: (text, count) => text === `:${count}\r\n`,
  },
  http: {
    request: `GET / HTTP/1.1\r\nhost: ${host}\r\n\r\n`,
    isWhole: (text) => text.endsWith('served\n'),
    isRight: (text) => text.startsWith('HTTP/1.1 200 '),
  },
};
const { request, isWhole, isRight } = protocols[protocol];

let answers = 0;
const faults = [];
let stopped = false;

/** Connects once the server listens. */
async function reach() {
  for (;;) {
    const socket = connect({ host, port: Number(port) }).setEncoding('utf8');
    try {
      await once(socket, 'connect');
      return socket;
    } catch {
      await sleep(PAUSE_MS);
    }
  }
}

async function run() {
  const socket = await reach();
  const parts = socket[Symbol.asyncIterator]();
  try {
    while (!stopped) {
      socket.write(request);
      let text = '';
      while (!isWhole(text)) {
        const { done, value } = await parts.next();
        if (done) throw new Error('the server has closed it');
        text += value;
      }
      answers += 1;
      if (!isRight(text, answers)) faults.push(`answer ${answers}: ${text.slice(0, 100)}`);
      await sleep(PAUSE_MS);
    }
  } catch (error) {
    faults.push(`connection: ${error.message}`);
  }
  socket.destroy();
}

const running = run();
const tasks = {
  answers: () => answers,
  async stop() {
    stopped = true;
    await running;
    return { answers, faults };
  },
};

process.on('message', async ({ id, task }) => {
  process.send({ id, result: await tasks[task]() });
});
process.on('disconnect', () => process.exit());
process.send({ ready: process.pid });
