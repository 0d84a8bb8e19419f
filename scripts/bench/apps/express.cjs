// An app with express.
const express = require('express');

const app = express();
app.get('/', (_request, response) => response.send('hello'));
app.listen(Number(process.env.PORT), '127.0.0.1');
// The compile cache is written at a regular end.
process.on('SIGTERM', () => process.exit());
