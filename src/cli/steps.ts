import type { Hooks } from '../index.ts';
import type { Output } from './output.ts';

/** What CRIU's steps mean. */
const meanings: Readonly<Record<string, string>> = {
  'pre-dump': 'the dump begins',
  'network-lock': 'the network is being locked',
  'query-ext-files': 'the processes are frozen',
  'post-dump': 'the images are complete',
  'network-unlock': 'the network is being unlocked',
  'pre-restore': 'the restore begins',
  'setup-namespaces': 'the first process is there',
  'post-setup-namespaces': 'the namespaces are there',
  'post-restore': 'all processes are there, and do not run yet',
  'pre-resume': 'the processes are about to run',
  'post-resume': 'the processes run',
  'status-ready': 'the lazy page server is ready',
};

/** Hooks that tell of each of CRIU's steps. */
export function tellingSteps(output: Output): Hooks {
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
