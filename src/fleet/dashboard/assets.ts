import { readFile } from 'node:fs/promises';
import { extname } from 'node:path';

/** A file of the page. */
export interface Asset {
  readonly type: string;
  readonly content: Buffer;
}

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** The files of the page, by the paths of their URLs. Nothing in them is secret. */
const FILES = [
  ...['index.html', 'icon.svg', 'style.css', 'theme.js', 'main.js', 'connection.js', 'store.js'],
  ...['tabs.js', 'table.js', 'views.js', 'details.js', 'summary.js', 'format.js', 'elements.js'],
  ...['parts.js', 'plan.js'],
];

/** Reads the files of the page. They are beside this module, and beside the bundle that has it. */
export async function readAssets(): Promise<ReadonlyMap<string, Asset>> {
  const assets = FILES.map(async (name): Promise<[string, Asset]> => {
    const content = await readFile(new URL(`fleet-page/${name}`, import.meta.url));
    const type = TYPES[extname(name)] as string;
    return [name === 'index.html' ? '/' : `/${name}`, { type, content }];
  });
  return new Map(await Promise.all(assets));
}
