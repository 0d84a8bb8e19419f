// A pool of connections to PostgreSQL: it is closed before the checkpoint, and each copy opens one of its own. The
// variables PGHOST, PGUSER and so on say where.
import { checkpoint, onAfterRestore, onBeforeCheckpoint } from 'node-criu/guest';
import pg from 'pg';

let pool = new pg.Pool();

async function connect() {
  const { rows } = await pool.query(
    'insert into visits (name) values ($1) returning pg_backend_pid() as backend',
    [process.env.NAME ?? 'the template'],
  );
  console.log(`connection ${rows[0].backend}`);
}

onBeforeCheckpoint(() => pool.end());
onAfterRestore(async () => {
  pool = new pg.Pool();
  await connect();
});

await connect();
await checkpoint();
