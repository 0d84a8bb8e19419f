import { closeSync, existsSync, openSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { listensOn } from '../launch/checkpointable-process.ts';
import { namespacePath } from '../procfs/namespaces.ts';
import { getUrl } from './http-probe.ts';
import type { TemplateReadiness, TemplateWarmUp } from './template-options.ts';
import type { TemplateProgram } from './template-program.ts';

const POLL_MS = 10;
/** How long one request may take that asks whether the program is ready, in milliseconds. */
const PROBE_MS = 2000;
const DEFAULT_REQUESTS = 10;

/** What is waited for, for an error: `it answered http://127.0.0.1:8080/`. */
export function describeSign({ url, port, line, file }: TemplateReadiness): string {
  if (url !== undefined) return `it answered ${url}`;
  if (port !== undefined) return `it listened on port ${port}`;
  if (line !== undefined) return `it wrote a line with ${JSON.stringify(line)}`;
  return `it made the file ${file}`;
}

/** Waits until the program gives the sign. @throws the reason of the signal */
export async function awaitSign(
  program: TemplateProgram,
  sign: TemplateReadiness,
  signal: AbortSignal,
): Promise<void> {
  while (!(await isGiven(program, sign, signal))) {
    await sleep(POLL_MS, undefined, { signal });
  }
}

async function isGiven(
  program: TemplateProgram,
  { url, port, line, file }: TemplateReadiness,
  signal: AbortSignal,
): Promise<boolean> {
  if (url !== undefined) return await answers(program.pid, url, signal);
  if (port !== undefined) return await listensOn(program.pid, port);
  if (line !== undefined) return await program.output.hasLine(line);
  return existsSync(`/proc/${program.pid}/root${file}`);
}

async function answers(pid: number, url: string, signal: AbortSignal): Promise<boolean> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(PROBE_MS)]);
  const status = await inNetwork(pid, (netns) => getUrl(url, netns, limit)).catch(() => 500);
  signal.throwIfAborted();
  return status < 400;
}

/** Sends the requests of a warm-up. @throws an error of the system, or one that says what was answered */
export async function warmUp(
  program: TemplateProgram,
  { url, requests = DEFAULT_REQUESTS }: TemplateWarmUp,
  signal: AbortSignal,
): Promise<void> {
  await inNetwork(program.pid, async (netns) => {
    for (let sent = 0; sent < requests; sent++) {
      const status = await getUrl(url, netns, signal);
      if (status >= 400) throw new Error(`${url} was answered with status ${status}`);
    }
  });
}

async function inNetwork<T>(pid: number, use: (netns: number) => Promise<T>): Promise<T> {
  const netns = openSync(namespacePath(pid, 'net'), 'r');
  try {
    return await use(netns);
  } finally {
    closeSync(netns);
  }
}
