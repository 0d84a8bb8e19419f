// Plots as SVG files that can be read on a light and on a dark page.
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';

export const BLUE = '#4c8fd6';
export const ORANGE = '#e08a3c';

/** The text colour follows the page: an image does not inherit it. */
const STYLE = `
svg { color: #1f2328; font-family: system-ui, sans-serif; }
@media (prefers-color-scheme: dark) { svg { color: #e6edf3; } }
`;

/** One plot as the text of an SVG file. */
export function toSvg(title, options) {
  const { document } = parseHTML('<!doctype html><body></body>');
  const svg = Plot.plot({ ...options, document });
  const height = svg.getAttribute('height');
  const width = svg.getAttribute('width');
  // Plot's own style is for a page.
  svg.querySelector('style')?.remove();
  const content = svg.innerHTML;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" fill="currentColor" font-size="12" text-anchor="middle">`,
    `<title>${title}</title>`,
    `<style>${STYLE}</style>`,
    content,
    '</svg>\n',
  ].join('\n');
}
