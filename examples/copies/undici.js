// A pool of connections of undici: it is closed before the checkpoint, and each copy opens one of its own.
import { checkpoint, onAfterRestore, onBeforeCheckpoint } from 'node-criu/guest';
import { Pool } from 'undici';

let pool = new Pool(process.env.SERVER);

async function ask() {
  const { body } = await pool.request({ path: '/', method: 'GET' });
  console.log(`answered: ${await body.text()}`);
}

onBeforeCheckpoint(() => pool.close());
onAfterRestore(async ({ env }) => {
  pool = new Pool(env.SERVER);
  await ask();
});

await ask();
await checkpoint();
