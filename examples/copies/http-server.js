// A server of node:http: it closes its port before the checkpoint, and each copy listens on one of its own.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { checkpoint, onAfterRestore, onBeforeCheckpoint } from 'node-criu/guest';

const server = createServer((_request, response) => response.end(`I am ${process.env.NAME}`));

async function listen() {
  server.listen(Number(process.env.PORT ?? 0), '127.0.0.1');
  await once(server, 'listening');
  console.log(`listens on ${server.address().port}`);
}

onBeforeCheckpoint(() => new Promise((resolve) => server.close(resolve)));
onAfterRestore(listen);

await listen();
await checkpoint();
