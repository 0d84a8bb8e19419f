// An app with fastify. Its close() is final, so the server inside is what closes before the checkpoint.
import { once } from 'node:events';
import fastify from 'fastify';
import { checkpoint, onAfterRestore, onBeforeCheckpoint } from 'node-criu/guest';

const app = fastify();
app.get('/', async () => `I am ${process.env.NAME}`);
await app.ready();

async function listen() {
  app.server.listen(Number(process.env.PORT ?? 0), '127.0.0.1');
  await once(app.server, 'listening');
  console.log(`listens on ${app.server.address().port}`);
}

onBeforeCheckpoint(() => new Promise((resolve) => app.server.close(resolve)));
onAfterRestore(listen);

await listen();
await checkpoint();
