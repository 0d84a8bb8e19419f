// Written by scripts/generate.mjs from proto/. Do not edit.
import $protobuf from "protobufjs/minimal.js";

const $Reader = $protobuf.Reader, $util = $protobuf.util;
const $Object = $util.global.Object, $undefined = $util.global.undefined, $Error = $util.global.Error, $RangeError = $util.global.RangeError, $TypeError = $util.global.TypeError, $Boolean = $util.global.Boolean, $Array = $util.global.Array, $String = $util.global.String, $parseInt = $util.global.parseInt, $Number = $util.global.Number, $BigInt = $util.global.BigInt;

const $root = {};

export const inventory_entry = $root.inventory_entry = (() => {

    const inventory_entry = function (properties) {
        if (properties)
            for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                if (properties[keys[i]] != null && keys[i] !== "__proto__")
                    this[keys[i]] = properties[keys[i]];
    };

    inventory_entry.prototype.root_ids = null;
    inventory_entry.prototype.tcp_close = false;

    inventory_entry.decode = function (reader, length, _end, _depth, _target) {
        if (!(reader instanceof $Reader))
            reader = $Reader.create(reader);
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $Reader.recursionLimit)
            throw $Error("max depth exceeded");
        let end, message;
        if (length === $undefined)
            end = reader.len;
        else {
            end = reader.pos + length;
            if (end > reader.len)
                throw $RangeError("index out of range");
            length = reader.len;
            reader.len = end;
        }
        message = _target || new $root.inventory_entry();
        while (reader.pos < end) {
            let start = reader.pos;
            let tag = reader.tag();
            if (tag === _end) {
                _end = $undefined;
                break;
            }
            let wireType = tag & 7;
            switch (tag >>>= 3) {
            case 3: {
                    if (wireType !== 2)
                        break;
                    message.root_ids = $root.task_kobj_ids_entry.decode(reader, reader.size(), $undefined, _depth + 1, message.root_ids);
                    continue;
                }
            case 10: {
                    if (wireType !== 0)
                        break;
                    message.tcp_close = reader.bool();
                    continue;
                }
            }
            reader.skipType(wireType, _depth, tag);
            if (!reader.discardUnknown) {
                $util.makeProp(message, "$unknowns", false);
                (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
            }
        }
        if (length !== $undefined) {
            if (reader.pos !== end)
                throw $RangeError("index out of range");
            reader.len = length;
        }
        if (_end !== $undefined)
            throw $Error("missing end group");
        return message;
    };

    inventory_entry.fromObject = function (object, _depth) {
        if (object instanceof $root.inventory_entry)
            return object;
        if (!$util.isObject(object))
            throw $TypeError(".inventory_entry: object expected");
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let message = new $root.inventory_entry();
        if (object.root_ids != null) {
            if (!$util.isObject(object.root_ids))
                throw $TypeError(".inventory_entry.root_ids: object expected");
            message.root_ids = $root.task_kobj_ids_entry.fromObject(object.root_ids, _depth + 1);
        }
        if (object.tcp_close != null)
            message.tcp_close = $Boolean(object.tcp_close);
        return message;
    };

    inventory_entry.toObject = function (message, options, _depth) {
        if (!options)
            options = {};
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let object = {};
        if (options.defaults) {
            object.root_ids = null;
            object.tcp_close = false;
        }
        if (message.root_ids != null && $Object.hasOwnProperty.call(message, "root_ids"))
            object.root_ids = $root.task_kobj_ids_entry.toObject(message.root_ids, options, _depth + 1);
        if (message.tcp_close != null && $Object.hasOwnProperty.call(message, "tcp_close"))
            object.tcp_close = message.tcp_close;
        return object;
    };

    inventory_entry.prototype.toJSON = function() {
        return inventory_entry.toObject(this, $protobuf.util.toJSONOptions);
    };

    return inventory_entry;
})();

export const task_kobj_ids_entry = $root.task_kobj_ids_entry = (() => {

    const task_kobj_ids_entry = function (properties) {
        if (properties)
            for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                if (properties[keys[i]] != null && keys[i] !== "__proto__")
                    this[keys[i]] = properties[keys[i]];
    };

    task_kobj_ids_entry.prototype.files_id = 0;
    task_kobj_ids_entry.prototype.pid_ns_id = 0;
    task_kobj_ids_entry.prototype.net_ns_id = 0;
    task_kobj_ids_entry.prototype.mnt_ns_id = 0;

    task_kobj_ids_entry.decode = function (reader, length, _end, _depth, _target) {
        if (!(reader instanceof $Reader))
            reader = $Reader.create(reader);
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $Reader.recursionLimit)
            throw $Error("max depth exceeded");
        let end, message;
        if (length === $undefined)
            end = reader.len;
        else {
            end = reader.pos + length;
            if (end > reader.len)
                throw $RangeError("index out of range");
            length = reader.len;
            reader.len = end;
        }
        message = _target || new $root.task_kobj_ids_entry();
        while (reader.pos < end) {
            let start = reader.pos;
            let tag = reader.tag();
            if (tag === _end) {
                _end = $undefined;
                break;
            }
            let wireType = tag & 7;
            switch (tag >>>= 3) {
            case 2: {
                    if (wireType !== 0)
                        break;
                    message.files_id = reader.uint32();
                    continue;
                }
            case 5: {
                    if (wireType !== 0)
                        break;
                    message.pid_ns_id = reader.uint32();
                    continue;
                }
            case 6: {
                    if (wireType !== 0)
                        break;
                    message.net_ns_id = reader.uint32();
                    continue;
                }
            case 9: {
                    if (wireType !== 0)
                        break;
                    message.mnt_ns_id = reader.uint32();
                    continue;
                }
            }
            reader.skipType(wireType, _depth, tag);
            if (!reader.discardUnknown) {
                $util.makeProp(message, "$unknowns", false);
                (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
            }
        }
        if (length !== $undefined) {
            if (reader.pos !== end)
                throw $RangeError("index out of range");
            reader.len = length;
        }
        if (_end !== $undefined)
            throw $Error("missing end group");
        if (!$Object.hasOwnProperty.call(message, "files_id"))
            throw $util.ProtocolError("missing required 'files_id'", { instance: message });
        return message;
    };

    task_kobj_ids_entry.fromObject = function (object, _depth) {
        if (object instanceof $root.task_kobj_ids_entry)
            return object;
        if (!$util.isObject(object))
            throw $TypeError(".task_kobj_ids_entry: object expected");
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let message = new $root.task_kobj_ids_entry();
        if (object.files_id != null)
            message.files_id = object.files_id >>> 0;
        if (object.pid_ns_id != null)
            message.pid_ns_id = object.pid_ns_id >>> 0;
        if (object.net_ns_id != null)
            message.net_ns_id = object.net_ns_id >>> 0;
        if (object.mnt_ns_id != null)
            message.mnt_ns_id = object.mnt_ns_id >>> 0;
        return message;
    };

    task_kobj_ids_entry.toObject = function (message, options, _depth) {
        if (!options)
            options = {};
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let object = {};
        if (options.defaults) {
            object.files_id = 0;
            object.pid_ns_id = 0;
            object.net_ns_id = 0;
            object.mnt_ns_id = 0;
        }
        if (message.files_id != null && $Object.hasOwnProperty.call(message, "files_id"))
            object.files_id = message.files_id;
        if (message.pid_ns_id != null && $Object.hasOwnProperty.call(message, "pid_ns_id"))
            object.pid_ns_id = message.pid_ns_id;
        if (message.net_ns_id != null && $Object.hasOwnProperty.call(message, "net_ns_id"))
            object.net_ns_id = message.net_ns_id;
        if (message.mnt_ns_id != null && $Object.hasOwnProperty.call(message, "mnt_ns_id"))
            object.mnt_ns_id = message.mnt_ns_id;
        return object;
    };

    task_kobj_ids_entry.prototype.toJSON = function() {
        return task_kobj_ids_entry.toObject(this, $protobuf.util.toJSONOptions);
    };

    return task_kobj_ids_entry;
})();

export const pstree_entry = $root.pstree_entry = (() => {

    const pstree_entry = function (properties) {
        this.threads = [];
        if (properties)
            for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                if (properties[keys[i]] != null && keys[i] !== "__proto__")
                    this[keys[i]] = properties[keys[i]];
    };

    pstree_entry.prototype.pid = 0;
    pstree_entry.prototype.pgid = 0;
    pstree_entry.prototype.sid = 0;
    pstree_entry.prototype.threads = $util.emptyArray;

    pstree_entry.decode = function (reader, length, _end, _depth, _target) {
        if (!(reader instanceof $Reader))
            reader = $Reader.create(reader);
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $Reader.recursionLimit)
            throw $Error("max depth exceeded");
        let end, message;
        if (length === $undefined)
            end = reader.len;
        else {
            end = reader.pos + length;
            if (end > reader.len)
                throw $RangeError("index out of range");
            length = reader.len;
            reader.len = end;
        }
        message = _target || new $root.pstree_entry();
        while (reader.pos < end) {
            let start = reader.pos;
            let tag = reader.tag();
            if (tag === _end) {
                _end = $undefined;
                break;
            }
            let wireType = tag & 7;
            switch (tag >>>= 3) {
            case 1: {
                    if (wireType !== 0)
                        break;
                    message.pid = reader.uint32();
                    continue;
                }
            case 3: {
                    if (wireType !== 0)
                        break;
                    message.pgid = reader.uint32();
                    continue;
                }
            case 4: {
                    if (wireType !== 0)
                        break;
                    message.sid = reader.uint32();
                    continue;
                }
            case 5: {
                    if (wireType === 2) {
                        if (!(message.threads && message.threads.length))
                            message.threads = [];
                        reader.uint32s(message.threads);
                        continue;
                    }
                    if (wireType !== 0)
                        break;
                    if (!(message.threads && message.threads.length))
                        message.threads = [];
                    message.threads.push(reader.uint32());
                    continue;
                }
            }
            reader.skipType(wireType, _depth, tag);
            if (!reader.discardUnknown) {
                $util.makeProp(message, "$unknowns", false);
                (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
            }
        }
        if (length !== $undefined) {
            if (reader.pos !== end)
                throw $RangeError("index out of range");
            reader.len = length;
        }
        if (_end !== $undefined)
            throw $Error("missing end group");
        if (!$Object.hasOwnProperty.call(message, "pid"))
            throw $util.ProtocolError("missing required 'pid'", { instance: message });
        if (!$Object.hasOwnProperty.call(message, "pgid"))
            throw $util.ProtocolError("missing required 'pgid'", { instance: message });
        if (!$Object.hasOwnProperty.call(message, "sid"))
            throw $util.ProtocolError("missing required 'sid'", { instance: message });
        return message;
    };

    pstree_entry.fromObject = function (object, _depth) {
        if (object instanceof $root.pstree_entry)
            return object;
        if (!$util.isObject(object))
            throw $TypeError(".pstree_entry: object expected");
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let message = new $root.pstree_entry();
        if (object.pid != null)
            message.pid = object.pid >>> 0;
        if (object.pgid != null)
            message.pgid = object.pgid >>> 0;
        if (object.sid != null)
            message.sid = object.sid >>> 0;
        if (object.threads) {
            if (!$Array.isArray(object.threads))
                throw $TypeError(".pstree_entry.threads: array expected");
            message.threads = $Array(object.threads.length);
            for (let i = 0; i < object.threads.length; ++i)
                message.threads[i] = object.threads[i] >>> 0;
        }
        return message;
    };

    pstree_entry.toObject = function (message, options, _depth) {
        if (!options)
            options = {};
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let object = {};
        if (options.arrays || options.defaults)
            object.threads = [];
        if (options.defaults) {
            object.pid = 0;
            object.pgid = 0;
            object.sid = 0;
        }
        if (message.pid != null && $Object.hasOwnProperty.call(message, "pid"))
            object.pid = message.pid;
        if (message.pgid != null && $Object.hasOwnProperty.call(message, "pgid"))
            object.pgid = message.pgid;
        if (message.sid != null && $Object.hasOwnProperty.call(message, "sid"))
            object.sid = message.sid;
        if (message.threads && message.threads.length) {
            object.threads = $Array(message.threads.length);
            for (let j = 0; j < message.threads.length; ++j)
                object.threads[j] = message.threads[j];
        }
        return object;
    };

    pstree_entry.prototype.toJSON = function() {
        return pstree_entry.toObject(this, $protobuf.util.toJSONOptions);
    };

    return pstree_entry;
})();

export const core_entry = $root.core_entry = (() => {

    const core_entry = function (properties) {
        if (properties)
            for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                if (properties[keys[i]] != null && keys[i] !== "__proto__")
                    this[keys[i]] = properties[keys[i]];
    };

    core_entry.prototype.tc = null;

    core_entry.decode = function (reader, length, _end, _depth, _target) {
        if (!(reader instanceof $Reader))
            reader = $Reader.create(reader);
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $Reader.recursionLimit)
            throw $Error("max depth exceeded");
        let end, message;
        if (length === $undefined)
            end = reader.len;
        else {
            end = reader.pos + length;
            if (end > reader.len)
                throw $RangeError("index out of range");
            length = reader.len;
            reader.len = end;
        }
        message = _target || new $root.core_entry();
        while (reader.pos < end) {
            let start = reader.pos;
            let tag = reader.tag();
            if (tag === _end) {
                _end = $undefined;
                break;
            }
            let wireType = tag & 7;
            switch (tag >>>= 3) {
            case 3: {
                    if (wireType !== 2)
                        break;
                    message.tc = $root.task_core_entry.decode(reader, reader.size(), $undefined, _depth + 1, message.tc);
                    continue;
                }
            }
            reader.skipType(wireType, _depth, tag);
            if (!reader.discardUnknown) {
                $util.makeProp(message, "$unknowns", false);
                (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
            }
        }
        if (length !== $undefined) {
            if (reader.pos !== end)
                throw $RangeError("index out of range");
            reader.len = length;
        }
        if (_end !== $undefined)
            throw $Error("missing end group");
        return message;
    };

    core_entry.fromObject = function (object, _depth) {
        if (object instanceof $root.core_entry)
            return object;
        if (!$util.isObject(object))
            throw $TypeError(".core_entry: object expected");
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let message = new $root.core_entry();
        if (object.tc != null) {
            if (!$util.isObject(object.tc))
                throw $TypeError(".core_entry.tc: object expected");
            message.tc = $root.task_core_entry.fromObject(object.tc, _depth + 1);
        }
        return message;
    };

    core_entry.toObject = function (message, options, _depth) {
        if (!options)
            options = {};
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let object = {};
        if (options.defaults)
            object.tc = null;
        if (message.tc != null && $Object.hasOwnProperty.call(message, "tc"))
            object.tc = $root.task_core_entry.toObject(message.tc, options, _depth + 1);
        return object;
    };

    core_entry.prototype.toJSON = function() {
        return core_entry.toObject(this, $protobuf.util.toJSONOptions);
    };

    return core_entry;
})();

export const task_core_entry = $root.task_core_entry = (() => {

    const task_core_entry = function (properties) {
        if (properties)
            for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                if (properties[keys[i]] != null && keys[i] !== "__proto__")
                    this[keys[i]] = properties[keys[i]];
    };

    task_core_entry.prototype.comm = "";

    task_core_entry.decode = function (reader, length, _end, _depth, _target) {
        if (!(reader instanceof $Reader))
            reader = $Reader.create(reader);
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $Reader.recursionLimit)
            throw $Error("max depth exceeded");
        let end, message;
        if (length === $undefined)
            end = reader.len;
        else {
            end = reader.pos + length;
            if (end > reader.len)
                throw $RangeError("index out of range");
            length = reader.len;
            reader.len = end;
        }
        message = _target || new $root.task_core_entry();
        while (reader.pos < end) {
            let start = reader.pos;
            let tag = reader.tag();
            if (tag === _end) {
                _end = $undefined;
                break;
            }
            let wireType = tag & 7;
            switch (tag >>>= 3) {
            case 6: {
                    if (wireType !== 2)
                        break;
                    message.comm = reader.string();
                    continue;
                }
            }
            reader.skipType(wireType, _depth, tag);
            if (!reader.discardUnknown) {
                $util.makeProp(message, "$unknowns", false);
                (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
            }
        }
        if (length !== $undefined) {
            if (reader.pos !== end)
                throw $RangeError("index out of range");
            reader.len = length;
        }
        if (_end !== $undefined)
            throw $Error("missing end group");
        if (!$Object.hasOwnProperty.call(message, "comm"))
            throw $util.ProtocolError("missing required 'comm'", { instance: message });
        return message;
    };

    task_core_entry.fromObject = function (object, _depth) {
        if (object instanceof $root.task_core_entry)
            return object;
        if (!$util.isObject(object))
            throw $TypeError(".task_core_entry: object expected");
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let message = new $root.task_core_entry();
        if (object.comm != null)
            message.comm = $String(object.comm);
        return message;
    };

    task_core_entry.toObject = function (message, options, _depth) {
        if (!options)
            options = {};
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let object = {};
        if (options.defaults)
            object.comm = "";
        if (message.comm != null && $Object.hasOwnProperty.call(message, "comm"))
            object.comm = message.comm;
        return object;
    };

    task_core_entry.prototype.toJSON = function() {
        return task_core_entry.toObject(this, $protobuf.util.toJSONOptions);
    };

    return task_core_entry;
})();

export const fs_entry = $root.fs_entry = (() => {

    const fs_entry = function (properties) {
        if (properties)
            for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                if (properties[keys[i]] != null && keys[i] !== "__proto__")
                    this[keys[i]] = properties[keys[i]];
    };

    fs_entry.prototype.cwd_id = 0;
    fs_entry.prototype.root_id = 0;

    fs_entry.decode = function (reader, length, _end, _depth, _target) {
        if (!(reader instanceof $Reader))
            reader = $Reader.create(reader);
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $Reader.recursionLimit)
            throw $Error("max depth exceeded");
        let end, message;
        if (length === $undefined)
            end = reader.len;
        else {
            end = reader.pos + length;
            if (end > reader.len)
                throw $RangeError("index out of range");
            length = reader.len;
            reader.len = end;
        }
        message = _target || new $root.fs_entry();
        while (reader.pos < end) {
            let start = reader.pos;
            let tag = reader.tag();
            if (tag === _end) {
                _end = $undefined;
                break;
            }
            let wireType = tag & 7;
            switch (tag >>>= 3) {
            case 1: {
                    if (wireType !== 0)
                        break;
                    message.cwd_id = reader.uint32();
                    continue;
                }
            case 2: {
                    if (wireType !== 0)
                        break;
                    message.root_id = reader.uint32();
                    continue;
                }
            }
            reader.skipType(wireType, _depth, tag);
            if (!reader.discardUnknown) {
                $util.makeProp(message, "$unknowns", false);
                (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
            }
        }
        if (length !== $undefined) {
            if (reader.pos !== end)
                throw $RangeError("index out of range");
            reader.len = length;
        }
        if (_end !== $undefined)
            throw $Error("missing end group");
        if (!$Object.hasOwnProperty.call(message, "cwd_id"))
            throw $util.ProtocolError("missing required 'cwd_id'", { instance: message });
        if (!$Object.hasOwnProperty.call(message, "root_id"))
            throw $util.ProtocolError("missing required 'root_id'", { instance: message });
        return message;
    };

    fs_entry.fromObject = function (object, _depth) {
        if (object instanceof $root.fs_entry)
            return object;
        if (!$util.isObject(object))
            throw $TypeError(".fs_entry: object expected");
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let message = new $root.fs_entry();
        if (object.cwd_id != null)
            message.cwd_id = object.cwd_id >>> 0;
        if (object.root_id != null)
            message.root_id = object.root_id >>> 0;
        return message;
    };

    fs_entry.toObject = function (message, options, _depth) {
        if (!options)
            options = {};
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let object = {};
        if (options.defaults) {
            object.cwd_id = 0;
            object.root_id = 0;
        }
        if (message.cwd_id != null && $Object.hasOwnProperty.call(message, "cwd_id"))
            object.cwd_id = message.cwd_id;
        if (message.root_id != null && $Object.hasOwnProperty.call(message, "root_id"))
            object.root_id = message.root_id;
        return object;
    };

    fs_entry.prototype.toJSON = function() {
        return fs_entry.toObject(this, $protobuf.util.toJSONOptions);
    };

    return fs_entry;
})();

export const mm_entry = $root.mm_entry = (() => {

    const mm_entry = function (properties) {
        this.vmas = [];
        if (properties)
            for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                if (properties[keys[i]] != null && keys[i] !== "__proto__")
                    this[keys[i]] = properties[keys[i]];
    };

    mm_entry.prototype.exe_file_id = 0;
    mm_entry.prototype.vmas = $util.emptyArray;

    mm_entry.decode = function (reader, length, _end, _depth, _target) {
        if (!(reader instanceof $Reader))
            reader = $Reader.create(reader);
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $Reader.recursionLimit)
            throw $Error("max depth exceeded");
        let end, message;
        if (length === $undefined)
            end = reader.len;
        else {
            end = reader.pos + length;
            if (end > reader.len)
                throw $RangeError("index out of range");
            length = reader.len;
            reader.len = end;
        }
        message = _target || new $root.mm_entry();
        while (reader.pos < end) {
            let start = reader.pos;
            let tag = reader.tag();
            if (tag === _end) {
                _end = $undefined;
                break;
            }
            let wireType = tag & 7;
            switch (tag >>>= 3) {
            case 12: {
                    if (wireType !== 0)
                        break;
                    message.exe_file_id = reader.uint32();
                    continue;
                }
            case 14: {
                    if (wireType !== 2)
                        break;
                    if (!(message.vmas && message.vmas.length))
                        message.vmas = [];
                    message.vmas.push($root.vma_entry.decode(reader, reader.size(), $undefined, _depth + 1));
                    continue;
                }
            }
            reader.skipType(wireType, _depth, tag);
            if (!reader.discardUnknown) {
                $util.makeProp(message, "$unknowns", false);
                (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
            }
        }
        if (length !== $undefined) {
            if (reader.pos !== end)
                throw $RangeError("index out of range");
            reader.len = length;
        }
        if (_end !== $undefined)
            throw $Error("missing end group");
        if (!$Object.hasOwnProperty.call(message, "exe_file_id"))
            throw $util.ProtocolError("missing required 'exe_file_id'", { instance: message });
        return message;
    };

    mm_entry.fromObject = function (object, _depth) {
        if (object instanceof $root.mm_entry)
            return object;
        if (!$util.isObject(object))
            throw $TypeError(".mm_entry: object expected");
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let message = new $root.mm_entry();
        if (object.exe_file_id != null)
            message.exe_file_id = object.exe_file_id >>> 0;
        if (object.vmas) {
            if (!$Array.isArray(object.vmas))
                throw $TypeError(".mm_entry.vmas: array expected");
            message.vmas = $Array(object.vmas.length);
            for (let i = 0; i < object.vmas.length; ++i) {
                if (!$util.isObject(object.vmas[i]))
                    throw $TypeError(".mm_entry.vmas: object expected");
                message.vmas[i] = $root.vma_entry.fromObject(object.vmas[i], _depth + 1);
            }
        }
        return message;
    };

    mm_entry.toObject = function (message, options, _depth) {
        if (!options)
            options = {};
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let object = {};
        if (options.arrays || options.defaults)
            object.vmas = [];
        if (options.defaults)
            object.exe_file_id = 0;
        if (message.exe_file_id != null && $Object.hasOwnProperty.call(message, "exe_file_id"))
            object.exe_file_id = message.exe_file_id;
        if (message.vmas && message.vmas.length) {
            object.vmas = $Array(message.vmas.length);
            for (let j = 0; j < message.vmas.length; ++j)
                object.vmas[j] = $root.vma_entry.toObject(message.vmas[j], options, _depth + 1);
        }
        return object;
    };

    mm_entry.prototype.toJSON = function() {
        return mm_entry.toObject(this, $protobuf.util.toJSONOptions);
    };

    return mm_entry;
})();

export const vma_entry = $root.vma_entry = (() => {

    const vma_entry = function (properties) {
        if (properties)
            for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                if (properties[keys[i]] != null && keys[i] !== "__proto__")
                    this[keys[i]] = properties[keys[i]];
    };

    vma_entry.prototype.shmid = $util.Long ? $util.Long.fromBits(0,0,true) : 0;
    vma_entry.prototype.status = 0;

    vma_entry.decode = function (reader, length, _end, _depth, _target) {
        if (!(reader instanceof $Reader))
            reader = $Reader.create(reader);
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $Reader.recursionLimit)
            throw $Error("max depth exceeded");
        let end, message;
        if (length === $undefined)
            end = reader.len;
        else {
            end = reader.pos + length;
            if (end > reader.len)
                throw $RangeError("index out of range");
            length = reader.len;
            reader.len = end;
        }
        message = _target || new $root.vma_entry();
        while (reader.pos < end) {
            let start = reader.pos;
            let tag = reader.tag();
            if (tag === _end) {
                _end = $undefined;
                break;
            }
            let wireType = tag & 7;
            switch (tag >>>= 3) {
            case 4: {
                    if (wireType !== 0)
                        break;
                    message.shmid = reader.uint64();
                    continue;
                }
            case 7: {
                    if (wireType !== 0)
                        break;
                    message.status = reader.uint32();
                    continue;
                }
            }
            reader.skipType(wireType, _depth, tag);
            if (!reader.discardUnknown) {
                $util.makeProp(message, "$unknowns", false);
                (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
            }
        }
        if (length !== $undefined) {
            if (reader.pos !== end)
                throw $RangeError("index out of range");
            reader.len = length;
        }
        if (_end !== $undefined)
            throw $Error("missing end group");
        if (!$Object.hasOwnProperty.call(message, "shmid"))
            throw $util.ProtocolError("missing required 'shmid'", { instance: message });
        if (!$Object.hasOwnProperty.call(message, "status"))
            throw $util.ProtocolError("missing required 'status'", { instance: message });
        return message;
    };

    vma_entry.fromObject = function (object, _depth) {
        if (object instanceof $root.vma_entry)
            return object;
        if (!$util.isObject(object))
            throw $TypeError(".vma_entry: object expected");
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let message = new $root.vma_entry();
        if (object.shmid != null)
            if ($util.Long)
                message.shmid = $util.Long.fromValue(object.shmid, true);
            else if (typeof object.shmid === "string")
                message.shmid = $parseInt(object.shmid, 10);
            else if (typeof object.shmid === "number")
                message.shmid = object.shmid;
            else if (typeof object.shmid === "object")
                message.shmid = new $util.LongBits(object.shmid.low >>> 0, object.shmid.high >>> 0).toNumber(true);
        if (object.status != null)
            message.status = object.status >>> 0;
        return message;
    };

    vma_entry.toObject = function (message, options, _depth) {
        if (!options)
            options = {};
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let object = {};
        if (options.defaults) {
            if ($util.Long) {
                let long = new $util.Long(0, 0, true);
                object.shmid = options.longs === $String ? long.toString() : options.longs === $Number ? long.toNumber() : typeof $BigInt !== "undefined" && options.longs === $BigInt ? long.toBigInt() : long;
            } else
                object.shmid = options.longs === $String ? "0" : typeof $BigInt !== "undefined" && options.longs === $BigInt ? $BigInt("0") : 0;
            object.status = 0;
        }
        if (message.shmid != null && $Object.hasOwnProperty.call(message, "shmid"))
            if (typeof $BigInt !== "undefined" && options.longs === $BigInt)
                object.shmid = typeof message.shmid === "number" ? $BigInt(message.shmid) : $util.Long.fromBits(message.shmid.low >>> 0, message.shmid.high >>> 0, true).toBigInt();
            else if (typeof message.shmid === "number")
                object.shmid = options.longs === $String ? $String(message.shmid) : message.shmid;
            else
                object.shmid = options.longs === $String ? $util.Long.prototype.toString.call(message.shmid) : options.longs === $Number ? new $util.LongBits(message.shmid.low >>> 0, message.shmid.high >>> 0).toNumber(true) : message.shmid;
        if (message.status != null && $Object.hasOwnProperty.call(message, "status"))
            object.status = message.status;
        return object;
    };

    vma_entry.prototype.toJSON = function() {
        return vma_entry.toObject(this, $protobuf.util.toJSONOptions);
    };

    return vma_entry;
})();

export const fdinfo_entry = $root.fdinfo_entry = (() => {

    const fdinfo_entry = function (properties) {
        if (properties)
            for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                if (properties[keys[i]] != null && keys[i] !== "__proto__")
                    this[keys[i]] = properties[keys[i]];
    };

    fdinfo_entry.prototype.id = 0;
    fdinfo_entry.prototype.type = 0;
    fdinfo_entry.prototype.fd = 0;

    fdinfo_entry.decode = function (reader, length, _end, _depth, _target) {
        if (!(reader instanceof $Reader))
            reader = $Reader.create(reader);
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $Reader.recursionLimit)
            throw $Error("max depth exceeded");
        let end, message;
        if (length === $undefined)
            end = reader.len;
        else {
            end = reader.pos + length;
            if (end > reader.len)
                throw $RangeError("index out of range");
            length = reader.len;
            reader.len = end;
        }
        message = _target || new $root.fdinfo_entry();
        while (reader.pos < end) {
            let start = reader.pos;
            let tag = reader.tag();
            if (tag === _end) {
                _end = $undefined;
                break;
            }
            let wireType = tag & 7;
            switch (tag >>>= 3) {
            case 1: {
                    if (wireType !== 0)
                        break;
                    message.id = reader.uint32();
                    continue;
                }
            case 3: {
                    if (wireType !== 0)
                        break;
                    message.type = reader.uint32();
                    continue;
                }
            case 4: {
                    if (wireType !== 0)
                        break;
                    message.fd = reader.uint32();
                    continue;
                }
            }
            reader.skipType(wireType, _depth, tag);
            if (!reader.discardUnknown) {
                $util.makeProp(message, "$unknowns", false);
                (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
            }
        }
        if (length !== $undefined) {
            if (reader.pos !== end)
                throw $RangeError("index out of range");
            reader.len = length;
        }
        if (_end !== $undefined)
            throw $Error("missing end group");
        if (!$Object.hasOwnProperty.call(message, "id"))
            throw $util.ProtocolError("missing required 'id'", { instance: message });
        if (!$Object.hasOwnProperty.call(message, "type"))
            throw $util.ProtocolError("missing required 'type'", { instance: message });
        if (!$Object.hasOwnProperty.call(message, "fd"))
            throw $util.ProtocolError("missing required 'fd'", { instance: message });
        return message;
    };

    fdinfo_entry.fromObject = function (object, _depth) {
        if (object instanceof $root.fdinfo_entry)
            return object;
        if (!$util.isObject(object))
            throw $TypeError(".fdinfo_entry: object expected");
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let message = new $root.fdinfo_entry();
        if (object.id != null)
            message.id = object.id >>> 0;
        if (object.type != null)
            message.type = object.type >>> 0;
        if (object.fd != null)
            message.fd = object.fd >>> 0;
        return message;
    };

    fdinfo_entry.toObject = function (message, options, _depth) {
        if (!options)
            options = {};
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let object = {};
        if (options.defaults) {
            object.id = 0;
            object.type = 0;
            object.fd = 0;
        }
        if (message.id != null && $Object.hasOwnProperty.call(message, "id"))
            object.id = message.id;
        if (message.type != null && $Object.hasOwnProperty.call(message, "type"))
            object.type = message.type;
        if (message.fd != null && $Object.hasOwnProperty.call(message, "fd"))
            object.fd = message.fd;
        return object;
    };

    fdinfo_entry.prototype.toJSON = function() {
        return fdinfo_entry.toObject(this, $protobuf.util.toJSONOptions);
    };

    return fdinfo_entry;
})();

export const file_entry = $root.file_entry = (() => {

    const file_entry = function (properties) {
        if (properties)
            for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                if (properties[keys[i]] != null && keys[i] !== "__proto__")
                    this[keys[i]] = properties[keys[i]];
    };

    file_entry.prototype.type = 0;
    file_entry.prototype.id = 0;
    file_entry.prototype.reg = null;
    file_entry.prototype.isk = null;
    file_entry.prototype.usk = null;
    file_entry.prototype.pipe = null;
    file_entry.prototype.tty = null;

    file_entry.decode = function (reader, length, _end, _depth, _target) {
        if (!(reader instanceof $Reader))
            reader = $Reader.create(reader);
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $Reader.recursionLimit)
            throw $Error("max depth exceeded");
        let end, message;
        if (length === $undefined)
            end = reader.len;
        else {
            end = reader.pos + length;
            if (end > reader.len)
                throw $RangeError("index out of range");
            length = reader.len;
            reader.len = end;
        }
        message = _target || new $root.file_entry();
        while (reader.pos < end) {
            let start = reader.pos;
            let tag = reader.tag();
            if (tag === _end) {
                _end = $undefined;
                break;
            }
            let wireType = tag & 7;
            switch (tag >>>= 3) {
            case 1: {
                    if (wireType !== 0)
                        break;
                    message.type = reader.uint32();
                    continue;
                }
            case 2: {
                    if (wireType !== 0)
                        break;
                    message.id = reader.uint32();
                    continue;
                }
            case 3: {
                    if (wireType !== 2)
                        break;
                    message.reg = $root.reg_file_entry.decode(reader, reader.size(), $undefined, _depth + 1, message.reg);
                    continue;
                }
            case 4: {
                    if (wireType !== 2)
                        break;
                    message.isk = $root.inet_sk_entry.decode(reader, reader.size(), $undefined, _depth + 1, message.isk);
                    continue;
                }
            case 16: {
                    if (wireType !== 2)
                        break;
                    message.usk = $root.unix_sk_entry.decode(reader, reader.size(), $undefined, _depth + 1, message.usk);
                    continue;
                }
            case 18: {
                    if (wireType !== 2)
                        break;
                    message.pipe = $root.pipe_entry.decode(reader, reader.size(), $undefined, _depth + 1, message.pipe);
                    continue;
                }
            case 19: {
                    if (wireType !== 2)
                        break;
                    message.tty = $root.tty_file_entry.decode(reader, reader.size(), $undefined, _depth + 1, message.tty);
                    continue;
                }
            }
            reader.skipType(wireType, _depth, tag);
            if (!reader.discardUnknown) {
                $util.makeProp(message, "$unknowns", false);
                (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
            }
        }
        if (length !== $undefined) {
            if (reader.pos !== end)
                throw $RangeError("index out of range");
            reader.len = length;
        }
        if (_end !== $undefined)
            throw $Error("missing end group");
        if (!$Object.hasOwnProperty.call(message, "type"))
            throw $util.ProtocolError("missing required 'type'", { instance: message });
        if (!$Object.hasOwnProperty.call(message, "id"))
            throw $util.ProtocolError("missing required 'id'", { instance: message });
        return message;
    };

    file_entry.fromObject = function (object, _depth) {
        if (object instanceof $root.file_entry)
            return object;
        if (!$util.isObject(object))
            throw $TypeError(".file_entry: object expected");
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let message = new $root.file_entry();
        if (object.type != null)
            message.type = object.type >>> 0;
        if (object.id != null)
            message.id = object.id >>> 0;
        if (object.reg != null) {
            if (!$util.isObject(object.reg))
                throw $TypeError(".file_entry.reg: object expected");
            message.reg = $root.reg_file_entry.fromObject(object.reg, _depth + 1);
        }
        if (object.isk != null) {
            if (!$util.isObject(object.isk))
                throw $TypeError(".file_entry.isk: object expected");
            message.isk = $root.inet_sk_entry.fromObject(object.isk, _depth + 1);
        }
        if (object.usk != null) {
            if (!$util.isObject(object.usk))
                throw $TypeError(".file_entry.usk: object expected");
            message.usk = $root.unix_sk_entry.fromObject(object.usk, _depth + 1);
        }
        if (object.pipe != null) {
            if (!$util.isObject(object.pipe))
                throw $TypeError(".file_entry.pipe: object expected");
            message.pipe = $root.pipe_entry.fromObject(object.pipe, _depth + 1);
        }
        if (object.tty != null) {
            if (!$util.isObject(object.tty))
                throw $TypeError(".file_entry.tty: object expected");
            message.tty = $root.tty_file_entry.fromObject(object.tty, _depth + 1);
        }
        return message;
    };

    file_entry.toObject = function (message, options, _depth) {
        if (!options)
            options = {};
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let object = {};
        if (options.defaults) {
            object.type = 0;
            object.id = 0;
            object.reg = null;
            object.isk = null;
            object.usk = null;
            object.pipe = null;
            object.tty = null;
        }
        if (message.type != null && $Object.hasOwnProperty.call(message, "type"))
            object.type = message.type;
        if (message.id != null && $Object.hasOwnProperty.call(message, "id"))
            object.id = message.id;
        if (message.reg != null && $Object.hasOwnProperty.call(message, "reg"))
            object.reg = $root.reg_file_entry.toObject(message.reg, options, _depth + 1);
        if (message.isk != null && $Object.hasOwnProperty.call(message, "isk"))
            object.isk = $root.inet_sk_entry.toObject(message.isk, options, _depth + 1);
        if (message.usk != null && $Object.hasOwnProperty.call(message, "usk"))
            object.usk = $root.unix_sk_entry.toObject(message.usk, options, _depth + 1);
        if (message.pipe != null && $Object.hasOwnProperty.call(message, "pipe"))
            object.pipe = $root.pipe_entry.toObject(message.pipe, options, _depth + 1);
        if (message.tty != null && $Object.hasOwnProperty.call(message, "tty"))
            object.tty = $root.tty_file_entry.toObject(message.tty, options, _depth + 1);
        return object;
    };

    file_entry.prototype.toJSON = function() {
        return file_entry.toObject(this, $protobuf.util.toJSONOptions);
    };

    return file_entry;
})();

export const reg_file_entry = $root.reg_file_entry = (() => {

    const reg_file_entry = function (properties) {
        this.build_id = [];
        if (properties)
            for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                if (properties[keys[i]] != null && keys[i] !== "__proto__")
                    this[keys[i]] = properties[keys[i]];
    };

    reg_file_entry.prototype.name = "";
    reg_file_entry.prototype.size = $util.Long ? $util.Long.fromBits(0,0,true) : 0;
    reg_file_entry.prototype.ext = false;
    reg_file_entry.prototype.mode = 0;
    reg_file_entry.prototype.build_id = $util.emptyArray;

    reg_file_entry.decode = function (reader, length, _end, _depth, _target) {
        if (!(reader instanceof $Reader))
            reader = $Reader.create(reader);
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $Reader.recursionLimit)
            throw $Error("max depth exceeded");
        let end, message;
        if (length === $undefined)
            end = reader.len;
        else {
            end = reader.pos + length;
            if (end > reader.len)
                throw $RangeError("index out of range");
            length = reader.len;
            reader.len = end;
        }
        message = _target || new $root.reg_file_entry();
        while (reader.pos < end) {
            let start = reader.pos;
            let tag = reader.tag();
            if (tag === _end) {
                _end = $undefined;
                break;
            }
            let wireType = tag & 7;
            switch (tag >>>= 3) {
            case 6: {
                    if (wireType !== 2)
                        break;
                    message.name = reader.string();
                    continue;
                }
            case 8: {
                    if (wireType !== 0)
                        break;
                    message.size = reader.uint64();
                    continue;
                }
            case 9: {
                    if (wireType !== 0)
                        break;
                    message.ext = reader.bool();
                    continue;
                }
            case 10: {
                    if (wireType !== 0)
                        break;
                    message.mode = reader.uint32();
                    continue;
                }
            case 11: {
                    if (wireType === 2) {
                        if (!(message.build_id && message.build_id.length))
                            message.build_id = [];
                        reader.uint32s(message.build_id);
                        continue;
                    }
                    if (wireType !== 0)
                        break;
                    if (!(message.build_id && message.build_id.length))
                        message.build_id = [];
                    message.build_id.push(reader.uint32());
                    continue;
                }
            }
            reader.skipType(wireType, _depth, tag);
            if (!reader.discardUnknown) {
                $util.makeProp(message, "$unknowns", false);
                (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
            }
        }
        if (length !== $undefined) {
            if (reader.pos !== end)
                throw $RangeError("index out of range");
            reader.len = length;
        }
        if (_end !== $undefined)
            throw $Error("missing end group");
        if (!$Object.hasOwnProperty.call(message, "name"))
            throw $util.ProtocolError("missing required 'name'", { instance: message });
        return message;
    };

    reg_file_entry.fromObject = function (object, _depth) {
        if (object instanceof $root.reg_file_entry)
            return object;
        if (!$util.isObject(object))
            throw $TypeError(".reg_file_entry: object expected");
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let message = new $root.reg_file_entry();
        if (object.name != null)
            message.name = $String(object.name);
        if (object.size != null)
            if ($util.Long)
                message.size = $util.Long.fromValue(object.size, true);
            else if (typeof object.size === "string")
                message.size = $parseInt(object.size, 10);
            else if (typeof object.size === "number")
                message.size = object.size;
            else if (typeof object.size === "object")
                message.size = new $util.LongBits(object.size.low >>> 0, object.size.high >>> 0).toNumber(true);
        if (object.ext != null)
            message.ext = $Boolean(object.ext);
        if (object.mode != null)
            message.mode = object.mode >>> 0;
        if (object.build_id) {
            if (!$Array.isArray(object.build_id))
                throw $TypeError(".reg_file_entry.build_id: array expected");
            message.build_id = $Array(object.build_id.length);
            for (let i = 0; i < object.build_id.length; ++i)
                message.build_id[i] = object.build_id[i] >>> 0;
        }
        return message;
    };

    reg_file_entry.toObject = function (message, options, _depth) {
        if (!options)
            options = {};
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let object = {};
        if (options.arrays || options.defaults)
            object.build_id = [];
        if (options.defaults) {
            object.name = "";
            if ($util.Long) {
                let long = new $util.Long(0, 0, true);
                object.size = options.longs === $String ? long.toString() : options.longs === $Number ? long.toNumber() : typeof $BigInt !== "undefined" && options.longs === $BigInt ? long.toBigInt() : long;
            } else
                object.size = options.longs === $String ? "0" : typeof $BigInt !== "undefined" && options.longs === $BigInt ? $BigInt("0") : 0;
            object.ext = false;
            object.mode = 0;
        }
        if (message.name != null && $Object.hasOwnProperty.call(message, "name"))
            object.name = message.name;
        if (message.size != null && $Object.hasOwnProperty.call(message, "size"))
            if (typeof $BigInt !== "undefined" && options.longs === $BigInt)
                object.size = typeof message.size === "number" ? $BigInt(message.size) : $util.Long.fromBits(message.size.low >>> 0, message.size.high >>> 0, true).toBigInt();
            else if (typeof message.size === "number")
                object.size = options.longs === $String ? $String(message.size) : message.size;
            else
                object.size = options.longs === $String ? $util.Long.prototype.toString.call(message.size) : options.longs === $Number ? new $util.LongBits(message.size.low >>> 0, message.size.high >>> 0).toNumber(true) : message.size;
        if (message.ext != null && $Object.hasOwnProperty.call(message, "ext"))
            object.ext = message.ext;
        if (message.mode != null && $Object.hasOwnProperty.call(message, "mode"))
            object.mode = message.mode;
        if (message.build_id && message.build_id.length) {
            object.build_id = $Array(message.build_id.length);
            for (let j = 0; j < message.build_id.length; ++j)
                object.build_id[j] = message.build_id[j];
        }
        return object;
    };

    reg_file_entry.prototype.toJSON = function() {
        return reg_file_entry.toObject(this, $protobuf.util.toJSONOptions);
    };

    return reg_file_entry;
})();

export const inet_sk_entry = $root.inet_sk_entry = (() => {

    const inet_sk_entry = function (properties) {
        this.src_addr = [];
        this.dst_addr = [];
        if (properties)
            for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                if (properties[keys[i]] != null && keys[i] !== "__proto__")
                    this[keys[i]] = properties[keys[i]];
    };

    inet_sk_entry.prototype.family = 0;
    inet_sk_entry.prototype.proto = 0;
    inet_sk_entry.prototype.state = 0;
    inet_sk_entry.prototype.src_port = 0;
    inet_sk_entry.prototype.dst_port = 0;
    inet_sk_entry.prototype.src_addr = $util.emptyArray;
    inet_sk_entry.prototype.dst_addr = $util.emptyArray;
    inet_sk_entry.prototype.opts = null;
    inet_sk_entry.prototype.v6only = false;
    inet_sk_entry.prototype.ifname = "";
    inet_sk_entry.prototype.ns_id = 0;

    inet_sk_entry.decode = function (reader, length, _end, _depth, _target) {
        if (!(reader instanceof $Reader))
            reader = $Reader.create(reader);
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $Reader.recursionLimit)
            throw $Error("max depth exceeded");
        let end, message;
        if (length === $undefined)
            end = reader.len;
        else {
            end = reader.pos + length;
            if (end > reader.len)
                throw $RangeError("index out of range");
            length = reader.len;
            reader.len = end;
        }
        message = _target || new $root.inet_sk_entry();
        while (reader.pos < end) {
            let start = reader.pos;
            let tag = reader.tag();
            if (tag === _end) {
                _end = $undefined;
                break;
            }
            let wireType = tag & 7;
            switch (tag >>>= 3) {
            case 3: {
                    if (wireType !== 0)
                        break;
                    message.family = reader.uint32();
                    continue;
                }
            case 5: {
                    if (wireType !== 0)
                        break;
                    message.proto = reader.uint32();
                    continue;
                }
            case 6: {
                    if (wireType !== 0)
                        break;
                    message.state = reader.uint32();
                    continue;
                }
            case 7: {
                    if (wireType !== 0)
                        break;
                    message.src_port = reader.uint32();
                    continue;
                }
            case 8: {
                    if (wireType !== 0)
                        break;
                    message.dst_port = reader.uint32();
                    continue;
                }
            case 11: {
                    if (wireType === 2) {
                        if (!(message.src_addr && message.src_addr.length))
                            message.src_addr = [];
                        reader.uint32s(message.src_addr);
                        continue;
                    }
                    if (wireType !== 0)
                        break;
                    if (!(message.src_addr && message.src_addr.length))
                        message.src_addr = [];
                    message.src_addr.push(reader.uint32());
                    continue;
                }
            case 12: {
                    if (wireType === 2) {
                        if (!(message.dst_addr && message.dst_addr.length))
                            message.dst_addr = [];
                        reader.uint32s(message.dst_addr);
                        continue;
                    }
                    if (wireType !== 0)
                        break;
                    if (!(message.dst_addr && message.dst_addr.length))
                        message.dst_addr = [];
                    message.dst_addr.push(reader.uint32());
                    continue;
                }
            case 14: {
                    if (wireType !== 2)
                        break;
                    message.opts = $root.sk_opts_entry.decode(reader, reader.size(), $undefined, _depth + 1, message.opts);
                    continue;
                }
            case 15: {
                    if (wireType !== 0)
                        break;
                    message.v6only = reader.bool();
                    continue;
                }
            case 17: {
                    if (wireType !== 2)
                        break;
                    message.ifname = reader.string();
                    continue;
                }
            case 18: {
                    if (wireType !== 0)
                        break;
                    message.ns_id = reader.uint32();
                    continue;
                }
            }
            reader.skipType(wireType, _depth, tag);
            if (!reader.discardUnknown) {
                $util.makeProp(message, "$unknowns", false);
                (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
            }
        }
        if (length !== $undefined) {
            if (reader.pos !== end)
                throw $RangeError("index out of range");
            reader.len = length;
        }
        if (_end !== $undefined)
            throw $Error("missing end group");
        if (!$Object.hasOwnProperty.call(message, "family"))
            throw $util.ProtocolError("missing required 'family'", { instance: message });
        if (!$Object.hasOwnProperty.call(message, "proto"))
            throw $util.ProtocolError("missing required 'proto'", { instance: message });
        if (!$Object.hasOwnProperty.call(message, "state"))
            throw $util.ProtocolError("missing required 'state'", { instance: message });
        if (!$Object.hasOwnProperty.call(message, "src_port"))
            throw $util.ProtocolError("missing required 'src_port'", { instance: message });
        if (!$Object.hasOwnProperty.call(message, "dst_port"))
            throw $util.ProtocolError("missing required 'dst_port'", { instance: message });
        if (!$Object.hasOwnProperty.call(message, "opts"))
            throw $util.ProtocolError("missing required 'opts'", { instance: message });
        return message;
    };

    inet_sk_entry.fromObject = function (object, _depth) {
        if (object instanceof $root.inet_sk_entry)
            return object;
        if (!$util.isObject(object))
            throw $TypeError(".inet_sk_entry: object expected");
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let message = new $root.inet_sk_entry();
        if (object.family != null)
            message.family = object.family >>> 0;
        if (object.proto != null)
            message.proto = object.proto >>> 0;
        if (object.state != null)
            message.state = object.state >>> 0;
        if (object.src_port != null)
            message.src_port = object.src_port >>> 0;
        if (object.dst_port != null)
            message.dst_port = object.dst_port >>> 0;
        if (object.src_addr) {
            if (!$Array.isArray(object.src_addr))
                throw $TypeError(".inet_sk_entry.src_addr: array expected");
            message.src_addr = $Array(object.src_addr.length);
            for (let i = 0; i < object.src_addr.length; ++i)
                message.src_addr[i] = object.src_addr[i] >>> 0;
        }
        if (object.dst_addr) {
            if (!$Array.isArray(object.dst_addr))
                throw $TypeError(".inet_sk_entry.dst_addr: array expected");
            message.dst_addr = $Array(object.dst_addr.length);
            for (let i = 0; i < object.dst_addr.length; ++i)
                message.dst_addr[i] = object.dst_addr[i] >>> 0;
        }
        if (object.opts != null) {
            if (!$util.isObject(object.opts))
                throw $TypeError(".inet_sk_entry.opts: object expected");
            message.opts = $root.sk_opts_entry.fromObject(object.opts, _depth + 1);
        }
        if (object.v6only != null)
            message.v6only = $Boolean(object.v6only);
        if (object.ifname != null)
            message.ifname = $String(object.ifname);
        if (object.ns_id != null)
            message.ns_id = object.ns_id >>> 0;
        return message;
    };

    inet_sk_entry.toObject = function (message, options, _depth) {
        if (!options)
            options = {};
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let object = {};
        if (options.arrays || options.defaults) {
            object.src_addr = [];
            object.dst_addr = [];
        }
        if (options.defaults) {
            object.family = 0;
            object.proto = 0;
            object.state = 0;
            object.src_port = 0;
            object.dst_port = 0;
            object.opts = null;
            object.v6only = false;
            object.ifname = "";
            object.ns_id = 0;
        }
        if (message.family != null && $Object.hasOwnProperty.call(message, "family"))
            object.family = message.family;
        if (message.proto != null && $Object.hasOwnProperty.call(message, "proto"))
            object.proto = message.proto;
        if (message.state != null && $Object.hasOwnProperty.call(message, "state"))
            object.state = message.state;
        if (message.src_port != null && $Object.hasOwnProperty.call(message, "src_port"))
            object.src_port = message.src_port;
        if (message.dst_port != null && $Object.hasOwnProperty.call(message, "dst_port"))
            object.dst_port = message.dst_port;
        if (message.src_addr && message.src_addr.length) {
            object.src_addr = $Array(message.src_addr.length);
            for (let j = 0; j < message.src_addr.length; ++j)
                object.src_addr[j] = message.src_addr[j];
        }
        if (message.dst_addr && message.dst_addr.length) {
            object.dst_addr = $Array(message.dst_addr.length);
            for (let j = 0; j < message.dst_addr.length; ++j)
                object.dst_addr[j] = message.dst_addr[j];
        }
        if (message.opts != null && $Object.hasOwnProperty.call(message, "opts"))
            object.opts = $root.sk_opts_entry.toObject(message.opts, options, _depth + 1);
        if (message.v6only != null && $Object.hasOwnProperty.call(message, "v6only"))
            object.v6only = message.v6only;
        if (message.ifname != null && $Object.hasOwnProperty.call(message, "ifname"))
            object.ifname = message.ifname;
        if (message.ns_id != null && $Object.hasOwnProperty.call(message, "ns_id"))
            object.ns_id = message.ns_id;
        return object;
    };

    inet_sk_entry.prototype.toJSON = function() {
        return inet_sk_entry.toObject(this, $protobuf.util.toJSONOptions);
    };

    return inet_sk_entry;
})();

export const sk_opts_entry = $root.sk_opts_entry = (() => {

    const sk_opts_entry = function (properties) {
        if (properties)
            for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                if (properties[keys[i]] != null && keys[i] !== "__proto__")
                    this[keys[i]] = properties[keys[i]];
    };

    sk_opts_entry.prototype.so_bound_dev = "";
    sk_opts_entry.prototype.so_reuseport = false;

    sk_opts_entry.decode = function (reader, length, _end, _depth, _target) {
        if (!(reader instanceof $Reader))
            reader = $Reader.create(reader);
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $Reader.recursionLimit)
            throw $Error("max depth exceeded");
        let end, message;
        if (length === $undefined)
            end = reader.len;
        else {
            end = reader.pos + length;
            if (end > reader.len)
                throw $RangeError("index out of range");
            length = reader.len;
            reader.len = end;
        }
        message = _target || new $root.sk_opts_entry();
        while (reader.pos < end) {
            let start = reader.pos;
            let tag = reader.tag();
            if (tag === _end) {
                _end = $undefined;
                break;
            }
            let wireType = tag & 7;
            switch (tag >>>= 3) {
            case 15: {
                    if (wireType !== 2)
                        break;
                    message.so_bound_dev = reader.string();
                    continue;
                }
            case 17: {
                    if (wireType !== 0)
                        break;
                    message.so_reuseport = reader.bool();
                    continue;
                }
            }
            reader.skipType(wireType, _depth, tag);
            if (!reader.discardUnknown) {
                $util.makeProp(message, "$unknowns", false);
                (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
            }
        }
        if (length !== $undefined) {
            if (reader.pos !== end)
                throw $RangeError("index out of range");
            reader.len = length;
        }
        if (_end !== $undefined)
            throw $Error("missing end group");
        return message;
    };

    sk_opts_entry.fromObject = function (object, _depth) {
        if (object instanceof $root.sk_opts_entry)
            return object;
        if (!$util.isObject(object))
            throw $TypeError(".sk_opts_entry: object expected");
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let message = new $root.sk_opts_entry();
        if (object.so_bound_dev != null)
            message.so_bound_dev = $String(object.so_bound_dev);
        if (object.so_reuseport != null)
            message.so_reuseport = $Boolean(object.so_reuseport);
        return message;
    };

    sk_opts_entry.toObject = function (message, options, _depth) {
        if (!options)
            options = {};
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let object = {};
        if (options.defaults) {
            object.so_bound_dev = "";
            object.so_reuseport = false;
        }
        if (message.so_bound_dev != null && $Object.hasOwnProperty.call(message, "so_bound_dev"))
            object.so_bound_dev = message.so_bound_dev;
        if (message.so_reuseport != null && $Object.hasOwnProperty.call(message, "so_reuseport"))
            object.so_reuseport = message.so_reuseport;
        return object;
    };

    sk_opts_entry.prototype.toJSON = function() {
        return sk_opts_entry.toObject(this, $protobuf.util.toJSONOptions);
    };

    return sk_opts_entry;
})();

export const unix_sk_entry = $root.unix_sk_entry = (() => {

    const unix_sk_entry = function (properties) {
        if (properties)
            for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                if (properties[keys[i]] != null && keys[i] !== "__proto__")
                    this[keys[i]] = properties[keys[i]];
    };

    unix_sk_entry.prototype.ino = 0;
    unix_sk_entry.prototype.type = 0;
    unix_sk_entry.prototype.uflags = 0;
    unix_sk_entry.prototype.peer = 0;
    unix_sk_entry.prototype.name = $util.newBuffer([]);
    unix_sk_entry.prototype.deleted = false;
    unix_sk_entry.prototype.ns_id = 0;

    unix_sk_entry.decode = function (reader, length, _end, _depth, _target) {
        if (!(reader instanceof $Reader))
            reader = $Reader.create(reader);
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $Reader.recursionLimit)
            throw $Error("max depth exceeded");
        let end, message;
        if (length === $undefined)
            end = reader.len;
        else {
            end = reader.pos + length;
            if (end > reader.len)
                throw $RangeError("index out of range");
            length = reader.len;
            reader.len = end;
        }
        message = _target || new $root.unix_sk_entry();
        while (reader.pos < end) {
            let start = reader.pos;
            let tag = reader.tag();
            if (tag === _end) {
                _end = $undefined;
                break;
            }
            let wireType = tag & 7;
            switch (tag >>>= 3) {
            case 2: {
                    if (wireType !== 0)
                        break;
                    message.ino = reader.uint32();
                    continue;
                }
            case 3: {
                    if (wireType !== 0)
                        break;
                    message.type = reader.uint32();
                    continue;
                }
            case 6: {
                    if (wireType !== 0)
                        break;
                    message.uflags = reader.uint32();
                    continue;
                }
            case 8: {
                    if (wireType !== 0)
                        break;
                    message.peer = reader.uint32();
                    continue;
                }
            case 11: {
                    if (wireType !== 2)
                        break;
                    message.name = reader.bytes();
                    continue;
                }
            case 15: {
                    if (wireType !== 0)
                        break;
                    message.deleted = reader.bool();
                    continue;
                }
            case 16: {
                    if (wireType !== 0)
                        break;
                    message.ns_id = reader.uint32();
                    continue;
                }
            }
            reader.skipType(wireType, _depth, tag);
            if (!reader.discardUnknown) {
                $util.makeProp(message, "$unknowns", false);
                (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
            }
        }
        if (length !== $undefined) {
            if (reader.pos !== end)
                throw $RangeError("index out of range");
            reader.len = length;
        }
        if (_end !== $undefined)
            throw $Error("missing end group");
        if (!$Object.hasOwnProperty.call(message, "ino"))
            throw $util.ProtocolError("missing required 'ino'", { instance: message });
        if (!$Object.hasOwnProperty.call(message, "type"))
            throw $util.ProtocolError("missing required 'type'", { instance: message });
        if (!$Object.hasOwnProperty.call(message, "uflags"))
            throw $util.ProtocolError("missing required 'uflags'", { instance: message });
        if (!$Object.hasOwnProperty.call(message, "peer"))
            throw $util.ProtocolError("missing required 'peer'", { instance: message });
        if (!$Object.hasOwnProperty.call(message, "name"))
            throw $util.ProtocolError("missing required 'name'", { instance: message });
        return message;
    };

    unix_sk_entry.fromObject = function (object, _depth) {
        if (object instanceof $root.unix_sk_entry)
            return object;
        if (!$util.isObject(object))
            throw $TypeError(".unix_sk_entry: object expected");
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let message = new $root.unix_sk_entry();
        if (object.ino != null)
            message.ino = object.ino >>> 0;
        if (object.type != null)
            message.type = object.type >>> 0;
        if (object.uflags != null)
            message.uflags = object.uflags >>> 0;
        if (object.peer != null)
            message.peer = object.peer >>> 0;
        if (object.name != null)
            if (typeof object.name === "string")
                $util.base64.decode(object.name, message.name = $util.newBuffer($util.base64.length(object.name)), 0);
            else if (object.name.length >= 0)
                message.name = object.name;
        if (object.deleted != null)
            message.deleted = $Boolean(object.deleted);
        if (object.ns_id != null)
            message.ns_id = object.ns_id >>> 0;
        return message;
    };

    unix_sk_entry.toObject = function (message, options, _depth) {
        if (!options)
            options = {};
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let object = {};
        if (options.defaults) {
            object.ino = 0;
            object.type = 0;
            object.uflags = 0;
            object.peer = 0;
            if (options.bytes === $String)
                object.name = "";
            else {
                object.name = [];
                if (options.bytes !== $Array)
                    object.name = $util.newBuffer(object.name);
            }
            object.deleted = false;
            object.ns_id = 0;
        }
        if (message.ino != null && $Object.hasOwnProperty.call(message, "ino"))
            object.ino = message.ino;
        if (message.type != null && $Object.hasOwnProperty.call(message, "type"))
            object.type = message.type;
        if (message.uflags != null && $Object.hasOwnProperty.call(message, "uflags"))
            object.uflags = message.uflags;
        if (message.peer != null && $Object.hasOwnProperty.call(message, "peer"))
            object.peer = message.peer;
        if (message.name != null && $Object.hasOwnProperty.call(message, "name"))
            object.name = options.bytes === $String ? $util.base64.encode(message.name, 0, message.name.length) : options.bytes === $Array ? $Array.prototype.slice.call(message.name) : message.name;
        if (message.deleted != null && $Object.hasOwnProperty.call(message, "deleted"))
            object.deleted = message.deleted;
        if (message.ns_id != null && $Object.hasOwnProperty.call(message, "ns_id"))
            object.ns_id = message.ns_id;
        return object;
    };

    unix_sk_entry.prototype.toJSON = function() {
        return unix_sk_entry.toObject(this, $protobuf.util.toJSONOptions);
    };

    return unix_sk_entry;
})();

export const pipe_entry = $root.pipe_entry = (() => {

    const pipe_entry = function (properties) {
        if (properties)
            for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                if (properties[keys[i]] != null && keys[i] !== "__proto__")
                    this[keys[i]] = properties[keys[i]];
    };

    pipe_entry.prototype.pipe_id = 0;
    pipe_entry.prototype.flags = 0;

    pipe_entry.decode = function (reader, length, _end, _depth, _target) {
        if (!(reader instanceof $Reader))
            reader = $Reader.create(reader);
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $Reader.recursionLimit)
            throw $Error("max depth exceeded");
        let end, message;
        if (length === $undefined)
            end = reader.len;
        else {
            end = reader.pos + length;
            if (end > reader.len)
                throw $RangeError("index out of range");
            length = reader.len;
            reader.len = end;
        }
        message = _target || new $root.pipe_entry();
        while (reader.pos < end) {
            let start = reader.pos;
            let tag = reader.tag();
            if (tag === _end) {
                _end = $undefined;
                break;
            }
            let wireType = tag & 7;
            switch (tag >>>= 3) {
            case 2: {
                    if (wireType !== 0)
                        break;
                    message.pipe_id = reader.uint32();
                    continue;
                }
            case 3: {
                    if (wireType !== 0)
                        break;
                    message.flags = reader.uint32();
                    continue;
                }
            }
            reader.skipType(wireType, _depth, tag);
            if (!reader.discardUnknown) {
                $util.makeProp(message, "$unknowns", false);
                (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
            }
        }
        if (length !== $undefined) {
            if (reader.pos !== end)
                throw $RangeError("index out of range");
            reader.len = length;
        }
        if (_end !== $undefined)
            throw $Error("missing end group");
        if (!$Object.hasOwnProperty.call(message, "pipe_id"))
            throw $util.ProtocolError("missing required 'pipe_id'", { instance: message });
        if (!$Object.hasOwnProperty.call(message, "flags"))
            throw $util.ProtocolError("missing required 'flags'", { instance: message });
        return message;
    };

    pipe_entry.fromObject = function (object, _depth) {
        if (object instanceof $root.pipe_entry)
            return object;
        if (!$util.isObject(object))
            throw $TypeError(".pipe_entry: object expected");
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let message = new $root.pipe_entry();
        if (object.pipe_id != null)
            message.pipe_id = object.pipe_id >>> 0;
        if (object.flags != null)
            message.flags = object.flags >>> 0;
        return message;
    };

    pipe_entry.toObject = function (message, options, _depth) {
        if (!options)
            options = {};
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let object = {};
        if (options.defaults) {
            object.pipe_id = 0;
            object.flags = 0;
        }
        if (message.pipe_id != null && $Object.hasOwnProperty.call(message, "pipe_id"))
            object.pipe_id = message.pipe_id;
        if (message.flags != null && $Object.hasOwnProperty.call(message, "flags"))
            object.flags = message.flags;
        return object;
    };

    pipe_entry.prototype.toJSON = function() {
        return pipe_entry.toObject(this, $protobuf.util.toJSONOptions);
    };

    return pipe_entry;
})();

export const tty_file_entry = $root.tty_file_entry = (() => {

    const tty_file_entry = function (properties) {
        if (properties)
            for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                if (properties[keys[i]] != null && keys[i] !== "__proto__")
                    this[keys[i]] = properties[keys[i]];
    };

    tty_file_entry.prototype.tty_info_id = 0;

    tty_file_entry.decode = function (reader, length, _end, _depth, _target) {
        if (!(reader instanceof $Reader))
            reader = $Reader.create(reader);
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $Reader.recursionLimit)
            throw $Error("max depth exceeded");
        let end, message;
        if (length === $undefined)
            end = reader.len;
        else {
            end = reader.pos + length;
            if (end > reader.len)
                throw $RangeError("index out of range");
            length = reader.len;
            reader.len = end;
        }
        message = _target || new $root.tty_file_entry();
        while (reader.pos < end) {
            let start = reader.pos;
            let tag = reader.tag();
            if (tag === _end) {
                _end = $undefined;
                break;
            }
            let wireType = tag & 7;
            switch (tag >>>= 3) {
            case 2: {
                    if (wireType !== 0)
                        break;
                    message.tty_info_id = reader.uint32();
                    continue;
                }
            }
            reader.skipType(wireType, _depth, tag);
            if (!reader.discardUnknown) {
                $util.makeProp(message, "$unknowns", false);
                (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
            }
        }
        if (length !== $undefined) {
            if (reader.pos !== end)
                throw $RangeError("index out of range");
            reader.len = length;
        }
        if (_end !== $undefined)
            throw $Error("missing end group");
        if (!$Object.hasOwnProperty.call(message, "tty_info_id"))
            throw $util.ProtocolError("missing required 'tty_info_id'", { instance: message });
        return message;
    };

    tty_file_entry.fromObject = function (object, _depth) {
        if (object instanceof $root.tty_file_entry)
            return object;
        if (!$util.isObject(object))
            throw $TypeError(".tty_file_entry: object expected");
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let message = new $root.tty_file_entry();
        if (object.tty_info_id != null)
            message.tty_info_id = object.tty_info_id >>> 0;
        return message;
    };

    tty_file_entry.toObject = function (message, options, _depth) {
        if (!options)
            options = {};
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let object = {};
        if (options.defaults)
            object.tty_info_id = 0;
        if (message.tty_info_id != null && $Object.hasOwnProperty.call(message, "tty_info_id"))
            object.tty_info_id = message.tty_info_id;
        return object;
    };

    tty_file_entry.prototype.toJSON = function() {
        return tty_file_entry.toObject(this, $protobuf.util.toJSONOptions);
    };

    return tty_file_entry;
})();

export const tty_info_entry = $root.tty_info_entry = (() => {

    const tty_info_entry = function (properties) {
        if (properties)
            for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                if (properties[keys[i]] != null && keys[i] !== "__proto__")
                    this[keys[i]] = properties[keys[i]];
    };

    tty_info_entry.prototype.id = 0;
    tty_info_entry.prototype.type = 0;
    tty_info_entry.prototype.sid = 0;
    tty_info_entry.prototype.rdev = 0;
    tty_info_entry.prototype.termios = null;
    tty_info_entry.prototype.pty = null;

    tty_info_entry.decode = function (reader, length, _end, _depth, _target) {
        if (!(reader instanceof $Reader))
            reader = $Reader.create(reader);
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $Reader.recursionLimit)
            throw $Error("max depth exceeded");
        let end, message;
        if (length === $undefined)
            end = reader.len;
        else {
            end = reader.pos + length;
            if (end > reader.len)
                throw $RangeError("index out of range");
            length = reader.len;
            reader.len = end;
        }
        message = _target || new $root.tty_info_entry();
        while (reader.pos < end) {
            let start = reader.pos;
            let tag = reader.tag();
            if (tag === _end) {
                _end = $undefined;
                break;
            }
            let wireType = tag & 7;
            switch (tag >>>= 3) {
            case 1: {
                    if (wireType !== 0)
                        break;
                    message.id = reader.uint32();
                    continue;
                }
            case 2: {
                    if (wireType !== 0)
                        break;
                    message.type = reader.uint32();
                    continue;
                }
            case 6: {
                    if (wireType !== 0)
                        break;
                    message.sid = reader.uint32();
                    continue;
                }
            case 8: {
                    if (wireType !== 0)
                        break;
                    message.rdev = reader.uint32();
                    continue;
                }
            case 9: {
                    if (wireType !== 2)
                        break;
                    message.termios = $root.termios_entry.decode(reader, reader.size(), $undefined, _depth + 1, message.termios);
                    continue;
                }
            case 12: {
                    if (wireType !== 2)
                        break;
                    message.pty = $root.tty_pty_entry.decode(reader, reader.size(), $undefined, _depth + 1, message.pty);
                    continue;
                }
            }
            reader.skipType(wireType, _depth, tag);
            if (!reader.discardUnknown) {
                $util.makeProp(message, "$unknowns", false);
                (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
            }
        }
        if (length !== $undefined) {
            if (reader.pos !== end)
                throw $RangeError("index out of range");
            reader.len = length;
        }
        if (_end !== $undefined)
            throw $Error("missing end group");
        if (!$Object.hasOwnProperty.call(message, "id"))
            throw $util.ProtocolError("missing required 'id'", { instance: message });
        if (!$Object.hasOwnProperty.call(message, "type"))
            throw $util.ProtocolError("missing required 'type'", { instance: message });
        if (!$Object.hasOwnProperty.call(message, "sid"))
            throw $util.ProtocolError("missing required 'sid'", { instance: message });
        if (!$Object.hasOwnProperty.call(message, "rdev"))
            throw $util.ProtocolError("missing required 'rdev'", { instance: message });
        return message;
    };

    tty_info_entry.fromObject = function (object, _depth) {
        if (object instanceof $root.tty_info_entry)
            return object;
        if (!$util.isObject(object))
            throw $TypeError(".tty_info_entry: object expected");
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let message = new $root.tty_info_entry();
        if (object.id != null)
            message.id = object.id >>> 0;
        if (object.type != null)
            message.type = object.type >>> 0;
        if (object.sid != null)
            message.sid = object.sid >>> 0;
        if (object.rdev != null)
            message.rdev = object.rdev >>> 0;
        if (object.termios != null) {
            if (!$util.isObject(object.termios))
                throw $TypeError(".tty_info_entry.termios: object expected");
            message.termios = $root.termios_entry.fromObject(object.termios, _depth + 1);
        }
        if (object.pty != null) {
            if (!$util.isObject(object.pty))
                throw $TypeError(".tty_info_entry.pty: object expected");
            message.pty = $root.tty_pty_entry.fromObject(object.pty, _depth + 1);
        }
        return message;
    };

    tty_info_entry.toObject = function (message, options, _depth) {
        if (!options)
            options = {};
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let object = {};
        if (options.defaults) {
            object.id = 0;
            object.type = 0;
            object.sid = 0;
            object.rdev = 0;
            object.termios = null;
            object.pty = null;
        }
        if (message.id != null && $Object.hasOwnProperty.call(message, "id"))
            object.id = message.id;
        if (message.type != null && $Object.hasOwnProperty.call(message, "type"))
            object.type = message.type;
        if (message.sid != null && $Object.hasOwnProperty.call(message, "sid"))
            object.sid = message.sid;
        if (message.rdev != null && $Object.hasOwnProperty.call(message, "rdev"))
            object.rdev = message.rdev;
        if (message.termios != null && $Object.hasOwnProperty.call(message, "termios"))
            object.termios = $root.termios_entry.toObject(message.termios, options, _depth + 1);
        if (message.pty != null && $Object.hasOwnProperty.call(message, "pty"))
            object.pty = $root.tty_pty_entry.toObject(message.pty, options, _depth + 1);
        return object;
    };

    tty_info_entry.prototype.toJSON = function() {
        return tty_info_entry.toObject(this, $protobuf.util.toJSONOptions);
    };

    return tty_info_entry;
})();

export const termios_entry = $root.termios_entry = (() => {

    const termios_entry = function (properties) {
        if (properties)
            for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                if (properties[keys[i]] != null && keys[i] !== "__proto__")
                    this[keys[i]] = properties[keys[i]];
    };

    termios_entry.decode = function (reader, length, _end, _depth, _target) {
        if (!(reader instanceof $Reader))
            reader = $Reader.create(reader);
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $Reader.recursionLimit)
            throw $Error("max depth exceeded");
        let end, message;
        if (length === $undefined)
            end = reader.len;
        else {
            end = reader.pos + length;
            if (end > reader.len)
                throw $RangeError("index out of range");
            length = reader.len;
            reader.len = end;
        }
        message = _target || new $root.termios_entry();
        while (reader.pos < end) {
            let start = reader.pos;
            let tag = reader.tag();
            if (tag === _end) {
                _end = $undefined;
                break;
            }
            reader.skipType(tag & 7, _depth, tag);
            if (!reader.discardUnknown) {
                $util.makeProp(message, "$unknowns", false);
                (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
            }
        }
        if (length !== $undefined) {
            if (reader.pos !== end)
                throw $RangeError("index out of range");
            reader.len = length;
        }
        if (_end !== $undefined)
            throw $Error("missing end group");
        return message;
    };

    termios_entry.fromObject = function (object, _depth) {
        if (object instanceof $root.termios_entry)
            return object;
        if (!$util.isObject(object))
            throw $TypeError(".termios_entry: object expected");
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        return new $root.termios_entry();
    };

    termios_entry.toObject = function () {
        return {};
    };

    termios_entry.prototype.toJSON = function() {
        return termios_entry.toObject(this, $protobuf.util.toJSONOptions);
    };

    return termios_entry;
})();

export const tty_pty_entry = $root.tty_pty_entry = (() => {

    const tty_pty_entry = function (properties) {
        if (properties)
            for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                if (properties[keys[i]] != null && keys[i] !== "__proto__")
                    this[keys[i]] = properties[keys[i]];
    };

    tty_pty_entry.prototype.index = 0;

    tty_pty_entry.decode = function (reader, length, _end, _depth, _target) {
        if (!(reader instanceof $Reader))
            reader = $Reader.create(reader);
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $Reader.recursionLimit)
            throw $Error("max depth exceeded");
        let end, message;
        if (length === $undefined)
            end = reader.len;
        else {
            end = reader.pos + length;
            if (end > reader.len)
                throw $RangeError("index out of range");
            length = reader.len;
            reader.len = end;
        }
        message = _target || new $root.tty_pty_entry();
        while (reader.pos < end) {
            let start = reader.pos;
            let tag = reader.tag();
            if (tag === _end) {
                _end = $undefined;
                break;
            }
            let wireType = tag & 7;
            switch (tag >>>= 3) {
            case 1: {
                    if (wireType !== 0)
                        break;
                    message.index = reader.uint32();
                    continue;
                }
            }
            reader.skipType(wireType, _depth, tag);
            if (!reader.discardUnknown) {
                $util.makeProp(message, "$unknowns", false);
                (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
            }
        }
        if (length !== $undefined) {
            if (reader.pos !== end)
                throw $RangeError("index out of range");
            reader.len = length;
        }
        if (_end !== $undefined)
            throw $Error("missing end group");
        if (!$Object.hasOwnProperty.call(message, "index"))
            throw $util.ProtocolError("missing required 'index'", { instance: message });
        return message;
    };

    tty_pty_entry.fromObject = function (object, _depth) {
        if (object instanceof $root.tty_pty_entry)
            return object;
        if (!$util.isObject(object))
            throw $TypeError(".tty_pty_entry: object expected");
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let message = new $root.tty_pty_entry();
        if (object.index != null)
            message.index = object.index >>> 0;
        return message;
    };

    tty_pty_entry.toObject = function (message, options, _depth) {
        if (!options)
            options = {};
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let object = {};
        if (options.defaults)
            object.index = 0;
        if (message.index != null && $Object.hasOwnProperty.call(message, "index"))
            object.index = message.index;
        return object;
    };

    tty_pty_entry.prototype.toJSON = function() {
        return tty_pty_entry.toObject(this, $protobuf.util.toJSONOptions);
    };

    return tty_pty_entry;
})();

export const remap_file_path_entry = $root.remap_file_path_entry = (() => {

    const remap_file_path_entry = function (properties) {
        if (properties)
            for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                if (properties[keys[i]] != null && keys[i] !== "__proto__")
                    this[keys[i]] = properties[keys[i]];
    };

    remap_file_path_entry.prototype.orig_id = 0;
    remap_file_path_entry.prototype.remap_id = 0;
    remap_file_path_entry.prototype.remap_type = 0;

    remap_file_path_entry.decode = function (reader, length, _end, _depth, _target) {
        if (!(reader instanceof $Reader))
            reader = $Reader.create(reader);
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $Reader.recursionLimit)
            throw $Error("max depth exceeded");
        let end, message;
        if (length === $undefined)
            end = reader.len;
        else {
            end = reader.pos + length;
            if (end > reader.len)
                throw $RangeError("index out of range");
            length = reader.len;
            reader.len = end;
        }
        message = _target || new $root.remap_file_path_entry();
        while (reader.pos < end) {
            let start = reader.pos;
            let tag = reader.tag();
            if (tag === _end) {
                _end = $undefined;
                break;
            }
            let wireType = tag & 7;
            switch (tag >>>= 3) {
            case 1: {
                    if (wireType !== 0)
                        break;
                    message.orig_id = reader.uint32();
                    continue;
                }
            case 2: {
                    if (wireType !== 0)
                        break;
                    message.remap_id = reader.uint32();
                    continue;
                }
            case 3: {
                    if (wireType !== 0)
                        break;
                    message.remap_type = reader.uint32();
                    continue;
                }
            }
            reader.skipType(wireType, _depth, tag);
            if (!reader.discardUnknown) {
                $util.makeProp(message, "$unknowns", false);
                (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
            }
        }
        if (length !== $undefined) {
            if (reader.pos !== end)
                throw $RangeError("index out of range");
            reader.len = length;
        }
        if (_end !== $undefined)
            throw $Error("missing end group");
        if (!$Object.hasOwnProperty.call(message, "orig_id"))
            throw $util.ProtocolError("missing required 'orig_id'", { instance: message });
        if (!$Object.hasOwnProperty.call(message, "remap_id"))
            throw $util.ProtocolError("missing required 'remap_id'", { instance: message });
        return message;
    };

    remap_file_path_entry.fromObject = function (object, _depth) {
        if (object instanceof $root.remap_file_path_entry)
            return object;
        if (!$util.isObject(object))
            throw $TypeError(".remap_file_path_entry: object expected");
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let message = new $root.remap_file_path_entry();
        if (object.orig_id != null)
            message.orig_id = object.orig_id >>> 0;
        if (object.remap_id != null)
            message.remap_id = object.remap_id >>> 0;
        if (object.remap_type != null)
            message.remap_type = object.remap_type >>> 0;
        return message;
    };

    remap_file_path_entry.toObject = function (message, options, _depth) {
        if (!options)
            options = {};
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let object = {};
        if (options.defaults) {
            object.orig_id = 0;
            object.remap_id = 0;
            object.remap_type = 0;
        }
        if (message.orig_id != null && $Object.hasOwnProperty.call(message, "orig_id"))
            object.orig_id = message.orig_id;
        if (message.remap_id != null && $Object.hasOwnProperty.call(message, "remap_id"))
            object.remap_id = message.remap_id;
        if (message.remap_type != null && $Object.hasOwnProperty.call(message, "remap_type"))
            object.remap_type = message.remap_type;
        return object;
    };

    remap_file_path_entry.prototype.toJSON = function() {
        return remap_file_path_entry.toObject(this, $protobuf.util.toJSONOptions);
    };

    return remap_file_path_entry;
})();

export const file_lock_entry = $root.file_lock_entry = (() => {

    const file_lock_entry = function (properties) {
        if (properties)
            for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                if (properties[keys[i]] != null && keys[i] !== "__proto__")
                    this[keys[i]] = properties[keys[i]];
    };

    file_lock_entry.prototype.pid = 0;
    file_lock_entry.prototype.fd = 0;

    file_lock_entry.decode = function (reader, length, _end, _depth, _target) {
        if (!(reader instanceof $Reader))
            reader = $Reader.create(reader);
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $Reader.recursionLimit)
            throw $Error("max depth exceeded");
        let end, message;
        if (length === $undefined)
            end = reader.len;
        else {
            end = reader.pos + length;
            if (end > reader.len)
                throw $RangeError("index out of range");
            length = reader.len;
            reader.len = end;
        }
        message = _target || new $root.file_lock_entry();
        while (reader.pos < end) {
            let start = reader.pos;
            let tag = reader.tag();
            if (tag === _end) {
                _end = $undefined;
                break;
            }
            let wireType = tag & 7;
            switch (tag >>>= 3) {
            case 3: {
                    if (wireType !== 0)
                        break;
                    message.pid = reader.int32();
                    continue;
                }
            case 4: {
                    if (wireType !== 0)
                        break;
                    message.fd = reader.int32();
                    continue;
                }
            }
            reader.skipType(wireType, _depth, tag);
            if (!reader.discardUnknown) {
                $util.makeProp(message, "$unknowns", false);
                (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
            }
        }
        if (length !== $undefined) {
            if (reader.pos !== end)
                throw $RangeError("index out of range");
            reader.len = length;
        }
        if (_end !== $undefined)
            throw $Error("missing end group");
        if (!$Object.hasOwnProperty.call(message, "pid"))
            throw $util.ProtocolError("missing required 'pid'", { instance: message });
        if (!$Object.hasOwnProperty.call(message, "fd"))
            throw $util.ProtocolError("missing required 'fd'", { instance: message });
        return message;
    };

    file_lock_entry.fromObject = function (object, _depth) {
        if (object instanceof $root.file_lock_entry)
            return object;
        if (!$util.isObject(object))
            throw $TypeError(".file_lock_entry: object expected");
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let message = new $root.file_lock_entry();
        if (object.pid != null)
            message.pid = object.pid | 0;
        if (object.fd != null)
            message.fd = object.fd | 0;
        return message;
    };

    file_lock_entry.toObject = function (message, options, _depth) {
        if (!options)
            options = {};
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let object = {};
        if (options.defaults) {
            object.pid = 0;
            object.fd = 0;
        }
        if (message.pid != null && $Object.hasOwnProperty.call(message, "pid"))
            object.pid = message.pid;
        if (message.fd != null && $Object.hasOwnProperty.call(message, "fd"))
            object.fd = message.fd;
        return object;
    };

    file_lock_entry.prototype.toJSON = function() {
        return file_lock_entry.toObject(this, $protobuf.util.toJSONOptions);
    };

    return file_lock_entry;
})();

export const mnt_entry = $root.mnt_entry = (() => {

    const mnt_entry = function (properties) {
        if (properties)
            for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                if (properties[keys[i]] != null && keys[i] !== "__proto__")
                    this[keys[i]] = properties[keys[i]];
    };

    mnt_entry.prototype.root = "";
    mnt_entry.prototype.mountpoint = "";
    mnt_entry.prototype.ext_mount = false;
    mnt_entry.prototype.ext_key = "";

    mnt_entry.decode = function (reader, length, _end, _depth, _target) {
        if (!(reader instanceof $Reader))
            reader = $Reader.create(reader);
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $Reader.recursionLimit)
            throw $Error("max depth exceeded");
        let end, message;
        if (length === $undefined)
            end = reader.len;
        else {
            end = reader.pos + length;
            if (end > reader.len)
                throw $RangeError("index out of range");
            length = reader.len;
            reader.len = end;
        }
        message = _target || new $root.mnt_entry();
        while (reader.pos < end) {
            let start = reader.pos;
            let tag = reader.tag();
            if (tag === _end) {
                _end = $undefined;
                break;
            }
            let wireType = tag & 7;
            switch (tag >>>= 3) {
            case 6: {
                    if (wireType !== 2)
                        break;
                    message.root = reader.string();
                    continue;
                }
            case 7: {
                    if (wireType !== 2)
                        break;
                    message.mountpoint = reader.string();
                    continue;
                }
            case 13: {
                    if (wireType !== 0)
                        break;
                    message.ext_mount = reader.bool();
                    continue;
                }
            case 18: {
                    if (wireType !== 2)
                        break;
                    message.ext_key = reader.string();
                    continue;
                }
            }
            reader.skipType(wireType, _depth, tag);
            if (!reader.discardUnknown) {
                $util.makeProp(message, "$unknowns", false);
                (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
            }
        }
        if (length !== $undefined) {
            if (reader.pos !== end)
                throw $RangeError("index out of range");
            reader.len = length;
        }
        if (_end !== $undefined)
            throw $Error("missing end group");
        if (!$Object.hasOwnProperty.call(message, "root"))
            throw $util.ProtocolError("missing required 'root'", { instance: message });
        if (!$Object.hasOwnProperty.call(message, "mountpoint"))
            throw $util.ProtocolError("missing required 'mountpoint'", { instance: message });
        return message;
    };

    mnt_entry.fromObject = function (object, _depth) {
        if (object instanceof $root.mnt_entry)
            return object;
        if (!$util.isObject(object))
            throw $TypeError(".mnt_entry: object expected");
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let message = new $root.mnt_entry();
        if (object.root != null)
            message.root = $String(object.root);
        if (object.mountpoint != null)
            message.mountpoint = $String(object.mountpoint);
        if (object.ext_mount != null)
            message.ext_mount = $Boolean(object.ext_mount);
        if (object.ext_key != null)
            message.ext_key = $String(object.ext_key);
        return message;
    };

    mnt_entry.toObject = function (message, options, _depth) {
        if (!options)
            options = {};
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let object = {};
        if (options.defaults) {
            object.root = "";
            object.mountpoint = "";
            object.ext_mount = false;
            object.ext_key = "";
        }
        if (message.root != null && $Object.hasOwnProperty.call(message, "root"))
            object.root = message.root;
        if (message.mountpoint != null && $Object.hasOwnProperty.call(message, "mountpoint"))
            object.mountpoint = message.mountpoint;
        if (message.ext_mount != null && $Object.hasOwnProperty.call(message, "ext_mount"))
            object.ext_mount = message.ext_mount;
        if (message.ext_key != null && $Object.hasOwnProperty.call(message, "ext_key"))
            object.ext_key = message.ext_key;
        return object;
    };

    mnt_entry.prototype.toJSON = function() {
        return mnt_entry.toObject(this, $protobuf.util.toJSONOptions);
    };

    return mnt_entry;
})();

export {
  $root as default
};
