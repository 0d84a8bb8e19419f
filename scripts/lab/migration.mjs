// A migration in the laboratory: the server on host a, the client that measures, and the way to b.
import { join } from 'node:path';
import { certificates } from './certificates.mjs';
import { startAgent, startClient, startServer } from './programs.mjs';

/** What a dump of the server needs: its client's connection, and no lock that the hosts lack. */
export const DUMP = { tcpEstablished: true, networkLock: 'nftables' };

/** Starts agents, the server and the client; resolves when answers come. */
export async function startScene(lab, options) {
  const [here, there] = await Promise.all([startAgent(lab.a), startAgent(lab.b)]);
  const tls = certificates(lab.directory, [lab.a, lab.b]);
  const pid = await startServer(lab, here, options);
  const client = await startClient(lab);
  await client.measure();
  return { here, there, tls, pid, client };
}

/** Moves the server from a to b; resolves with the result and with when each phase began. */
export async function migrateIt(lab, { here, there, tls, pid }, options = {}) {
  const port = await there.ask('serve', {
    listen: { host: lab.b.address, port: 0 },
    tls: tls.b,
    directory: join(lab.directory, 'b'),
  });
  const phases = [];
  here.on('phase', (phase) => void phases.push([phase, Date.now()]));
  here.on('event', () => {});
  here.on('switchOver', () => lab.moveService(lab.a, lab.b));
  here.on('switchBack', () => lab.moveService(lab.b, lab.a));
  const result = await here.ask('migrate', {
    pid,
    to: { host: lab.b.address, port },
    tls: tls.a,
    directory: join(lab.directory, 'a'),
    dump: DUMP,
    ...options,
  });
  return { result, phases };
}
