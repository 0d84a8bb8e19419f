// Writes rooms.json, with which `npm run lint` checks that a room of src/ imports only from the
// rooms below it. With --check, fails if the file is not what the list below gives.
import { readFileSync, writeFileSync } from 'node:fs';

/** The rooms from bottom to top: directories, and files of src/ that stand alone. */
const rooms = [
  ...[
    'protobuf',
    'generated',
    'finding.ts',
    'errors.ts',
    'builtins.ts',
    'package-root.ts',
    'native',
  ],
  ...[
    'diagnostics.ts',
    'procfs',
    'netlink',
    'concurrency',
    'guest',
    'process',
    'options',
    'protocol',
  ],
  ...['worker', 'failure', 'cleanup', 'images', 'launch', 'preflight', 'operations', 'postcopy'],
  ...['stream', 'precopy', 'migration/protocol', 'migration/journal', 'migration/destination'],
  ...['migration/source', 'copies', 'criu.ts', 'store', 'short-forms.ts', 'index.ts', 'images.ts'],
  ...['containers', 'containers.ts', 'guest.ts', 'report', 'report.ts', 'fleet', 'fleet.ts', 'cli'],
];
const message = 'A room imports only from the rooms below it; scripts/rooms.mjs has their order.';

const isFile = (room) => room.endsWith('.ts');

/** The import specifiers, as gitignore patterns, that lead from one room to another. */
function patterns(from, to) {
  const depth = from.split('/').length - (isFile(from) ? 1 : 0);
  const up = depth === 0 ? './' : '../'.repeat(depth);
  const inner = isFile(from) ? [] : ['../'.repeat(depth + 1)];
  const tops = [up, ...inner];
  const paths = tops.map((top) => `${top}${to}${isFile(to) ? '' : '/**'}`);
  // A sibling, as migration/source is of migration/journal.
  const parent = from.includes('/') && from.slice(0, from.indexOf('/') + 1);
  if (parent && to.startsWith(parent)) paths.push(`../${to.slice(parent.length)}/**`);
  return paths;
}

const overrides = rooms.slice(0, -1).map((room, index) => ({
  includes: [`src/${room}${isFile(room) ? '' : '/**'}`],
  linter: {
    rules: {
      style: {
        noRestrictedImports: {
          level: 'error',
          options: {
            patterns: [
              { group: rooms.slice(index + 1).flatMap((above) => patterns(room, above)), message },
            ],
          },
        },
      },
    },
  },
}));

const file = new URL('rooms.json', import.meta.url);
const text = `${JSON.stringify({ overrides: overrides.slice(1) }, null, 1)}\n`;
if (!process.argv.includes('--check')) writeFileSync(file, text);
else if (readFileSync(file, 'utf8') !== text) {
  console.error('scripts/rooms.json is stale; run: node scripts/rooms.mjs');
  process.exitCode = 1;
}
