// Accepts live migrations until Ctrl-C ends it. Process trees that have arrived keep running.
//
//   node-criu cert init lab && node-criu cert host lab target 192.0.2.2
//   node examples/migration-destination.js 192.0.2.2 7007 DIRECTORY lab/ca.pem lab/target.pem lab/target.key
//
// Without certificates it works on a loopback address, for experiments only.
import { serveMigrations } from 'node-criu';

const [host, port, directory, ca, cert, key] = process.argv.slice(2);
const server = await serveMigrations({
  listen: { host, port: Number(port) },
  directory,
  ...(ca ? { tls: { ca, cert, key } } : { insecure: true }),
  // Accepts every source with a certificate of the authority; decide here by the program or the peer.
  authorize: ({ program }, { name, address }) => {
    console.log(`${program} comes from ${name || address}`);
    return true;
  },
});
console.log(`listening on ${server.host}:${server.port}`);

process.once('SIGINT', () => server.close());
process.once('SIGTERM', () => server.close());
