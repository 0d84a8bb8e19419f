// A cluster: each of its processes has hooks of its own. The workers close their port before the checkpoint, and
// listen on that of the copy afterwards, which the primary process shares among them.
import cluster from 'node:cluster';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { checkpoint, onAfterRestore, onBeforeCheckpoint } from 'node-criu/guest';

if (cluster.isPrimary) {
  const workers = [1, 2].map(() => cluster.fork());
  await Promise.all(workers.map((worker) => once(worker, 'listening')));
  await checkpoint();
  console.log(`listens on ${process.env.PORT}`);
} else {
  const server = createServer((_request, response) =>
    response.end(`I am worker ${cluster.worker.id} of ${process.env.NAME}`),
  );
  const listen = async () => {
    server.listen(Number(process.env.PORT ?? 0), '127.0.0.1');
    await once(server, 'listening');
  };
  onBeforeCheckpoint(() => new Promise((resolve) => server.close(resolve)));
  onAfterRestore(listen);
  await listen();
}
