/**
 * Modules of Node that take long to load, and that most programs which dump never need: loaded at
 * their first use, at once and without a descriptor.
 */
export const builtins = {
  get childProcess() {
    return process.getBuiltinModule('node:child_process');
  },
  get crypto() {
    return process.getBuiltinModule('node:crypto');
  },
  get tls() {
    return process.getBuiltinModule('node:tls');
  },
};
