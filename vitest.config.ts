import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { sandboxPool } from './test/sandbox-pool.ts';

// Namespaces need root; without it the tests that need none still run.
const pool = process.getuid?.() === 0 ? sandboxPool() : 'forks';

/** Tests the built library: each file with tests loads it, and that takes a tenth of the time for the modules of src/. */
const useBuilt = {
  alias: ['index', 'containers', 'fleet'].map((name) => ({
    find: new RegExp(`^.*/src/${name}\\.ts$`),
    replacement: fileURLToPath(new URL(`dist/${name}.js`, import.meta.url)),
  })),
};

export default defineConfig({
  test: {
    // An emulated processor takes minutes to transform all modules, so scripts/test-vm.sh does it beforehand.
    experimental: { fsModuleCache: true, fsModuleCachePath: '.cache/modules' },
    maxWorkers: 3,
    coverage: {
      provider: 'v8',
      include: ['src/**/*.ts'],
      exclude: ['src/generated/**'],
      reporter: ['text-summary', 'html', 'json-summary'],
      reportsDirectory: '.cache/coverage',
      reportOnFailure: true,
    },
    projects: [
      {
        // The workers load the library once, not for each file: that is most of what these files cost.
        test: {
          ...{ name: 'unit', pool, isolate: false },
          ...{ include: ['test/unit/**/*.test.ts'], testTimeout: 60_000, hookTimeout: 60_000 },
        },
      },
      {
        // Real criu on real processes; the limits turn a hang into a failure.
        ...(process.env.TEST_BUILT === '1' && { resolve: useBuilt }),
        test: {
          name: 'criu',
          // Node loads the built library itself. Vitest would map the stack of each error of gRPC to its source
          // when it is made, which takes as long as loading it and blocks the event loop of a migration.
          server: { deps: { external: [/\/dist\//] } },
          pool,
          globalSetup: 'test/large-pipes.ts',
          include: ['test/criu/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        // The packed files, as a user installs them and as other platforms load them.
        test: {
          name: 'package',
          include: ['test/package/**/*.test.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        // Real criu on a kernel that tracks changed memory, which may be on an emulated processor. There
        // loading the library takes ten seconds, so the tests use the built one, and each worker loads it once.
        resolve: useBuilt,
        test: {
          name: 'vm',
          isolate: false,
          globalSetup: 'test/large-pipes.ts',
          include: ['test/vm/**/*.test.ts'],
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
});
