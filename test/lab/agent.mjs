// Uses the library in a host, and does the tasks that its parent sends.
//
// usage: agent.mjs CRIU, forked: receives { id, task, options }, answers { id, result } or { id, error };
// calls its parent with { call, name, details }, and receives { call, result } or { call, error }.
import { readFileSync } from 'node:fs';
import { containerDestination, openContainer, restoreContainer } from '../../dist/containers.js';
import {
  CheckpointStore,
  Criu,
  migrate,
  resolveMigration,
  serveMigrations,
  spawnCheckpointable,
} from '../../dist/index.js';

const criu = new Criu({ path: process.argv[2] });
const path = process.argv[2];
const programs = new Map();
let server;
let migration;
const calls = new Map();
let made = 0;

/** Makes the parent do something, and waits for the result. */
function call(name, details) {
  return new Promise((resolve, reject) => {
    const id = ++made;
    calls.set(id, { resolve, reject });
    process.send({ call: id, name, details });
  });
}

/** Hooks by their names: each calls the parent, which may delay it or make it fail. */
function hooks(names = []) {
  return Object.fromEntries(names.map((name) => [name, () => call(name)]));
}

const tasks = {
  version: async () => (await criu.version()).number,
  /** Starts a program; resolves with its pid. */
  async start({ file, args, ...options }) {
    const program = await spawnCheckpointable(file, args, options);
    programs.set(program.pid, program);
    return program.pid;
  },
  /** Resolves when a program that was started or restored here has exited. */
  exited: ({ pid }) => programs.get(pid).exited,
  async dump({ pid, hooks: names, ...options }) {
    return measurements(await criu.dump(pid, { ...options, hooks: hooks(names) }));
  },
  async restore({ hooks: names, ...options }) {
    const restored = await criu.restore({ ...options, hooks: hooks(names) });
    programs.set(restored.pid, restored);
    return { pid: restored.pid, ...measurements(restored) };
  },
  /** Receives the pages of one dump; resolves with the port. */
  pageServer: async (options) => (await criu.pageServer(options)).port,
  /** The processor time that this process has taken, in milliseconds. */
  async processorTime() {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  },
  /** Accepts migrations; resolves with the port. */
  async serve(options) {
    server = await serveMigrations({ path, ...options });
    return server.port;
  },
  /** Accepts migrations of containers; resolves with the port. */
  async serveContainers({ directory, place, ...options }) {
    server = await criu.serveMigrations({
      ...options,
      ...containerDestination({ directory, place }),
    });
    return server.port;
  },
  migrations: () => server.migrations,
  closeServer: () => server.close(),
  /**
   * Calls 'phase' of the parent, and sends it each 'event'. Without `addresses`, it also calls 'switchOver'
   * and 'switchBack'.
   */
  async migrate({ pid, ...options }) {
    migration = migrate(pid, {
      path,
      ...options,
      ...(!options.addresses && hooks(['switchOver', 'switchBack'])),
      hooks: { phase: (phase) => call('phase', phase) },
    });
    for await (const event of migration) call('event', event);
    return await migration.result;
  },
  /** Migrates a container of runc; calls its parent as `migrate` does. */
  async migrateContainer({ id, ...options }) {
    const container = await openContainer(criu, id);
    migration = await container.migrate({
      ...options,
      ...hooks(['switchOver', 'switchBack']),
      hooks: { phase: (phase) => call('phase', phase) },
    });
    for await (const event of migration) call('event', event);
    return await migration.result;
  },
  /** Dumps a container of runc into a store, and ends it; resolves with the id of the checkpoint. */
  async checkpointContainer({ id, store, ...options }) {
    const container = await openContainer(criu, id);
    return (await new CheckpointStore(store, { criu }).checkpoint(container, options)).id;
  },
  /** Restores it; resolves with its pid. */
  async restoreContainer({ checkpoint, store, ...options }) {
    return await new CheckpointStore(store, { criu }).use(
      checkpoint,
      async ({ directory: imagesDirectory }) => {
        const restored = await restoreContainer(criu, { ...options, imagesDirectory });
        return restored.container.pid;
      },
    );
  },
  /** Finishes a migration of a container whose agent has died. */
  async resolveContainer({ id, directory, ...options }) {
    const container = await openContainer(criu, id);
    const [migration] = await criu.unresolvedMigrations({ directory });
    const switchBack = () => container.reconnect();
    return await criu.resolveMigration(migration, { ...options, directory, switchBack });
  },
  cancel: () => migration.cancel(),
  resolve: ({ id, hooks: names, ...options }) =>
    resolveMigration(id, { ...options, ...hooks(names) }),
  kill: ({ pid, signal }) => void process.kill(pid, signal),
  /** Whether there is a process with this pid here that is no zombie. */
  isAlive({ pid }) {
    try {
      return !/^State:\s*[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
    } catch {
      return false;
    }
  },
};

function measurements({ durationMs, stats }) {
  return { durationMs, stats };
}

function facts(error) {
  const { name, code, message, errno, workload, pid, exit, cancelled, leftovers, syscall } = error;
  const log = error.log && { errors: error.log.errors };
  return { name, code, message, errno, workload, pid, exit, cancelled, leftovers, syscall, log };
}

process.on('message', async ({ id, task, options, call: answered, result, error }) => {
  if (answered !== undefined) {
    const { resolve, reject } = calls.get(answered);
    calls.delete(answered);
    return error ? reject(new Error(error.message)) : resolve(result);
  }
  try {
    process.send({ id, result: await tasks[task](options ?? {}) });
  } catch (cause) {
    process.send({ id, error: facts(cause) });
  }
});
process.on('disconnect', () => process.exit());
process.send({ ready: process.pid });
