// Keeps an express app across restarts: Ctrl-C freezes it to disk, and the next start restores it with
// all that it had in memory.
//
//   node examples/express-checkpoint.js [DIRECTORY [PORT]]
//   curl -X POST localhost:3000/carts/ann/tea
//   curl localhost:3000/carts/ann
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Criu, spawnCheckpointable } from 'node-criu';

const [directory = 'checkpoint', port = '3000'] = process.argv.slice(2);
const images = join(directory, 'images');
const app = fileURLToPath(new URL('express-app.js', import.meta.url));
// Clients connect again after a restore; to keep connections, use tcpEstablished instead.
const options = { tcpClose: true };
const criu = new Criu();

await mkdir(directory, { recursive: true, mode: 0o700 });
// A dump that failed leaves only its log.
const isFrozen = existsSync(join(images, 'inventory.img'));
const server = isFrozen ? await restore() : await start();
process.once('SIGINT', freeze);
process.once('SIGTERM', freeze);

async function start() {
  // Node 20 needs the flag to be restored on processors with memory protection keys.
  const flags = process.versions.node.startsWith('20.') ? ['--no-wasm-memory-protection-keys'] : [];
  const program = await spawnCheckpointable(process.execPath, [...flags, app, port]);
  console.log(`started process ${program.pid}`);
  program.exited.then(() => console.log('the app has ended'));
  return program;
}

async function restore() {
  const restored = await criu.restore({ imagesDirectory: images, ...options });
  console.log(`restored process ${restored.pid}`);
  restored.exited.then(() => console.log('the app has ended'));
  return restored;
}

async function freeze() {
  // The images of the last restart stay until the new ones are complete.
  const overwrite = true;
  const { stats } = await criu.dump(server.pid, { imagesDirectory: images, overwrite, ...options });
  console.log(`frozen: ${(stats.bytesWritten / 2 ** 20).toFixed(1)} MiB of memory`);
}
