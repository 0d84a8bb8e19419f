import { startTimeOf } from '../../process/start-time.ts';

export { startTimeOf };

/** This process, as a journal names it. */
export function thisAgent(): string {
  return `${process.pid} ${startTimeOf(process.pid)}`;
}

/** Whether a process that a journal names is there. */
export function isAgentAlive(agent: string | undefined): boolean {
  const [pid = '', startTime] = agent?.split(' ') ?? [];
  return startTime !== undefined && startTimeOf(Number(pid)) === startTime;
}
