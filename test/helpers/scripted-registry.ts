import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** A registry of images in memory, which can be told to answer in other ways. */
export interface ScriptedRegistry {
  /** `127.0.0.1:PORT`. */
  readonly address: string;
  readonly blobs: Map<string, Buffer>;
  readonly manifests: Map<string, { type: string; content: Buffer }>;
  /** `METHOD /path`, and the authorization that came with it. */
  readonly requests: { readonly line: string; readonly authorization: string | undefined }[];
  /** Answers a request instead; returns whether it has. */
  intercept: (request: IncomingMessage, response: ServerResponse) => boolean;
}

/** Starts a registry on the loopback, until the test is finished. */
export async function startScriptedRegistry(): Promise<ScriptedRegistry> {
  const server = createServer(async (request, response) => {
    const { method = '', url = '', headers } = request;
    registry.requests.push({ line: `${method} ${url}`, authorization: headers.authorization });
    if (registry.intercept(request, response)) return;
    const parts: Buffer[] = [];
    for await (const chunk of request) parts.push(chunk as Buffer);
    answer(registry, request, Buffer.concat(parts), response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const registry: ScriptedRegistry = {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    ...{ blobs: new Map(), manifests: new Map(), requests: [], intercept: () => false },
  };
  return registry;
}

let upload: Buffer = Buffer.alloc(0);

/** What the OCI distribution specification says. */
function answer(
  { blobs, manifests }: ScriptedRegistry,
  { method, url = '', headers }: IncomingMessage,
  body: Buffer,
  response: ServerResponse,
): void {
  const { pathname, searchParams } = new URL(url, 'http://registry');
  const last = pathname.split('/').at(-1) ?? '';
  const content = pathname.includes('/manifests/')
    ? manifests.get(last)
    : { type: 'application/octet-stream', content: blobs.get(last) };
  const upload_ = { location: `${pathname.replace(/uploads\/.*/, 'uploads/1')}?state=secret` };
  if (method === 'POST') {
    response.writeHead(202, upload_).end();
  } else if (method === 'PATCH') {
    upload = body;
    response.writeHead(202, upload_).end();
  } else if (method === 'PUT' && pathname.includes('/uploads/')) {
    blobs.set(searchParams.get('digest') ?? '', upload);
    response.writeHead(201).end();
  } else if (method === 'PUT') {
    const manifest = { type: headers['content-type'] ?? '', content: body };
    manifests.set(last, manifest);
    manifests.set(`sha256:${createHash('sha256').update(body).digest('hex')}`, manifest);
    response.writeHead(201).end();
  } else if (content?.content === undefined) {
    response.writeHead(404).end('{"errors":[{"code":"NAME_UNKNOWN"}]}');
  } else {
    response.writeHead(200, { 'content-type': content.type }).end(content.content);
  }
}
