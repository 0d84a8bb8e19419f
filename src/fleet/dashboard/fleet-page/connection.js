import { byId } from './elements.js';
import { clock } from './format.js';

/** The server sends its time at least this often. */
const SILENT_MS = 16_000;
const AGAIN_MS = 2000;

/** The events of the dashboard, and what is told of the connection. */
export class Connection {
  #store;
  #onSession;
  #events;
  #heard = 0;
  #trouble;

  constructor(store, onSession) {
    this.#store = store;
    this.#onSession = onSession;
    byId('sign-in').addEventListener('submit', (event) => {
      event.preventDefault();
      const { value } = byId('token');
      byId('token').value = '';
      void this.#begin(tokenIn(value) ?? value.trim());
    });
    addEventListener('hashchange', () => this.begin());
    setInterval(() => this.#watch(), 1000);
  }

  /** Connects, with the token in the address of the page if there is one. */
  begin() {
    const token = tokenIn(location.hash);
    if (token !== undefined) history.replaceState(null, '', location.pathname);
    else if (this.#events) return;
    void this.#begin(token);
  }

  async #begin(token) {
    try {
      if (token !== undefined) await this.#exchange(token);
      const answer = await fetch('session');
      if (answer.status === 401) return this.#askForToken();
      if (!answer.ok) throw new Error(await answer.text());
      this.#onSession(await answer.json());
      byId('sign-in').hidden = true;
      this.#listen();
    } catch {
      this.#tell('offline', 'no connection');
      setTimeout(() => this.#begin(), AGAIN_MS);
    }
  }

  /** Exchanges the token for a cookie. */
  async #exchange(token) {
    const headers = { authorization: `Bearer ${encodeURIComponent(token)}` };
    const { ok } = await fetch('session', { method: 'POST', headers });
    byId('refused').textContent = ok ? '' : 'The token is wrong, or of another dashboard.';
  }

  #askForToken() {
    this.#events?.close();
    this.#events = undefined;
    byId('content').hidden = true;
    byId('sign-in').hidden = false;
    byId('token').focus();
    this.#tell('offline', 'signed out');
  }

  #listen() {
    this.#events?.close();
    const events = new EventSource('events');
    this.#events = events;
    this.#heard = Date.now();
    const on = (name, take) =>
      events.addEventListener(name, ({ data }) => {
        this.#heard = Date.now();
        take(JSON.parse(data));
      });
    on('everything', (tables) => this.#store.replace(tables));
    on('change', (tables) => this.#store.change(tables));
    on('status', ({ at, trouble }) => {
      clock.offset = at - Date.now();
      this.#trouble = trouble;
      this.#watch();
    });
    events.addEventListener('error', () => {
      this.#watch();
      // An answer that is not a stream: the dashboard has another token, or enough readers.
      if (events.readyState !== EventSource.CLOSED || events !== this.#events) return;
      this.#events = undefined;
      setTimeout(() => this.#begin(), AGAIN_MS);
    });
  }

  #watch() {
    if (!this.#events) return;
    const silent = Date.now() - this.#heard;
    const trouble = byId('trouble');
    trouble.hidden = this.#trouble === undefined;
    trouble.textContent = this.#trouble ?? '';
    if (this.#events.readyState !== EventSource.OPEN) this.#tell('offline', 'reconnecting');
    else if (silent > SILENT_MS) {
      this.#tell('offline', `no news for ${Math.round(silent / 1000)} s`);
    } else if (this.#trouble !== undefined) this.#tell('offline', 'not up to date');
    else this.#tell('live', 'live');
  }

  #tell(state, text) {
    const live = byId('live');
    if (live.dataset.state === state && live.textContent === text) return;
    live.dataset.state = state;
    live.textContent = text;
  }
}

function tokenIn(text) {
  return /#token=([^&\s]+)/.exec(text)?.[1];
}
