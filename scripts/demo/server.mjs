// An ordinary HTTP server that knows nothing of CRIU. It counts its requests in memory.
import { createServer } from 'node:http';

let count = 0;
const server = createServer((_request, response) => {
  count += 1;
  response.end(`${count}\n`);
});
server.keepAliveTimeout = 0;
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
