// @ts-check
// Decodes and encodes every image below a directory, directly and through JSON, and exits with 1 unless all become
// the same bytes.
import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import {
  decodeImage,
  imageChunks,
  imageFromJson,
  imageKind,
  imageToJson,
} from '../../dist/images.js';

/** Images without entries: pages, and what other programs have written. */
const raw = /^(pages|ifaddr|route6?|rule|ip6?tables|nftables|netns-ct|netns-exp|tmpfs|tmpfs-dev)-/;
/** JavaScript has no longer strings. */
const MAX_JSON_BYTES = 64 * 2 ** 20;

/** @param {AsyncIterable<Uint8Array>} chunks */
async function bytesOf(chunks) {
  const all = [];
  for await (const chunk of chunks) all.push(chunk);
  return Buffer.concat(all);
}

/** @param {string} path */
async function compare(path) {
  const bytes = await readFile(path);
  const kind = await imageKind(path);
  const copy = await bytesOf(imageChunks(kind, decodeImage(path)));
  if (!copy.equals(bytes)) return 'is encoded differently';
  if (bytes.length > MAX_JSON_BYTES) return;
  let text = '';
  for await (const piece of imageToJson(path)) text += piece;
  const fromJson = imageFromJson(text);
  const second = await bytesOf(imageChunks(fromJson.kind, fromJson.entries));
  if (!second.equals(bytes)) return 'is encoded differently from JSON';
}

const directory = process.argv[2] ?? '.';
let [images, differences] = [0, 0];
const kinds = new Set();
for (const name of await readdir(directory, { recursive: true })) {
  if (!/\.img$|\/stats-[a-z]+$/.test(name) || raw.test(basename(name))) continue;
  const path = join(directory, name);
  const difference = await compare(path).catch((error) => error.message);
  kinds.add(await imageKind(path).catch(() => 'unknown'));
  images++;
  if (difference === undefined) continue;
  differences++;
  console.log(`${name}: ${difference}`);
}
console.log(
  `${images} images of ${kinds.size} kinds, ${differences} of which are not encoded as they were`,
);
process.exitCode = differences > 0 ? 1 : 0;
