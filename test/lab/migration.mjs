// A migration in the laboratory: the server on host a, the client that measures, and the way to b.
import { join } from 'node:path';
import { certificates } from './certificates.mjs';
import { startAgent, startClient, startServer } from './programs.mjs';

/** What a dump of the server needs: its client's connection, and no lock that the hosts lack. */
export const DUMP = { tcpEstablished: true, networkLock: 'nftables' };

/** Starts agents, the server and the client; resolves when answers come. */
export async function startScene(lab, { patient, ...options } = {}) {
  const [here, there] = await Promise.all([startAgent(lab.a), startAgent(lab.b)]);
  const tls = certificates(lab.directory, [lab.a, lab.b]);
  const pid = await startServer(lab, here, options);
  const client = await startClient(lab);
  await client.measure({ patient });
  return { here, there, agents: { a: here, b: there }, tls, pid, client };
}

/** Moves the server from one host to the other; resolves with the result and with when each phase began. */
export async function migrateIt(
  lab,
  { agents, tls, pid },
  { hooks, ...options } = {},
  { from, to } = { from: lab.a, to: lab.b },
) {
  const [here, there] = [agents[from.name], agents[to.name]];
  const port = await there.ask('serve', {
    listen: { host: to.address, port: 0 },
    tls: tls[to.name],
    directory: join(lab.directory, to.name),
  });
  const phases = [];
  here.on('phase', async (phase) => {
    phases.push([phase, Date.now()]);
    await hooks?.phase?.(phase);
  });
  here.on('event', () => {});
  here.on('switchOver', () => lab.moveService(from, to));
  here.on('switchBack', () => lab.moveService(to, from));
  const result = await here.ask('migrate', {
    pid,
    to: { host: to.address, port },
    tls: tls[from.name],
    directory: join(lab.directory, from.name),
    dump: DUMP,
    ...options,
  });
  return { result, phases };
}
