// An app with many packages: express, typescript, the driver of MongoDB and the SDK of S3.
const express = require('express');
const typescript = require('typescript');
const { MongoClient } = require('mongodb');
const { S3Client } = require('@aws-sdk/client-s3');

const database = new MongoClient('mongodb://127.0.0.1:27017');
const storage = new S3Client({ region: 'eu-central-1' });
const app = express();
app.get('/', (_request, response) => {
  const { outputText } = typescript.transpileModule('const a: number = 1', {});
  response.send(`${outputText} ${typeof database.db} ${typeof storage.send}`);
});
app.listen(Number(process.env.PORT), '127.0.0.1');
// The compile cache is written at a regular end.
process.on('SIGTERM', () => process.exit());
