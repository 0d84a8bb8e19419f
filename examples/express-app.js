// An ordinary express app without any code for CRIU. It keeps shopping carts in memory.
import express from 'express';

const carts = new Map();
const app = express();

app.post('/carts/:user/:item', ({ params: { user, item } }, response) => {
  carts.set(user, [...(carts.get(user) ?? []), item]);
  response.json(carts.get(user));
});

app.get('/carts/:user', ({ params: { user } }, response) => {
  response.json(carts.get(user) ?? []);
});

app.listen(Number(process.argv[2] ?? 3000), '127.0.0.1');
