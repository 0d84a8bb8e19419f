const TABLES = ['hosts', 'workloads', 'operations', 'steps'];

/** What is known of the fleet. Rows are replaced, never changed, so that what is derived from one can be kept with it. */
export class Store extends EventTarget {
  name = '';
  hosts = new Map();
  workloads = new Map();
  operations = new Map();
  steps = new Map();
  /** By host: how many workloads it has, and how many moves to it and from it are under way. */
  usage = new Map();
  isEmpty = true;
  #samples = new Map();

  /** Takes all rows. */
  replace({ name, ...tables }) {
    this.name = name;
    this.isEmpty = false;
    for (const table of TABLES) {
      this[table] = new Map(tables[table].map((row) => [row.key, row]));
    }
    this.#derive();
  }

  /** Takes the rows that have changed. */
  change(tables) {
    for (const [table, { put, drop }] of Object.entries(tables)) {
      if (!TABLES.includes(table)) continue;
      for (const key of drop) this[table].delete(key);
      for (const row of put) this[table].set(row.key, row);
    }
    this.#derive();
  }

  /** Bytes per second that a step has sent lately; undefined if it is not under way. */
  rate(step) {
    return step.state === 'active' ? this.#samples.get(step.key)?.rate : undefined;
  }

  #derive() {
    this.usage = new Map();
    for (const { host, state } of this.workloads.values()) {
      if (state !== 'ended') this.#use(host).workloads++;
    }
    for (const { state, from, to } of this.steps.values()) {
      if (state !== 'active') continue;
      this.#use(to).incoming++;
      if (from !== undefined) this.#use(from).outgoing++;
    }
    this.#measure();
    this.dispatchEvent(new Event('change'));
  }

  #use(host) {
    const known = this.usage.get(host);
    if (known) return known;
    const usage = { workloads: 0, incoming: 0, outgoing: 0 };
    this.usage.set(host, usage);
    return usage;
  }

  #measure() {
    const now = performance.now();
    const samples = new Map();
    for (const { key, bytes, state } of this.steps.values()) {
      if (state !== 'active') continue;
      const before = this.#samples.get(key);
      const seconds = (now - (before?.at ?? now)) / 1000;
      // A shorter time says little.
      if (before && (seconds < 0.5 || bytes < before.bytes)) {
        samples.set(key, bytes < before.bytes ? { at: now, bytes } : before);
        continue;
      }
      const rate = before && (bytes - before.bytes) / seconds;
      const smooth = before?.rate === undefined ? rate : before.rate * 0.5 + rate * 0.5;
      samples.set(key, { at: now, bytes, rate: smooth });
    }
    this.#samples = samples;
  }
}
