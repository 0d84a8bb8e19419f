/**
 * gRPC, which the build bundles into a file of its own: it is loaded at the first migration only. So
 * the package does not depend on protobufjs 7, which has an install script.
 */
export * as grpc from '@grpc/grpc-js';
export { fromJSON } from '@grpc/proto-loader';
