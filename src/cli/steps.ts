import type { Hooks } from '../index.ts';
import type { Output } from './output.ts';

/** The meaning of CRIU's notifications. */
const meanings: Readonly<Record<string, string>> = {
  'pre-dump': 'the dump begins',
  'network-lock': 'CRIU locks the network',
  'query-ext-files': 'the processes are frozen',
  'post-dump': 'the images are complete',
  'network-unlock': 'CRIU unlocks the network',
  'pre-restore': 'the restore begins',
  'setup-namespaces': 'the first process exists',
  'post-setup-namespaces': 'the namespaces exist',
  'post-restore': 'all processes exist and do not run yet',
  'pre-resume': 'the processes are about to run',
  'post-resume': 'the processes run',
  'status-ready': 'the lazy page server is ready',
};

/** Hooks that report each of CRIU's notifications. */
export function stepHooks(output: Output): Hooks {
  const start = performance.now();
  return {
    onNotify({ script, pid }) {
      const atMs = Math.round((performance.now() - start) * 10) / 10;
      output.step(
        { step: script, atMs, pid },
        `${script}: ${meanings[script] ?? 'a step of CRIU'}`,
      );
    },
  };
}
