import { randomBytes } from 'node:crypto';
import { type Rows, TABLES, type Tables } from './rows.ts';

/** Changes that are kept for readers that come back or are slow; others are sent everything. */
const MAX_CHANGES = 60;
const MAX_CHANGE_LENGTH = 2 ** 22;

/** One message to the page: the text of an event, with its id. */
interface Change {
  readonly version: number;
  readonly text: string;
}

/** The present rows, and how they have changed of late. */
export class ChangeLog {
  /** Makes ids differ from those of an earlier dashboard, whose readers come back to this one. */
  readonly #epoch = randomBytes(6).toString('base64url');
  readonly #name: string;
  #tables: Tables | undefined;
  #version = 0;
  #changes: Change[] = [];
  #everything: string | undefined;

  /** @param name the name of the fleet */
  constructor(name: string) {
    this.#name = name;
  }

  /** The number of the last change; 0 before there are rows. */
  get version(): number {
    return this.#version;
  }

  /** Takes what the rows are now. */
  update(tables: Tables): void {
    const before = this.#tables;
    const parts = before
      ? TABLES.flatMap((name) => difference(name, before[name], tables[name]))
      : [];
    if (before && parts.length === 0) return;
    this.#tables = tables;
    this.#everything = undefined;
    this.#version++;
    if (!before) return;
    const text = this.#event('change', `{${parts.join(',')}}`);
    this.#changes.push({ version: this.#version, text });
    let length = this.#changes.reduce((sum, each) => sum + each.text.length, 0);
    while (this.#changes.length > MAX_CHANGES || length > MAX_CHANGE_LENGTH) {
      length -= this.#changes.shift()?.text.length ?? 0;
    }
  }

  /** The version in the id of the last event that a reader has got; 0 if it is not one of this dashboard. */
  versionOf(id: unknown): number {
    const [epoch, version] = typeof id === 'string' ? id.split('.', 2) : [];
    const number = epoch === this.#epoch ? Number(version) : 0;
    return Number.isInteger(number) && number <= this.#version ? number : 0;
  }

  /** The events that bring a reader from a version to the present one: the changes, or everything. */
  since(version: number): string {
    if (version === this.#version || !this.#tables) return '';
    const changes = this.#changes.filter((change) => change.version > version);
    const isComplete = version > 0 && changes.length === this.#version - version;
    return isComplete ? changes.map(({ text }) => text).join('') : this.#all(this.#tables);
  }

  #all(tables: Tables): string {
    if (this.#everything !== undefined) return this.#everything;
    const lists = TABLES.map((name) => `"${name}":[${[...tables[name].values()].join(',')}]`);
    const json = `{"name":${JSON.stringify(this.#name)},${lists.join(',')}}`;
    this.#everything = this.#event('everything', json);
    return this.#everything;
  }

  /** An event. JSON has no line breaks. */
  #event(name: string, json: string): string {
    return `id: ${this.#epoch}.${this.#version}\nevent: ${name}\ndata: ${json}\n\n`;
  }
}

/** The rows that are new or different, and the keys of those that are gone, as a property in JSON. */
function difference(name: string, before: Rows, now: Rows): string[] {
  const put = [...now].filter(([key, row]) => before.get(key) !== row).map(([, row]) => row);
  const drop = [...before.keys()].filter((key) => !now.has(key)).map((key) => JSON.stringify(key));
  if (put.length === 0 && drop.length === 0) return [];
  return [`"${name}":{"put":[${put.join(',')}],"drop":[${drop.join(',')}]}`];
}
