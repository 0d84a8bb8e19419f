// A checkpoint in S3-compatible storage: encrypted, and without a file on this host. The process runs on if it
// cannot be stored; it ends when the storage has confirmed the whole object.
//
//   node examples/s3-checkpoint.js save PID BUCKET KEY
//   node examples/s3-checkpoint.js restore BUCKET KEY
//
// CHECKPOINT_KEY is the key of the encryption: 64 hexadecimal digits, as `openssl rand -hex 32` prints them. The
// SDK takes the region, the endpoint and the credentials from its own variables: AWS_REGION, AWS_ENDPOINT_URL,
// AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { Criu } from 'node-criu';

const criu = new Criu();
const s3 = new S3Client({ forcePathStyle: true });
const encryption = { key: Buffer.from(process.env.CHECKPOINT_KEY ?? '', 'hex') };

async function save(pid, Bucket, Key) {
  let stored;
  const stream = await criu.dumpStream(pid, {
    compression: 'gzip',
    encryption,
    // The process ends only after this has resolved.
    confirm: () => stored,
  });
  stored = new Upload({ client: s3, params: { Bucket, Key, Body: stream } }).done();
  // Otherwise the process would stay frozen, because nobody reads the stream any more.
  stored.catch((error) => stream.destroy(error));
  stream.on('error', () => {}); // `result` has the same error
  const { stats } = await stream.result;
  console.log(`stored process ${pid}: frozen for ${stats.frozenTimeMs.toFixed(0)} ms`);
}

async function restore(Bucket, Key) {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket, Key }));
  const { pid } = await criu.restoreStream(Body, { encryption });
  console.log(`restored process ${pid}`);
}

const [verb, ...args] = process.argv.slice(2);
if (verb === 'save') await save(Number(args[0]), args[1], args[2]);
else await restore(args[0], args[1]);
await criu.close();
