// Moves a container of runc to another host while a client keeps one connection to the server in it, and prints the
// timeline, what runc says on both hosts, and the longest gap between two answers to the client.
//
// usage: npm run demo:containers [-- MODE [MIB]]
import { setTimeout as sleep } from 'node:timers/promises';
import { CriuError } from 'node-criu';
import {
  listContainers,
  migrateContainer,
  removeCgroups,
  startContainerScene,
} from '../../test/lab/containers.mjs';
import { Lab } from '../../test/lab/hosts.mjs';
import { printTimeline } from './timeline.mjs';

const [mode, heap = '64'] = process.argv.slice(2);
const say = (text) => console.log(text);

const lab = await Lab.start();
try {
  await demo();
} catch (error) {
  console.error(error instanceof CriuError ? `${error.message} (${error.code})` : error);
  process.exitCode = 1;
} finally {
  await lab.close();
  await removeCgroups(lab.directory);
}

async function demo() {
  say('two hosts, a and b, and a client, each in namespaces of its own');
  const scene = await startContainerScene(lab, { heap: Number(heap), hot: 1, worker: true });
  say(`runc on a runs the container ${scene.id} with a network of its own; the client counts`);
  await showContainers();
  await sleep(500);
  const options = mode === undefined ? {} : { mode };
  const { result, phases } = await migrateContainer(lab, scene, options);
  await scene.client.answersOn();
  await sleep(500);
  const report = await scene.client.ask('stop');
  await checked(scene, report);

  say('\nthe container runs on b now');
  await showContainers();
  say('');
  printTimeline({ result, phases, report });
}

async function showContainers() {
  for (const host of [lab.a, lab.b]) {
    const all = await listContainers(host);
    const texts = all.map(({ id, pid, status }) => `${id} (${status}, pid ${pid})`);
    say(`  runc list on ${host.name}: ${texts.join(', ') || 'no container'}`);
  }
}

/** Checks that the client got each number once and in order, on one connection, and that the memory is right. */
async function checked(scene, { faults, connections }) {
  if (faults.length > 0 || connections !== 1) {
    throw new Error(`the client saw ${JSON.stringify({ faults, connections })}`);
  }
  const { ok, wrong } = await scene.client.ask('get', { path: '/verify' });
  if (!ok) throw new Error(`the memory is not as it was written: ${wrong.slice(0, 5).join(', ')}`);
}
