import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { CopyOptions, Template, TemplateCopy, TemplateOptions } from '../../src/index.ts';
import { nodeOptions } from './node-versions.ts';
import { client, temporaryDirectory } from './workload.ts';

/** The port that the server of a template listens on. */
export const TEMPLATE_PORT = 18_080;

const server = join(import.meta.dirname, '../fixtures/copied-server.mjs');

/** What a server of test/fixtures/copied-server.mjs says. */
export interface Answer {
  readonly requests: number;
  readonly started: number;
  readonly pid: number;
  readonly ppid: number;
  readonly args: readonly string[];
  readonly tenant: string | null;
}

/** Makes a template of that server. */
export async function serverTemplate(options: Partial<TemplateOptions> = {}): Promise<Template> {
  const imagesDirectory = join(await temporaryDirectory(), 'images');
  const ready = options.env?.GUEST === 'asks' ? undefined : { port: TEMPLATE_PORT };
  return await client().template(
    process.execPath,
    [...nodeOptions(), server, String(TEMPLATE_PORT)],
    { imagesDirectory, ...(ready && { ready }), ...options },
  );
}

/** Starts a copy, which is ended after the test. */
export async function startCopy(template: Template, options?: CopyOptions): Promise<TemplateCopy> {
  const copy = await template.start(options);
  onTestFinished(() => copy.close());
  return copy;
}

/** Asks the server of a copy. */
export async function ask(port: number | undefined, path = '/'): Promise<Answer> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`);
  return (await response.json()) as Answer;
}

/** Asks the server of a copy on its first published port. */
export async function askCopy({ published }: TemplateCopy, path?: string): Promise<Answer> {
  return await ask(published[0]?.port, path);
}

/** All that a stream says until it ends. */
export async function textOf(stream: AsyncIterable<Buffer> | undefined): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream ?? []) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}
