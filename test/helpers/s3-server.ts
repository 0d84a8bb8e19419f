import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** Storage that speaks as much of S3 as an upload in parts and a download need. */
export interface S3Server {
  readonly url: string;
  /** The objects, by `/BUCKET/KEY`. */
  readonly objects: ReadonlyMap<string, Buffer>;
  /** How many parts are stored before it refuses more; by default all. */
  maxParts: number;
}

/** Starts a server that ends with the test. */
export async function startS3(): Promise<S3Server> {
  const objects = new Map<string, Buffer>();
  const parts = new Map<number, Buffer>();
  const storage = { objects, maxParts: Number.POSITIVE_INFINITY };
  const answer = (request: IncomingMessage, body: Buffer): [number, string | Buffer] => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://localhost');
    const part = searchParams.get('partNumber');
    switch (request.method) {
      case 'POST':
        if (searchParams.has('uploads'))
          return [200, xml('InitiateMultipartUploadResult', 'UploadId')];
        objects.set(
          pathname,
          Buffer.concat([...parts].sort(([a], [b]) => a - b).map(([, bytes]) => bytes)),
        );
        return [200, xml('CompleteMultipartUploadResult', 'ETag')];
      case 'PUT':
        if (part === null) objects.set(pathname, body);
        else if (Number(part) > storage.maxParts) return [403, xml('Error', 'Code')];
        else parts.set(Number(part), body);
        return [200, ''];
      case 'DELETE':
        parts.clear();
        return [204, ''];
      default:
        return objects.has(pathname) ? [200, objects.get(pathname) as Buffer] : [404, ''];
    }
  };
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) chunks.push(chunk);
    } catch {
      // The client has given up, which it does with the other parts once one was refused.
      return;
    }
    const [status, content] = answer(request, Buffer.concat(chunks));
    response.writeHead(status, { etag: '"1"', 'content-type': 'application/xml' }).end(content);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return Object.assign(storage, { url });
}

const xml = (root: string, field: string) => `<${root}><${field}>1</${field}></${root}>`;
