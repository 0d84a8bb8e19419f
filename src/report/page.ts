import { createHash } from 'node:crypto';
import { Html, html } from './html.ts';
import { SCRIPT } from './script.ts';
import { STYLES } from './styles.ts';

/** A part of the page. */
export interface PageSection {
  /** The anchor. */
  readonly id: string;
  readonly title: string;
  readonly content: Html;
}

/**
 * A page that needs nothing else. It loads nothing, and runs nothing but its own script: what came from images would
 * not run even if it were not escaped.
 */
export function page(title: string, sections: readonly PageSection[]): string {
  const policy = [
    "default-src 'none'",
    `style-src '${hashOf(STYLES)}'`,
    `script-src '${hashOf(SCRIPT)}'`,
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${new Html(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="node-criu">
<title>${title}</title>
<style>${new Html(STYLES)}</style>
</head>
<body>
<h1>${title}</h1>
<nav aria-label="Sections">${sections.map(({ id, title: name }) => html`<a href="#${id}">${name}</a>`)}<input id="filter" type="search" placeholder="filter ( / )" aria-label="Filter processes and what they have open"></nav>
<main>
${sections.map(
  ({
    id,
    title: name,
    content,
  }) => html`<section id="${id}" tabindex="-1" aria-labelledby="${id}-title"><h2 id="${id}-title">${name}</h2>
${content}
</section>
`,
)}</main>
<p class="note">Keys: 1 to ${sections.length} for the sections, / to filter, Tab and arrows to move, Enter to open.</p>
<script>${new Html(SCRIPT)}</script>
</body>
</html>
`.text;
}

function hashOf(text: string): string {
  return `sha256-${createHash('sha256').update(text).digest('base64')}`;
}
