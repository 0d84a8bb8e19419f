// Dumps a process tree with a short freeze: copies its memory in rounds while it runs, then dumps the rest.
//
//   node examples/iterative-dump.js PID DIRECTORY
//   node-criu restore -D DIRECTORY/LAST
import { Criu, CriuError, preCopy } from 'node-criu';

const [pid, imagesDirectory] = process.argv.slice(2);
const criu = new Criu();
try {
  const iteration = await criu.iterate(Number(pid), { imagesDirectory, tcpEstablished: true });
  try {
    for await (const { index, stats } of preCopy(iteration, { maxDowntimeMs: 50, maxRounds: 6 })) {
      console.log(
        `round ${index}: ${mib(stats.bytesWritten)}, frozen for ${stats.frozenTimeMs} ms`,
      );
    }
    const { directory, stats, preCopy: summary } = await iteration.dump();
    console.log(`dump: ${mib(stats.bytesWritten)}, frozen for ${stats.frozenTimeMs} ms`);
    console.log(`the rounds ended because of ${summary?.reason}`);
    console.log(`restore it from ${directory}`);
  } finally {
    // Without a dump the processes run on.
    await iteration.close();
  }
} catch (error) {
  if (!(error instanceof CriuError)) throw error;
  console.error(`${error.message} (${error.code})`);
  process.exitCode = 1;
}

function mib(bytes) {
  return `${(bytes / 2 ** 20).toFixed(1)} MiB`;
}
