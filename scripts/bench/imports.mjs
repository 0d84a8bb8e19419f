// What it costs to import a library: how much longer the interpreter runs, and how much larger it gets,
// than without.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

const library = new URL('../../dist/index.js', import.meta.url).href;
const nodeSize = 'console.log(process.resourceUsage().maxRSS)';
const pythonSize = 'import resource; print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)';

/** By measure and library, so many paired differences: times in ms, sizes in MiB. */
export async function importCosts(rounds, [python, pythonEnv]) {
  const node = (code) => [process.execPath, '--input-type=module', '-e', code + nodeSize];
  const pairs = {
    'node-criu': [node(`import ${JSON.stringify(library)};`), node('')],
    pycriu: [
      [python, '-c', `import pycriu; ${pythonSize}`],
      [python, '-c', pythonSize],
    ],
  };
  const costs = { import: {}, 'import, memory': {} };
  for (const name of Object.keys(pairs)) for (const of of Object.values(costs)) of[name] = [];
  for (let round = 0; round <= rounds; round++) {
    for (const [name, [whole, bare]] of Object.entries(pairs)) {
      const [one, other] = [await run(whole, pythonEnv), await run(bare, pythonEnv)];
      if (round === 0) continue;
      costs.import[name].push(one.ms - other.ms);
      costs['import, memory'][name].push(one.mib - other.mib);
    }
  }
  return costs;
}

async function run([file, ...args], env) {
  const start = performance.now();
  const child = spawn(file, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  });
  const said = text(child.stdout);
  const [code] = await once(child, 'exit');
  const ms = performance.now() - start;
  if (code !== 0) throw new Error(`${file} ${args.join(' ')} has failed`);
  return { ms, mib: Number(await said) / 1024 };
}
