// Moves a process tree to a host where migration-destination.js runs.
//
//   node-criu cert host lab source 192.0.2.1
//   node examples/migration-source.js PID 192.0.2.2 7007 DIRECTORY lab/ca.pem lab/source.pem lab/source.key
import { CriuError, migrate, resolveMigration, unresolvedMigrations } from 'node-criu';

const [pid, host, port, directory, ca, cert, key] = process.argv.slice(2);
const trust = ca ? { tls: { ca, cert, key } } : { insecure: true };

// First finish the migrations of an earlier run of this program that was killed.
for (const id of await unresolvedMigrations({ directory })) {
  const { owner } = await resolveMigration(id, { ...trust, directory });
  console.log(`migration ${id}: the ${owner} has the processes`);
}

const migration = migrate(Number(pid), {
  to: { host, port: Number(port) },
  ...trust,
  directory,
  dump: { tcpEstablished: true },
  // For connections to stay open, move the address of the service here, and back if it fails.
  switchOver: () => console.log('neither copy runs: move the address now'),
  switchBack: () => console.log('it failed: move the address back'),
});
process.once('SIGINT', () => migration.cancel());

let last;
for await (const { phase, mode } of migration) {
  if (phase !== last) console.log(phase, mode ?? '');
  last = phase;
}
try {
  const result = await migration.result;
  console.log(
    `process ${result.pid} runs there; nothing ran for ${result.downtimeMs.toFixed(0)} ms`,
  );
} catch (error) {
  if (!(error instanceof CriuError)) throw error;
  console.error(`${error.message} (${error.code}); the original: ${error.workload}`);
  process.exitCode = 1;
}
