import type { Hooks } from '../index.ts';
import type { Output } from './output.ts';

/** What happens from each of CRIU's notifications on. */
const meanings: Readonly<Record<string, string>> = {
  'pre-stream': 'opening the stream',
  'pre-dump': 'freezing the processes',
  'network-lock': 'blocking their connections',
  'query-ext-files': 'writing the images',
  'post-dump': 'the images are complete',
  'network-unlock': 'unblocking their connections',
  'pre-restore': 'creating the processes',
  'setup-namespaces': 'creating their namespaces',
  'post-setup-namespaces': 'restoring files and memory',
  'post-restore': 'all processes are restored',
  'pre-resume': 'resuming the processes',
  'post-resume': 'the processes run',
  'status-ready': 'the lazy page server is ready',
};

/** Hooks that report each of CRIU's notifications. */
export function stepHooks(output: Output): Hooks {
  const start = performance.now();
  return {
    onNotify({ script, pid }) {
      const atMs = Math.round((performance.now() - start) * 10) / 10;
      output.step({ step: script, atMs, pid }, meanings[script] ?? `CRIU is at ${script}`);
    },
  };
}
