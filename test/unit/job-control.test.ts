import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import { JobControl } from '../../src/cli/job-control.ts';
import type { RestoredProcess } from '../../src/index.ts';
import { processState, startProgram, waitFor } from '../helpers/workload.ts';

test('a command that is continued does not stop again because of a child that stopped before', async () => {
  const { pid, ended } = await startProgram('sleep', ['1000']);
  process.kill(pid, 'SIGSTOP');
  await waitFor(async () => (await processState(pid)) === 'T', 'the child has stopped');
  const sent: (readonly [number, unknown])[] = [];
  const kill = vi.spyOn(process, 'kill').mockImplementation((target, signal) => {
    sent.push([target, signal]);
    return true;
  });
  onTestFinished(() => kill.mockRestore());
  using _control = new JobControl({ pid } as RestoredProcess);
  expect(sent).toEqual([[0, 'SIGTSTP']]);
  // The child stopped while the command was stopped, and another thread got the SIGCONT.
  process.emit('SIGCHLD', 'SIGCHLD');
  await nextTurn();
  expect(sent).toHaveLength(1);
  process.emit('SIGCONT', 'SIGCONT');
  expect(sent.at(-1)).toEqual([-pid, 'SIGCONT']);
  // The child has not continued: it counts as one that has stopped again.
  process.emit('SIGCHLD', 'SIGCHLD');
  await nextTurn();
  expect(sent.at(-1)).toEqual([0, 'SIGTSTP']);
  kill.mockRestore();
  process.kill(pid, 'SIGKILL');
  await ended;
});
