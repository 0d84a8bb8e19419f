// Moves a live server to another host while a client keeps one connection to it, and prints the timeline
// and the longest gap between two answers to the client. With --write-docs it redraws docs/migrate.svg.
//
// usage: npm run demo:migrate [-- MODE [MIB]] [--write-docs]
import { setTimeout as sleep } from 'node:timers/promises';
import { CriuError } from 'node-criu';
import { Lab } from '../../test/lab/hosts.mjs';
import { migrateIt, startScene } from '../../test/lab/migration.mjs';
import { printTimeline } from './timeline.mjs';

const given = process.argv.slice(2);
const writesDocs = given.includes('--write-docs');
const [mode, heap = '64'] = given.filter((arg) => arg !== '--write-docs');
const say = (text) => console.log(text);

const lab = await Lab.start();
try {
  await demo();
} catch (error) {
  console.error(error instanceof CriuError ? `${error.message} (${error.code})` : error);
  process.exitCode = 1;
} finally {
  await lab.close();
}

async function demo() {
  say('two hosts, a and b, and a client, each in namespaces of its own, on one bridge');
  const scene = await startScene(lab, { heap: Number(heap), hot: 1, worker: true, child: true });
  say(`process ${scene.pid} on a serves ${lab.serviceAddress} with ${heap} MiB; the client counts`);
  await sleep(500);
  const { result, phases } = await migrateIt(lab, scene, mode === undefined ? {} : { mode });
  await scene.client.answersOn();
  await sleep(500);
  const report = await scene.client.ask('stop');
  await checked(scene, report);

  say(`process ${result.pid} on b serves it now\n`);
  printTimeline({ result, phases, report });
  if (writesDocs) {
    const { record } = await import('../pictures/draw.mjs');
    record('migrate', numbers(result.mode, phases, report));
  }
}

/** The data of the picture, in milliseconds since the start of the migration. */
function numbers(mode, phases, report) {
  const start = phases[0][1];
  const end = phases.at(-1)[1] - start;
  return {
    mode,
    phases: phases.map(([phase, at], index) => ({
      phase,
      startMs: at - start,
      endMs: (phases[index + 1]?.[1] ?? at) - start,
    })),
    gaps: report.timeline
      .map(([at, gap]) => ({ endMs: Math.round(at - start), gapMs: Number(gap.toFixed(1)) }))
      .filter(({ endMs }) => endMs > -0.2 * end && endMs < 1.3 * end),
  };
}

/** Checks that the client got each number once and in order, on one connection, and that the memory is right. */
async function checked(scene, { faults, connections }) {
  if (faults.length > 0 || connections !== 1) {
    throw new Error(`the client saw ${JSON.stringify({ faults, connections })}`);
  }
  const { ok, wrong } = await scene.client.ask('get', { path: '/verify' });
  if (!ok) throw new Error(`the memory is not as it was written: ${wrong.slice(0, 5).join(', ')}`);
}
