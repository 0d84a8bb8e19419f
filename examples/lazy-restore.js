// Restores a process tree before its memory is loaded: it runs at once and gets its pages on demand.
// This program has to run until all pages have arrived.
//
//   node examples/lazy-restore.js DIRECTORY
import { Criu } from 'node-criu';

const [imagesDirectory] = process.argv.slice(2);
const criu = new Criu();
const { restored, pagesDone } = await criu.lazyRestore({
  imagesDirectory,
  tcpEstablished: true,
});
console.log(`process ${restored.pid} runs`);

// Rejects if the memory cannot be loaded; the processes are killed then.
const { pages, bytes, durationMs } = await pagesDone;
console.log(`${pages} pages, ${bytes} bytes, loaded in ${durationMs.toFixed(0)} ms`);
await criu.close();
