/**
 * gRPC. The build bundles it into a file of its own, which only the first migration loads. Bundling
 * also avoids a dependency on protobufjs 7, which has an install script.
 */
export * as grpc from '@grpc/grpc-js';
export { fromJSON } from '@grpc/proto-loader';
