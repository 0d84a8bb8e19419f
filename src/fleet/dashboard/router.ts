import type { IncomingMessage, ServerResponse } from 'node:http';
import { atMost } from '../../concurrency/deadline.ts';
import { EXPOSITION_TYPE } from '../../migration/destination/monitoring/exposition.ts';
import { fleetMetrics } from '../metrics/fleet-metrics.ts';
import { MoveTotals } from '../metrics/move-totals.ts';
import type { FleetPlan } from '../plan.ts';
import type { Access } from './access.ts';
import type { Asset } from './assets.ts';
import type { Feed } from './feed.ts';
import type { QueueBoard } from './queue-board.ts';
import { sendJson, sendText, setHeaders } from './respond.ts';
import { stepRows } from './rows.ts';
import type { DashboardSource } from './source.ts';

/** Pages that may read events at once. */
const MAX_READERS = 100;
/** How long the fleet may take for an answer. */
const ANSWER_MS = 10_000;

interface Parts {
  readonly source: DashboardSource;
  readonly access: Access;
  readonly assets: ReadonlyMap<string, Asset>;
  readonly feed: Feed;
  /** Undefined if bull-board is not installed, or there are no queues. */
  readonly board: QueueBoard | undefined;
}

/** Answers requests. Nothing that it answers changes the fleet. */
export class Router {
  readonly #parts: Parts;
  readonly #totals = new MoveTotals();

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Answers a request, and never throws. */
  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      setHeaders(response);
      await this.#route(request, response);
    } catch (error) {
      if (response.headersSent) response.destroy();
      else sendText(response, 503, error instanceof Error ? error.message : String(error));
    }
  }

  async #route(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { access, assets, board } = this.#parts;
    if (!access.isForThisHost(request)) {
      sendText(response, 421, 'this name of the host is not among the names of the dashboard');
      return;
    }
    const { method } = request;
    const url = new URL(request.url?.replace(/^\/+/, '/') ?? '/', 'http://dashboard');
    if (method === 'POST' && url.pathname === '/session') {
      this.#beginSession(request, response);
      return;
    }
    if (method !== 'GET' && method !== 'HEAD') {
      sendText(response.setHeader('allow', 'GET, HEAD'), 405, 'the dashboard only shows');
      return;
    }
    const asset = assets.get(url.pathname);
    if (asset) response.writeHead(200, { 'content-type': asset.type }).end(asset.content);
    else if (!access.isAllowed(request)) refuse(request, response);
    else if (board?.has(url.pathname)) await board.answer(url, response);
    else await this.#answerData(url, request, response);
  }

  /** Gives the cookie to whoever has the token. */
  #beginSession(request: IncomingMessage, response: ServerResponse): void {
    const { access } = this.#parts;
    // A proxy or a browser may reuse the connection, whose body nobody reads.
    request.resume();
    if (!access.hasToken(request)) sendText(response, 401, 'the token is wrong');
    else response.writeHead(204, { 'set-cookie': access.cookie }).end();
  }

  async #answerData(
    { pathname, searchParams }: URL,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const { source, feed, board } = this.#parts;
    if (pathname === '/session') {
      const plans = [
        source.planDrain && 'drain',
        source.planMove && 'move',
        source.planRebalance && 'rebalance',
      ].filter(Boolean);
      sendJson(response, 200, { name: source.name, hasQueues: board !== undefined, plans });
    } else if (pathname === '/events') {
      this.#sendEvents(request, response);
    } else if (pathname === '/operation') {
      await this.#sendOperation(searchParams.get('id') ?? '', response);
    } else if (pathname === '/plan') {
      await this.#sendPlan(searchParams, response);
    } else if (pathname === '/metrics') {
      const { view, operations } = await atMost(ANSWER_MS, feed.latest());
      const text = fleetMetrics(view, operations, this.#totals);
      response.writeHead(200, { 'content-type': EXPOSITION_TYPE }).end(text);
    } else if (pathname === '/queues') {
      const packages =
        'bull-board is shown here if @bull-board/api and @bull-board/ui are installed';
      sendText(response, 404, `${packages}, and the fleet gives its queues`);
    } else {
      sendText(response, 404, 'not found');
    }
  }

  #sendEvents(request: IncomingMessage, response: ServerResponse): void {
    const { feed } = this.#parts;
    if (feed.readers >= MAX_READERS) {
      sendText(response, 503, `${MAX_READERS} pages are open already`);
      return;
    }
    response.writeHead(200, { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' });
    if (request.method === 'HEAD') response.end();
    else feed.subscribe(response, request.headers['last-event-id']);
  }

  /** Makes a plan, which changes nothing. */
  async #sendPlan(params: URLSearchParams, response: ServerResponse): Promise<void> {
    const { source } = this.#parts;
    const [host, workload] = [params.get('drain'), params.get('move')];
    let planning: Promise<FleetPlan> | undefined;
    if (host !== null) planning = source.planDrain?.(host);
    else if (workload !== null) planning = source.planMove?.(workload);
    else if (params.has('rebalance')) planning = source.planRebalance?.();
    if (planning) sendJson(response, 200, await atMost(ANSWER_MS, planning));
    else sendText(response, 404, 'the fleet makes no such plan here');
  }

  async #sendOperation(id: string, response: ServerResponse): Promise<void> {
    const { feed, source } = this.#parts;
    const { operations } = await atMost(ANSWER_MS, feed.latest());
    const operation = operations.find((one) => one.id === id);
    if (!operation) {
      sendText(response, 404, 'the fleet knows no such operation any more');
      return;
    }
    const plan = await atMost(ANSWER_MS, Promise.resolve(source.plan?.(id)));
    sendJson(response, 200, { steps: stepRows(operation), plan });
  }
}

/** A browser is sent to the page, which asks for the token. */
function refuse({ headers: { accept = '' } }: IncomingMessage, response: ServerResponse): void {
  if (accept.includes('text/html')) {
    response.writeHead(303, { location: '/' }).end();
    return;
  }
  sendText(response.setHeader('www-authenticate', 'Bearer'), 401, 'the token is missing');
}
