import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { buildLibrary } from '../../helpers/built.ts';
import { startCopy } from '../../helpers/copies.ts';
import { nodeOptions, nodePath } from '../../helpers/node-versions.ts';
import { client, temporaryDirectory } from '../../helpers/workload.ts';

beforeAll(buildLibrary);

const fixture = join(import.meta.dirname, '../../fixtures/clustered-app.mjs');
const PORT = 18_095;

/** What the app says. */
interface Answer {
  readonly tenant: string;
  readonly answer: string;
  readonly id: string;
  readonly random: number;
}

/** A server outside of the copies. It keeps connections for longer than the test. */
async function otherServer(): Promise<string> {
  const server = createServer({ keepAliveTimeout: 60_000 }, (_request, response) =>
    response.end('hello'),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
}

describe.each([20, 26] as const)('Node %i', (major) => {
  test('an express app in a cluster, with idle connections of fetch and http, is copied', async () => {
    const args = [...nodeOptions(major), fixture, String(PORT), await otherServer()];
    const template = await client().template(nodePath(major), args, {
      imagesDirectory: join(await temporaryDirectory(), 'images'),
      ready: { port: PORT },
    });
    const answers: Answer[] = [];
    for (const tenant of ['blue', 'green']) {
      // One after the other: both listen on the same port of this host.
      const copy = await startCopy(template, { env: { TENANT: tenant } });
      for (let times = 0; times < 2; times++) {
        const response = await fetch(`http://127.0.0.1:${PORT}/`);
        answers.push((await response.json()) as Answer);
      }
      await copy.close();
    }
    expect(answers).toMatchObject(
      ['blue', 'blue', 'green', 'green'].map((tenant) => ({ tenant, answer: 'hello' })),
    );
    expect(new Set(answers.flatMap(({ id, random }) => [id, random])).size).toBe(8);
  });
});
