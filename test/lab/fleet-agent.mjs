// The agent of a fleet in a host, which does the tasks that its parent sends.
//
// usage: fleet-agent.mjs CRIU, forked: receives { id, task, options }, answers { id, result } or { id, error }.
import { Fleet } from '../../dist/fleet.js';
import { Criu } from '../../dist/index.js';

const criu = new Criu({ path: process.argv[2] });
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
  register: (spec) => member.register(spec),
  warnings: () => warnings,
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
