// An HTTP server without any package.
const { createServer } = require('node:http');

createServer((_request, response) => response.end('hello')).listen(
  Number(process.env.PORT),
  '127.0.0.1',
);
// The compile cache is written at a regular end.
process.on('SIGTERM', () => process.exit());
