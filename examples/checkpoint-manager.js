// The checkpoint manager of a service: takes checkpoints while the service runs, keeps the newest few, and
// restores the newest one that is whole when the service crashes.
//
//   node examples/checkpoint-manager.js DIRECTORY PROGRAM [ARGUMENTS...]
import { setTimeout as sleep } from 'node:timers/promises';
import { CheckpointStore, spawnCheckpointable } from 'node-criu';

const [directory, file, ...args] = process.argv.slice(2);
const { INTERVAL_MS = '60000', KEEP = '3' } = process.env;
const store = new CheckpointStore(directory);
let service = await spawnCheckpointable(file, args);
for (let status; status?.code !== 0; ) {
  status = await Promise.race([
    service.exited,
    sleep(Number(INTERVAL_MS), undefined, { ref: false }),
  ]);
  if (!status) {
    const options = { name: 'service', leaveRunning: true, tcpEstablished: true };
    // A checkpoint that fails leaves the service running; the next one may succeed.
    await store.checkpoint(service.pid, options).then(({ id }) => console.log(id), console.error);
    await store.prune({ keepLast: Number(KEEP) });
  } else if (status.code !== 0) {
    const { id } = (await store.latest('service')) ?? {};
    service = await store.restore(id, { asChild: true });
    console.log(`restored process ${service.pid} from ${id}`);
  }
}
