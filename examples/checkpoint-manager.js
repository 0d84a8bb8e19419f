// The checkpoint manager of a service: takes checkpoints while the service runs, keeps the newest few, and
// restores the newest complete one when the service crashes.
//
//   node examples/checkpoint-manager.js DIRECTORY PROGRAM [ARGUMENTS...]
//
// The environment variables INTERVAL_MS and KEEP set the interval and the number of checkpoints to keep.
import { existsSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Criu, spawnCheckpointable, verifyImages } from 'node-criu';

class CheckpointManager {
  #criu;
  #directory;
  #keep;
  #options;

  constructor(criu, directory, { keep = 3, ...options } = {}) {
    this.#criu = criu;
    this.#directory = directory;
    this.#keep = keep;
    this.#options = options;
  }

  /** Takes a checkpoint of a process tree, which runs on. */
  async take(pid) {
    // A name that sorts by time.
    const name = new Date().toISOString();
    const { stats } = await this.#criu.dump(pid, {
      ...this.#options,
      imagesDirectory: join(this.#directory, name),
      leaveRunning: true,
    });
    const oldest = (await this.list()).slice(0, this.#keep).at(-1);
    for (const each of await readdir(this.#directory)) {
      if (each < oldest) await rm(join(this.#directory, each), { recursive: true });
    }
    return { name, frozenTimeMs: stats.frozenTimeMs };
  }

  /** The names of the checkpoints, newest first. A dump that failed has left only its log. */
  async list() {
    const names = await readdir(this.#directory).catch(() => []);
    const isComplete = (name) => existsSync(join(this.#directory, name, 'inventory.img'));
    return names.filter(isComplete).sort().reverse();
  }

  /** Restores the newest checkpoint that is complete; undefined if there is none. */
  async restore() {
    for (const name of await this.list()) {
      const imagesDirectory = join(this.#directory, name);
      const findings = await verifyImages(imagesDirectory);
      for (const { message } of findings) console.error(message);
      if (findings.length > 0) continue;
      const restored = await this.#criu.restore({
        ...this.#options,
        imagesDirectory,
        asChild: true,
      });
      return { name, restored };
    }
    return undefined;
  }
}

const [directory, file, ...args] = process.argv.slice(2);
const { INTERVAL_MS = '60000', KEEP = '3' } = process.env;
const manager = new CheckpointManager(new Criu(), directory, {
  keep: Number(KEEP),
  tcpEstablished: true,
});

let service = await spawnCheckpointable(file, args);
console.log(`started process ${service.pid}`);
for (;;) {
  const status = await supervise();
  if (status.code === 0) break;
  const found = await manager.restore();
  if (!found)
    throw new Error(`the service has crashed, and there is no checkpoint in ${directory}`);
  service = found.restored;
  console.log(`restored process ${service.pid} from ${found.name}`);
}

/** Takes checkpoints until the service ends; resolves with its exit status. */
async function supervise() {
  const ended = service.exited;
  for (;;) {
    const interval = new AbortController();
    const elapsed = sleep(Number(INTERVAL_MS), undefined, { signal: interval.signal }).catch(
      () => {},
    );
    const status = await Promise.race([ended, elapsed]);
    interval.abort();
    if (status) return status;
    try {
      const { name, frozenTimeMs } = await manager.take(service.pid);
      console.log(`checkpoint ${name}: frozen for ${frozenTimeMs} ms`);
    } catch (error) {
      // The service runs on; the next attempt may succeed.
      console.error(error.message);
    }
  }
}
