import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Client } from '../../../operations/client.ts';
import { locate } from '../../../worker/endpoint.ts';
import { SERVE } from '../serve-options.ts';

/** How long an answer holds, in milliseconds: each check writes a file. */
const FRESH_MS = 1000;

interface Subject {
  /** The directory of the journals. */
  readonly directory: string;
  readonly client: Client;
  readonly isDraining: () => boolean;
}

/** Tells whether a server can take migrations, by what it needs for each of them. */
export class Readiness {
  readonly #subject: Subject;
  #last: { readonly at: number; readonly obstacles: Promise<string[]> } | undefined;

  constructor(subject: Subject) {
    this.#subject = subject;
  }

  /** Why the server cannot take migrations now, one phrase for each reason; empty if it can. */
  async obstacles(): Promise<string[]> {
    const draining = this.#subject.isDraining() ? ['the server accepts no more migrations'] : [];
    if (!this.#last || performance.now() - this.#last.at >= FRESH_MS) {
      this.#last = { at: performance.now(), obstacles: this.#check() };
    }
    return [...draining, ...(await this.#last.obstacles)];
  }

  async #check(): Promise<string[]> {
    const { directory, client } = this.#subject;
    const problems = await Promise.all([
      problemOf('journals cannot be written', writeProbe(directory)),
      problemOf('criu cannot be started', locate(SERVE, { path: client.path })),
    ]);
    return problems.flat();
  }
}

/** Writes a file as large as a line of a journal. */
async function writeProbe(directory: string): Promise<void> {
  const path = join(directory, '.probe');
  try {
    await writeFile(path, Buffer.alloc(4096), { mode: 0o600 });
  } finally {
    await rm(path, { force: true });
  }
}

async function problemOf(what: string, check: Promise<unknown>): Promise<string[]> {
  return await check.then(
    () => [],
    ({ message }: Error) => [`${what}: ${message.replace(`${SERVE}: `, '')}`],
  );
}
