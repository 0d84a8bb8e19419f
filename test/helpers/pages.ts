import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import GithubSlugger from 'github-slugger';

export const root = resolve(import.meta.dirname, '../..');

/** A page of the documentation. */
export interface Page {
  /** Its path in the checkout. */
  readonly path: string;
  readonly text: string;
}

/** A fenced code block. */
export interface CodeBlock {
  /** The page and the line, as `docs/command.md:12`. */
  readonly place: string;
  readonly language: string;
  readonly code: string;
}

/** All pages: those of the root, of docs/ and of examples/, but for the report of the API. */
export async function pages(): Promise<Page[]> {
  const directories = await Promise.all(
    ['.', 'docs', 'examples'].map(async (directory) =>
      (await readdir(join(root, directory))).map((name) => join(directory, name)),
    ),
  );
  const paths = directories.flat().filter((path) => /(?<!\.api)\.md$/.test(path));
  return await Promise.all(
    paths.map(async (path) => ({ path, text: await readFile(join(root, path), 'utf8') })),
  );
}

/** The code blocks of a page that are in one of the languages. */
export function codeBlocks({ path, text }: Page, languages: readonly string[]): CodeBlock[] {
  return [...text.matchAll(/^```(\w+)\n(.*?)^```$/gms)]
    .map(({ 1: language = '', 2: code = '', index }) => ({
      place: `${path}:${text.slice(0, index).split('\n').length}`,
      language,
      code,
    }))
    .filter(({ language }) => languages.includes(language));
}

/** The targets of a page's links and pictures. */
export function linksOf({ text }: Page): string[] {
  return [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
}

/** The anchors that the headings of a page have on the forge. */
export function anchorsOf({ text }: Page): Set<string> {
  const slugger = new GithubSlugger();
  const headings = withoutFences(text).matchAll(/^#{1,6} (.*)$/gm);
  return new Set([...headings].map(([, heading = '']) => slugger.slug(heading)));
}

function withoutFences(text: string): string {
  return text.replace(/^```.*?^```$/gms, '');
}

function withoutCode(text: string): string {
  return withoutFences(text).replace(/`[^`\n]*`/g, '');
}
