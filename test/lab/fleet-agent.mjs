// The agent of a fleet in a host, which does the tasks that its parent sends.
//
// usage: fleet-agent.mjs CRIU, forked: receives { id, task, options }, answers { id, result } or { id, error }.
import { existsSync } from 'node:fs';
import { Fleet } from '../../dist/fleet.js';
import { Criu } from '../../dist/index.js';

/** Dies when a migration from this host, or to it, is as far as the parent has said. */
class MortalCriu extends Criu {
  migrate(pid, { hooks, ...options }) {
    const phase = async (name) => {
      await hooks.phase(name);
      dieAt(`source ${name}`);
    };
    return super.migrate(pid, { ...options, hooks: { ...hooks, phase } });
  }

  serveMigrations({ hooks, ...options }) {
    const changed = ({ state }) => dieAt(`destination ${state}`);
    return super.serveMigrations({ ...options, hooks: { ...hooks, changed } });
  }
}

let end;
function dieAt(point) {
  if (point === end) process.kill(process.pid, 'SIGKILL');
}

const criu = new MortalCriu({ path: process.argv[2] });
let fleet;
let member;
const warnings = [];

const tasks = {
  async join({ redis, fleet: fleetName, ...options }) {
    fleet = await Fleet.connect({ redis, name: fleetName });
    const warning = ({ message }) => void warnings.push(message);
    member = await fleet.join({ ...options, criu, hooks: { warning } });
    return member.endpoint;
  },
  /** Gives an order as an operator. */
  async order({ redis, name, operator, method, target }) {
    fleet = await Fleet.connect({ redis, name, operator });
    await fleet[method](target);
  },
  register: (spec) => member.register(spec),
  /** The agent kills itself at this point. */
  dieAt({ point }) {
    end = point;
  },
  warnings: () => warnings,
  /** Does nothing until a file exists: neither heartbeats nor orders. */
  hang({ until }) {
    while (!existsSync(until)) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
  },
  async leave() {
    await member.close();
    await fleet.close();
  },
};

process.on('message', async ({ id, task, options }) => {
  try {
    process.send({ id, result: await tasks[task](options ?? {}) });
  } catch ({ code, message }) {
    process.send({ id, error: { code, message } });
  }
});
process.on('disconnect', () => process.exit());
process.send({ ready: process.pid });
