import { readFile } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { extname, join, sep } from 'node:path';
import { QUEUES_POLICY, sendJson, sendText } from './respond.ts';

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.ico': 'image/x-icon',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.png': 'image/png',
  '.svg': 'image/svg+xml',
};

/** A request, as the handlers of bull-board take it. */
interface BoardRequest {
  readonly queues: unknown;
  readonly uiConfig: object;
  readonly query: Readonly<Record<string, string>>;
  readonly params: Readonly<Record<string, string>>;
  readonly body: object;
  readonly headers: object;
}

interface BoardAnswer {
  readonly status?: number;
  readonly body?: unknown;
}

interface ApiRoute {
  readonly method: string | readonly string[];
  readonly route: string | readonly string[];
  readonly handler: (request: BoardRequest) => Promise<BoardAnswer> | BoardAnswer;
}

interface EntryRoute {
  readonly route: string | readonly string[];
  readonly handler: (request: { readonly basePath: string; readonly uiConfig: object }) => {
    readonly name: string;
    readonly params: Readonly<Record<string, string>>;
  };
}

type ErrorHandler = (error: Error) => BoardAnswer;

/**
 * What bull-board calls a server adapter: it puts its routes and its page on a server. This one takes the routes that
 * read, and its page loads nothing from elsewhere.
 */
export class BoardAdapter {
  readonly #prefix: string;
  #views = '';
  #static = '';
  #queues: unknown;
  #uiConfig: object = {};
  #entry: EntryRoute | undefined;
  #routes: readonly ApiRoute[] = [];
  #onError: ErrorHandler = () => ({ status: 500, body: {} });

  /** @param prefix the path of the page, without a slash at the end */
  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /** Called by bull-board: the queues by name, a map that it changes. */
  setQueues(queues: unknown): this {
    this.#queues = queues;
    return this;
  }

  /** Called by bull-board: the directory of the template of the page. */
  setViewsPath(path: string): this {
    this.#views = path;
    return this;
  }

  /** Called by bull-board: the directory of the files of the page. */
  setStaticPath(_route: string, path: string): this {
    this.#static = path;
    return this;
  }

  /** Called by bull-board: settings of the page. */
  setUIConfig(config: object): this {
    this.#uiConfig = config;
    return this;
  }

  /** Called by bull-board: the paths of the page. */
  setEntryRoute(route: EntryRoute): this {
    this.#entry = route;
    return this;
  }

  /** Called by bull-board: what turns an error into an answer. */
  setErrorHandler(handler: ErrorHandler): this {
    this.#onError = handler;
    return this;
  }

  /** Called by bull-board: its interface, of which those that change something are left out. */
  setApiRoutes(routes: readonly ApiRoute[]): this {
    this.#routes = routes.filter(({ method }) => [method].flat().includes('get'));
    return this;
  }

  /** Answers a request to read. */
  async answer(path: string, query: URLSearchParams, response: ServerResponse): Promise<void> {
    response.setHeader('content-security-policy', QUEUES_POLICY);
    const entry = this.#entry;
    if (path.startsWith('/static/')) await this.#sendFile(path.slice('/static'.length), response);
    else if (path.startsWith('/api/')) await this.#callApi(path, query, response);
    else if (entry && paramsOf(entry.route, path)) await this.#sendPage(entry, response);
    else sendText(response, 404, 'not found');
  }

  async #sendFile(path: string, response: ServerResponse): Promise<void> {
    const file = join(this.#static, path);
    const content =
      file.startsWith(this.#static + sep) && !path.includes('\0')
        ? await readFile(file).catch(() => undefined)
        : undefined;
    const type = TYPES[extname(file)];
    if (!content || !type) sendText(response, 404, 'not found');
    else response.writeHead(200, { 'content-type': type }).end(content);
  }

  async #callApi(path: string, query: URLSearchParams, response: ServerResponse): Promise<void> {
    for (const { route, handler } of this.#routes) {
      const params = paramsOf(route, path);
      if (!params) continue;
      const request = {
        ...{ queues: this.#queues, uiConfig: this.#uiConfig, body: {}, headers: {} },
        ...{ params, query: Object.fromEntries(query) },
      };
      const answer = await Promise.resolve(request)
        .then(handler)
        .catch((error: Error) => this.#onError(error));
      sendJson(response, answer.status ?? 200, answer.body ?? {});
      return;
    }
    sendText(response, 404, 'not found');
  }

  async #sendPage({ handler }: EntryRoute, response: ServerResponse): Promise<void> {
    const { name, params } = handler({ basePath: this.#prefix, uiConfig: this.#uiConfig });
    const template = await readFile(join(this.#views, name), 'utf8');
    const page = template
      .replace(/<link [^>]*href="https?:[^>]*>/g, '')
      .replace(/<%([-=])\s*(\w+)\s*%>/g, (_, kind: string, key: string) => {
        const text = params[key] ?? '';
        return kind === '-' ? text : escaped(text);
      });
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' }).end(page);
  }
}

/** The parameters in a path, if it is that of a route, such as `/queue/:queueName`. */
function paramsOf(
  route: string | readonly string[],
  path: string,
): Record<string, string> | undefined {
  for (const each of [route].flat()) {
    const names = each.split('/');
    const parts = path.split('/');
    if (names.length !== parts.length) continue;
    const params: Record<string, string> = {};
    const matches = names.every((name, index) => {
      const part = parts[index] ?? '';
      if (!name.startsWith(':')) return name === part;
      params[name.slice(1)] = decoded(part);
      return part !== '';
    });
    if (matches) return params;
  }
  return undefined;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
