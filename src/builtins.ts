/**
 * Node.js modules that are slow to load and that most programs never need. They are loaded
 * synchronously at first use, which opens no file descriptor.
 */
export const builtins = {
  get childProcess() {
    return process.getBuiltinModule('node:child_process');
  },
  get crypto() {
    return process.getBuiltinModule('node:crypto');
  },
  get dgram() {
    return process.getBuiltinModule('node:dgram');
  },
  get http() {
    return process.getBuiltinModule('node:http');
  },
  get https() {
    return process.getBuiltinModule('node:https');
  },
  get tls() {
    return process.getBuiltinModule('node:tls');
  },
  get zlib() {
    return process.getBuiltinModule('node:zlib');
  },
};
