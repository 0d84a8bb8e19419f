// A server that takes long to start: it loads a library for charts, and draws one for each request.
import { createServer } from 'node:http';
import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';

function chart() {
  const { document } = parseHTML('<!doctype html><body></body>');
  const points = Array.from({ length: 100 }, (_, x) => ({ x, y: Math.sin(x / 10) }));
  return Plot.lineY(points, { x: 'x', y: 'y' }).plot({ document }).outerHTML;
}

chart();
createServer((_, response) => {
  response.setHeader('content-type', 'image/svg+xml').end(chart());
}).listen(Number(process.argv[2]), '127.0.0.1');
