// An app with express: it closes its port before the checkpoint, and each copy listens on one of its own.
import { once } from 'node:events';
import { createServer } from 'node:http';
import express from 'express';
import { checkpoint, onAfterRestore, onBeforeCheckpoint } from 'node-criu/guest';

const app = express();
app.get('/', (_request, response) => response.send(`I am ${process.env.NAME}`));
const server = createServer(app);

async function listen() {
  server.listen(Number(process.env.PORT ?? 0), '127.0.0.1');
  await once(server, 'listening');
  console.log(`listens on ${server.address().port}`);
}

onBeforeCheckpoint(() => new Promise((resolve) => server.close(resolve)));
onAfterRestore(listen);

await listen();
await checkpoint();
