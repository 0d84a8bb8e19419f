import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { builtins } from '../../../builtins.ts';
import { EXPOSITION_TYPE, exposition, type Metric } from './exposition.ts';

/** Anyone who reaches the port may ask. */
const MAX_CONNECTIONS = 16;
const REQUEST_MS = 5000;

/** What the port reports. */
interface Monitored {
  /** Why the server cannot take migrations now; empty if it can. */
  obstacles(): Promise<string[]>;
  metrics(isReady: boolean): readonly Metric[];
}

/** An HTTP port for monitoring: `/healthz`, `/readyz` and `/metrics`. */
export class MonitoringPort {
  readonly #server: Server;

  static async listen(host: string, port: number, monitored: Monitored): Promise<MonitoringPort> {
    const limits = { headersTimeout: REQUEST_MS, requestTimeout: REQUEST_MS, keepAlive: false };
    const server = builtins.http.createServer(limits, (request, response) => {
      answer(request, response, monitored).catch(() => response.destroy());
    });
    server.maxConnections = MAX_CONNECTIONS;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(port, host, resolve);
    });
    // accept() may fail for want of descriptors; the server goes on.
    server.on('error', () => {});
    return new MonitoringPort(server);
  }

  private constructor(server: Server) {
    this.#server = server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

async function answer(
  { method, url }: IncomingMessage,
  response: ServerResponse,
  monitored: Monitored,
): Promise<void> {
  const send = (status: number, body: string, type = 'text/plain; charset=utf-8') =>
    response.writeHead(status, { 'content-type': type, connection: 'close' }).end(body);
  if (method !== 'GET' && method !== 'HEAD') return void send(405, 'only GET and HEAD\n');
  const path = url?.split('?', 1)[0];
  if (path === '/healthz') return void send(200, 'ok\n');
  if (path !== '/readyz' && path !== '/metrics') return void send(404, 'not found\n');
  const obstacles = await monitored.obstacles();
  const isReady = obstacles.length === 0;
  if (path === '/metrics') send(200, exposition(monitored.metrics(isReady)), EXPOSITION_TYPE);
  else if (isReady) send(200, 'ready\n');
  else send(503, `${obstacles.join('\n')}\n`);
}
