// bare.cjs for a start-up snapshot of Node, which ends with an error if http is loaded before the snapshot is made.
const { startupSnapshot } = require('node:v8');

startupSnapshot.setDeserializeMainFunction(() => {
  const { createServer } = require('node:http');
  createServer((_request, response) => response.end('hello')).listen(
    Number(process.env.PORT),
    '127.0.0.1',
  );
});
