// A client of Redis: it disconnects before the checkpoint, and each copy connects again.
import { checkpoint, onAfterRestore, onBeforeCheckpoint } from 'node-criu/guest';
import { createClient } from 'redis';

const client = createClient({ socket: { path: process.env.REDIS_SOCKET } });

async function connect() {
  await client.connect();
  console.log(`visit ${await client.incr('visits')} on connection ${await client.clientId()}`);
}

onBeforeCheckpoint(() => client.close());
onAfterRestore(connect);

await connect();
await checkpoint();
