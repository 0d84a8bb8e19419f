// Bundles scripts/sim/library.mjs into build/, from where the library finds its addon.
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const build = await rolldown({
  input: fileURLToPath(new URL('library.mjs', import.meta.url)),
  platform: 'node',
  external: (id) => !/^[./]/.test(id),
  onLog(level, { message }) {
    if (level === 'warn') throw new Error(message);
  },
});
await build.write({
  ...{ file: fileURLToPath(new URL('../../build/simulation.mjs', import.meta.url)) },
  ...{ format: 'esm', codeSplitting: false },
});
