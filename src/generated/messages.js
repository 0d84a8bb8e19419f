// Written by scripts/generate.mjs from proto/. Do not edit.
import $protobuf from "protobufjs/minimal.js";

const $Reader = $protobuf.Reader, $Writer = $protobuf.Writer, $util = $protobuf.util;
const $Object = $util.global.Object, $undefined = $util.global.undefined, $Error = $util.global.Error, $RangeError = $util.global.RangeError, $TypeError = $util.global.TypeError, $Boolean = $util.global.Boolean, $String = $util.global.String, $Array = $util.global.Array, $parseInt = $util.global.parseInt, $Number = $util.global.Number, $BigInt = $util.global.BigInt;

const $root = {};

export const criu_req_type = $root.criu_req_type = (() => {
    const valuesById = $Object.create(null), values = $Object.create(valuesById);
    values[valuesById[0] = "EMPTY"] = 0;
    values[valuesById[1] = "DUMP"] = 1;
    values[valuesById[2] = "RESTORE"] = 2;
    values[valuesById[3] = "CHECK"] = 3;
    values[valuesById[4] = "PRE_DUMP"] = 4;
    values[valuesById[5] = "PAGE_SERVER"] = 5;
    values[valuesById[6] = "NOTIFY"] = 6;
    values[valuesById[7] = "CPUINFO_DUMP"] = 7;
    values[valuesById[8] = "CPUINFO_CHECK"] = 8;
    values[valuesById[9] = "FEATURE_CHECK"] = 9;
    values[valuesById[10] = "VERSION"] = 10;
    values[valuesById[11] = "WAIT_PID"] = 11;
    values[valuesById[12] = "PAGE_SERVER_CHLD"] = 12;
    values[valuesById[13] = "SINGLE_PRE_DUMP"] = 13;
    return values;
})();

export const criu_req = $root.criu_req = (() => {

    const criu_req = function (properties) {
        if (properties)
            for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                if (properties[keys[i]] != null && keys[i] !== "__proto__")
                    this[keys[i]] = properties[keys[i]];
    };

    criu_req.prototype.type = 0;
    criu_req.prototype.opts = null;
    criu_req.prototype.notify_success = false;
    criu_req.prototype.keep_open = false;
    criu_req.prototype.features = null;
    criu_req.prototype.pid = 0;

    criu_req.encode = function (message, writer, _depth) {
        if (!writer)
            writer = $Writer.create();
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        writer.uint32(8).int32(message.type);
        if (message.opts != null && $Object.hasOwnProperty.call(message, "opts"))
            $root.criu_opts.encode(message.opts, writer.uint32(18).fork(), _depth + 1).ldelim();
        if (message.notify_success != null && $Object.hasOwnProperty.call(message, "notify_success"))
            writer.uint32(24).bool(message.notify_success);
        if (message.keep_open != null && $Object.hasOwnProperty.call(message, "keep_open"))
            writer.uint32(32).bool(message.keep_open);
        if (message.features != null && $Object.hasOwnProperty.call(message, "features"))
            $root.criu_features.encode(message.features, writer.uint32(42).fork(), _depth + 1).ldelim();
        if (message.pid != null && $Object.hasOwnProperty.call(message, "pid"))
            writer.uint32(48).uint32(message.pid);
        if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
            for (let i = 0; i < message.$unknowns.length; ++i)
                writer.raw(message.$unknowns[i]);
        return writer;
    };

    criu_req.decode = function (reader, length, _end, _depth, _target) {
        if (!(reader instanceof $Reader))
            reader = $Reader.create(reader);
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $Reader.recursionLimit)
            throw $Error("max depth exceeded");
        let end, message, value;
        if (length === $undefined)
            end = reader.len;
        else {
            end = reader.pos + length;
            if (end > reader.len)
                throw $RangeError("index out of range");
            length = reader.len;
            reader.len = end;
        }
        message = _target || new $root.criu_req();
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
                    value = reader.int32();
                    if ($root.criu_req_type[value] !== $undefined)
                        message.type = value;
                    else if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                    continue;
                }
            case 2: {
                    if (wireType !== 2)
                        break;
                    message.opts = $root.criu_opts.decode(reader, reader.size(), $undefined, _depth + 1, message.opts);
                    continue;
                }
            case 3: {
                    if (wireType !== 0)
                        break;
                    message.notify_success = reader.bool();
                    continue;
                }
            case 4: {
                    if (wireType !== 0)
                        break;
                    message.keep_open = reader.bool();
                    continue;
                }
            case 5: {
                    if (wireType !== 2)
                        break;
                    message.features = $root.criu_features.decode(reader, reader.size(), $undefined, _depth + 1, message.features);
                    continue;
                }
            case 6: {
                    if (wireType !== 0)
                        break;
                    message.pid = reader.uint32();
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
        return message;
    };

    criu_req.fromObject = function (object, _depth) {
        if (object instanceof $root.criu_req)
            return object;
        if (!$util.isObject(object))
            throw $TypeError(".criu_req: object expected");
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let message = new $root.criu_req();
        switch (object.type) {
        case "EMPTY":
        case 0:
            message.type = 0;
            break;
        case "DUMP":
        case 1:
            message.type = 1;
            break;
        case "RESTORE":
        case 2:
            message.type = 2;
            break;
        case "CHECK":
        case 3:
            message.type = 3;
            break;
        case "PRE_DUMP":
        case 4:
            message.type = 4;
            break;
        case "PAGE_SERVER":
        case 5:
            message.type = 5;
            break;
        case "NOTIFY":
        case 6:
            message.type = 6;
            break;
        case "CPUINFO_DUMP":
        case 7:
            message.type = 7;
            break;
        case "CPUINFO_CHECK":
        case 8:
            message.type = 8;
            break;
        case "FEATURE_CHECK":
        case 9:
            message.type = 9;
            break;
        case "VERSION":
        case 10:
            message.type = 10;
            break;
        case "WAIT_PID":
        case 11:
            message.type = 11;
            break;
        case "PAGE_SERVER_CHLD":
        case 12:
            message.type = 12;
            break;
        case "SINGLE_PRE_DUMP":
        case 13:
            message.type = 13;
            break;
        default:
        }
        if (object.opts != null) {
            if (!$util.isObject(object.opts))
                throw $TypeError(".criu_req.opts: object expected");
            message.opts = $root.criu_opts.fromObject(object.opts, _depth + 1);
        }
        if (object.notify_success != null)
            message.notify_success = $Boolean(object.notify_success);
        if (object.keep_open != null)
            message.keep_open = $Boolean(object.keep_open);
        if (object.features != null) {
            if (!$util.isObject(object.features))
                throw $TypeError(".criu_req.features: object expected");
            message.features = $root.criu_features.fromObject(object.features, _depth + 1);
        }
        if (object.pid != null)
            message.pid = object.pid >>> 0;
        return message;
    };

    criu_req.toObject = function (message, options, _depth) {
        if (!options)
            options = {};
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let object = {};
        if (options.defaults) {
            object.type = options.enums === $String ? "EMPTY" : 0;
            object.opts = null;
            object.notify_success = false;
            object.keep_open = false;
            object.features = null;
            object.pid = 0;
        }
        if (message.type != null && $Object.hasOwnProperty.call(message, "type"))
            object.type = options.enums === $String ? $root.criu_req_type[message.type] === $undefined ? message.type : $root.criu_req_type[message.type] : message.type;
        if (message.opts != null && $Object.hasOwnProperty.call(message, "opts"))
            object.opts = $root.criu_opts.toObject(message.opts, options, _depth + 1);
        if (message.notify_success != null && $Object.hasOwnProperty.call(message, "notify_success"))
            object.notify_success = message.notify_success;
        if (message.keep_open != null && $Object.hasOwnProperty.call(message, "keep_open"))
            object.keep_open = message.keep_open;
        if (message.features != null && $Object.hasOwnProperty.call(message, "features"))
            object.features = $root.criu_features.toObject(message.features, options, _depth + 1);
        if (message.pid != null && $Object.hasOwnProperty.call(message, "pid"))
            object.pid = message.pid;
        return object;
    };

    criu_req.prototype.toJSON = function() {
        return criu_req.toObject(this, $protobuf.util.toJSONOptions);
    };

    return criu_req;
})();

export const criu_resp = $root.criu_resp = (() => {

    const criu_resp = function (properties) {
        if (properties)
            for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                if (properties[keys[i]] != null && keys[i] !== "__proto__")
                    this[keys[i]] = properties[keys[i]];
    };

    criu_resp.prototype.type = 0;
    criu_resp.prototype.success = false;
    criu_resp.prototype.dump = null;
    criu_resp.prototype.restore = null;
    criu_resp.prototype.notify = null;
    criu_resp.prototype.ps = null;
    criu_resp.prototype.features = null;
    criu_resp.prototype.version = null;
    criu_resp.prototype.status = 0;
    criu_resp.prototype.cr_errno = 0;
    criu_resp.prototype.cr_errmsg = "";

    criu_resp.encode = function (message, writer, _depth) {
        if (!writer)
            writer = $Writer.create();
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        writer.uint32(8).int32(message.type);
        writer.uint32(16).bool(message.success);
        if (message.dump != null && $Object.hasOwnProperty.call(message, "dump"))
            $root.criu_dump_resp.encode(message.dump, writer.uint32(26).fork(), _depth + 1).ldelim();
        if (message.restore != null && $Object.hasOwnProperty.call(message, "restore"))
            $root.criu_restore_resp.encode(message.restore, writer.uint32(34).fork(), _depth + 1).ldelim();
        if (message.notify != null && $Object.hasOwnProperty.call(message, "notify"))
            $root.criu_notify.encode(message.notify, writer.uint32(42).fork(), _depth + 1).ldelim();
        if (message.ps != null && $Object.hasOwnProperty.call(message, "ps"))
            $root.criu_page_server_info.encode(message.ps, writer.uint32(50).fork(), _depth + 1).ldelim();
        if (message.cr_errno != null && $Object.hasOwnProperty.call(message, "cr_errno"))
            writer.uint32(56).int32(message.cr_errno);
        if (message.features != null && $Object.hasOwnProperty.call(message, "features"))
            $root.criu_features.encode(message.features, writer.uint32(66).fork(), _depth + 1).ldelim();
        if (message.cr_errmsg != null && $Object.hasOwnProperty.call(message, "cr_errmsg"))
            writer.uint32(74).string(message.cr_errmsg);
        if (message.version != null && $Object.hasOwnProperty.call(message, "version"))
            $root.criu_version.encode(message.version, writer.uint32(82).fork(), _depth + 1).ldelim();
        if (message.status != null && $Object.hasOwnProperty.call(message, "status"))
            writer.uint32(88).int32(message.status);
        if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
            for (let i = 0; i < message.$unknowns.length; ++i)
                writer.raw(message.$unknowns[i]);
        return writer;
    };

    criu_resp.decode = function (reader, length, _end, _depth, _target) {
        if (!(reader instanceof $Reader))
            reader = $Reader.create(reader);
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $Reader.recursionLimit)
            throw $Error("max depth exceeded");
        let end, message, value;
        if (length === $undefined)
            end = reader.len;
        else {
            end = reader.pos + length;
            if (end > reader.len)
                throw $RangeError("index out of range");
            length = reader.len;
            reader.len = end;
        }
        message = _target || new $root.criu_resp();
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
                    value = reader.int32();
                    if ($root.criu_req_type[value] !== $undefined)
                        message.type = value;
                    else if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                    continue;
                }
            case 2: {
                    if (wireType !== 0)
                        break;
                    message.success = reader.bool();
                    continue;
                }
            case 3: {
                    if (wireType !== 2)
                        break;
                    message.dump = $root.criu_dump_resp.decode(reader, reader.size(), $undefined, _depth + 1, message.dump);
                    continue;
                }
            case 4: {
                    if (wireType !== 2)
                        break;
                    message.restore = $root.criu_restore_resp.decode(reader, reader.size(), $undefined, _depth + 1, message.restore);
                    continue;
                }
            case 5: {
                    if (wireType !== 2)
                        break;
                    message.notify = $root.criu_notify.decode(reader, reader.size(), $undefined, _depth + 1, message.notify);
                    continue;
                }
            case 6: {
                    if (wireType !== 2)
                        break;
                    message.ps = $root.criu_page_server_info.decode(reader, reader.size(), $undefined, _depth + 1, message.ps);
                    continue;
                }
            case 8: {
                    if (wireType !== 2)
                        break;
                    message.features = $root.criu_features.decode(reader, reader.size(), $undefined, _depth + 1, message.features);
                    continue;
                }
            case 10: {
                    if (wireType !== 2)
                        break;
                    message.version = $root.criu_version.decode(reader, reader.size(), $undefined, _depth + 1, message.version);
                    continue;
                }
            case 11: {
                    if (wireType !== 0)
                        break;
                    message.status = reader.int32();
                    continue;
                }
            case 7: {
                    if (wireType !== 0)
                        break;
                    message.cr_errno = reader.int32();
                    continue;
                }
            case 9: {
                    if (wireType !== 2)
                        break;
                    message.cr_errmsg = reader.string();
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
        if (!$Object.hasOwnProperty.call(message, "success"))
            throw $util.ProtocolError("missing required 'success'", { instance: message });
        return message;
    };

    criu_resp.fromObject = function (object, _depth) {
        if (object instanceof $root.criu_resp)
            return object;
        if (!$util.isObject(object))
            throw $TypeError(".criu_resp: object expected");
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let message = new $root.criu_resp();
        switch (object.type) {
        case "EMPTY":
        case 0:
            message.type = 0;
            break;
        case "DUMP":
        case 1:
            message.type = 1;
            break;
        case "RESTORE":
        case 2:
            message.type = 2;
            break;
        case "CHECK":
        case 3:
            message.type = 3;
            break;
        case "PRE_DUMP":
        case 4:
            message.type = 4;
            break;
        case "PAGE_SERVER":
        case 5:
            message.type = 5;
            break;
        case "NOTIFY":
        case 6:
            message.type = 6;
            break;
        case "CPUINFO_DUMP":
        case 7:
            message.type = 7;
            break;
        case "CPUINFO_CHECK":
        case 8:
            message.type = 8;
            break;
        case "FEATURE_CHECK":
        case 9:
            message.type = 9;
            break;
        case "VERSION":
        case 10:
            message.type = 10;
            break;
        case "WAIT_PID":
        case 11:
            message.type = 11;
            break;
        case "PAGE_SERVER_CHLD":
        case 12:
            message.type = 12;
            break;
        case "SINGLE_PRE_DUMP":
        case 13:
            message.type = 13;
            break;
        default:
        }
        if (object.success != null)
            message.success = $Boolean(object.success);
        if (object.dump != null) {
            if (!$util.isObject(object.dump))
                throw $TypeError(".criu_resp.dump: object expected");
            message.dump = $root.criu_dump_resp.fromObject(object.dump, _depth + 1);
        }
        if (object.restore != null) {
            if (!$util.isObject(object.restore))
                throw $TypeError(".criu_resp.restore: object expected");
            message.restore = $root.criu_restore_resp.fromObject(object.restore, _depth + 1);
        }
        if (object.notify != null) {
            if (!$util.isObject(object.notify))
                throw $TypeError(".criu_resp.notify: object expected");
            message.notify = $root.criu_notify.fromObject(object.notify, _depth + 1);
        }
        if (object.ps != null) {
            if (!$util.isObject(object.ps))
                throw $TypeError(".criu_resp.ps: object expected");
            message.ps = $root.criu_page_server_info.fromObject(object.ps, _depth + 1);
        }
        if (object.features != null) {
            if (!$util.isObject(object.features))
                throw $TypeError(".criu_resp.features: object expected");
            message.features = $root.criu_features.fromObject(object.features, _depth + 1);
        }
        if (object.version != null) {
            if (!$util.isObject(object.version))
                throw $TypeError(".criu_resp.version: object expected");
            message.version = $root.criu_version.fromObject(object.version, _depth + 1);
        }
        if (object.status != null)
            message.status = object.status | 0;
        if (object.cr_errno != null)
            message.cr_errno = object.cr_errno | 0;
        if (object.cr_errmsg != null)
            message.cr_errmsg = $String(object.cr_errmsg);
        return message;
    };

    criu_resp.toObject = function (message, options, _depth) {
        if (!options)
            options = {};
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let object = {};
        if (options.defaults) {
            object.type = options.enums === $String ? "EMPTY" : 0;
            object.success = false;
            object.dump = null;
            object.restore = null;
            object.notify = null;
            object.ps = null;
            object.cr_errno = 0;
            object.features = null;
            object.cr_errmsg = "";
            object.version = null;
            object.status = 0;
        }
        if (message.type != null && $Object.hasOwnProperty.call(message, "type"))
            object.type = options.enums === $String ? $root.criu_req_type[message.type] === $undefined ? message.type : $root.criu_req_type[message.type] : message.type;
        if (message.success != null && $Object.hasOwnProperty.call(message, "success"))
            object.success = message.success;
        if (message.dump != null && $Object.hasOwnProperty.call(message, "dump"))
            object.dump = $root.criu_dump_resp.toObject(message.dump, options, _depth + 1);
        if (message.restore != null && $Object.hasOwnProperty.call(message, "restore"))
            object.restore = $root.criu_restore_resp.toObject(message.restore, options, _depth + 1);
        if (message.notify != null && $Object.hasOwnProperty.call(message, "notify"))
            object.notify = $root.criu_notify.toObject(message.notify, options, _depth + 1);
        if (message.ps != null && $Object.hasOwnProperty.call(message, "ps"))
            object.ps = $root.criu_page_server_info.toObject(message.ps, options, _depth + 1);
        if (message.cr_errno != null && $Object.hasOwnProperty.call(message, "cr_errno"))
            object.cr_errno = message.cr_errno;
        if (message.features != null && $Object.hasOwnProperty.call(message, "features"))
            object.features = $root.criu_features.toObject(message.features, options, _depth + 1);
        if (message.cr_errmsg != null && $Object.hasOwnProperty.call(message, "cr_errmsg"))
            object.cr_errmsg = message.cr_errmsg;
        if (message.version != null && $Object.hasOwnProperty.call(message, "version"))
            object.version = $root.criu_version.toObject(message.version, options, _depth + 1);
        if (message.status != null && $Object.hasOwnProperty.call(message, "status"))
            object.status = message.status;
        return object;
    };

    criu_resp.prototype.toJSON = function() {
        return criu_resp.toObject(this, $protobuf.util.toJSONOptions);
    };

    return criu_resp;
})();

export const criu_dump_resp = $root.criu_dump_resp = (() => {

    const criu_dump_resp = function (properties) {
        if (properties)
            for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                if (properties[keys[i]] != null && keys[i] !== "__proto__")
                    this[keys[i]] = properties[keys[i]];
    };

    criu_dump_resp.prototype.restored = false;

    criu_dump_resp.encode = function (message, writer, _depth) {
        if (!writer)
            writer = $Writer.create();
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        if (message.restored != null && $Object.hasOwnProperty.call(message, "restored"))
            writer.uint32(8).bool(message.restored);
        if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
            for (let i = 0; i < message.$unknowns.length; ++i)
                writer.raw(message.$unknowns[i]);
        return writer;
    };

    criu_dump_resp.decode = function (reader, length, _end, _depth, _target) {
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
        message = _target || new $root.criu_dump_resp();
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
                    message.restored = reader.bool();
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

    criu_dump_resp.fromObject = function (object, _depth) {
        if (object instanceof $root.criu_dump_resp)
            return object;
        if (!$util.isObject(object))
            throw $TypeError(".criu_dump_resp: object expected");
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let message = new $root.criu_dump_resp();
        if (object.restored != null)
            message.restored = $Boolean(object.restored);
        return message;
    };

    criu_dump_resp.toObject = function (message, options, _depth) {
        if (!options)
            options = {};
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let object = {};
        if (options.defaults)
            object.restored = false;
        if (message.restored != null && $Object.hasOwnProperty.call(message, "restored"))
            object.restored = message.restored;
        return object;
    };

    criu_dump_resp.prototype.toJSON = function() {
        return criu_dump_resp.toObject(this, $protobuf.util.toJSONOptions);
    };

    return criu_dump_resp;
})();

export const criu_restore_resp = $root.criu_restore_resp = (() => {

    const criu_restore_resp = function (properties) {
        if (properties)
            for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                if (properties[keys[i]] != null && keys[i] !== "__proto__")
                    this[keys[i]] = properties[keys[i]];
    };

    criu_restore_resp.prototype.pid = 0;

    criu_restore_resp.encode = function (message, writer, _depth) {
        if (!writer)
            writer = $Writer.create();
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        writer.uint32(8).int32(message.pid);
        if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
            for (let i = 0; i < message.$unknowns.length; ++i)
                writer.raw(message.$unknowns[i]);
        return writer;
    };

    criu_restore_resp.decode = function (reader, length, _end, _depth, _target) {
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
        message = _target || new $root.criu_restore_resp();
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
                    message.pid = reader.int32();
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
        return message;
    };

    criu_restore_resp.fromObject = function (object, _depth) {
        if (object instanceof $root.criu_restore_resp)
            return object;
        if (!$util.isObject(object))
            throw $TypeError(".criu_restore_resp: object expected");
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let message = new $root.criu_restore_resp();
        if (object.pid != null)
            message.pid = object.pid | 0;
        return message;
    };

    criu_restore_resp.toObject = function (message, options, _depth) {
        if (!options)
            options = {};
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let object = {};
        if (options.defaults)
            object.pid = 0;
        if (message.pid != null && $Object.hasOwnProperty.call(message, "pid"))
            object.pid = message.pid;
        return object;
    };

    criu_restore_resp.prototype.toJSON = function() {
        return criu_restore_resp.toObject(this, $protobuf.util.toJSONOptions);
    };

    return criu_restore_resp;
})();

export const criu_notify = $root.criu_notify = (() => {

    const criu_notify = function (properties) {
        if (properties)
            for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                if (properties[keys[i]] != null && keys[i] !== "__proto__")
                    this[keys[i]] = properties[keys[i]];
    };

    criu_notify.prototype.script = "";
    criu_notify.prototype.pid = 0;

    criu_notify.encode = function (message, writer, _depth) {
        if (!writer)
            writer = $Writer.create();
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        if (message.script != null && $Object.hasOwnProperty.call(message, "script"))
            writer.uint32(10).string(message.script);
        if (message.pid != null && $Object.hasOwnProperty.call(message, "pid"))
            writer.uint32(16).int32(message.pid);
        if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
            for (let i = 0; i < message.$unknowns.length; ++i)
                writer.raw(message.$unknowns[i]);
        return writer;
    };

    criu_notify.decode = function (reader, length, _end, _depth, _target) {
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
        message = _target || new $root.criu_notify();
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
                    if (wireType !== 2)
                        break;
                    message.script = reader.string();
                    continue;
                }
            case 2: {
                    if (wireType !== 0)
                        break;
                    message.pid = reader.int32();
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

    criu_notify.fromObject = function (object, _depth) {
        if (object instanceof $root.criu_notify)
            return object;
        if (!$util.isObject(object))
            throw $TypeError(".criu_notify: object expected");
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let message = new $root.criu_notify();
        if (object.script != null)
            message.script = $String(object.script);
        if (object.pid != null)
            message.pid = object.pid | 0;
        return message;
    };

    criu_notify.toObject = function (message, options, _depth) {
        if (!options)
            options = {};
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let object = {};
        if (options.defaults) {
            object.script = "";
            object.pid = 0;
        }
        if (message.script != null && $Object.hasOwnProperty.call(message, "script"))
            object.script = message.script;
        if (message.pid != null && $Object.hasOwnProperty.call(message, "pid"))
            object.pid = message.pid;
        return object;
    };

    criu_notify.prototype.toJSON = function() {
        return criu_notify.toObject(this, $protobuf.util.toJSONOptions);
    };

    return criu_notify;
})();

export const criu_features = $root.criu_features = (() => {

    const criu_features = function (properties) {
        if (properties)
            for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                if (properties[keys[i]] != null && keys[i] !== "__proto__")
                    this[keys[i]] = properties[keys[i]];
    };

    criu_features.prototype.mem_track = false;
    criu_features.prototype.lazy_pages = false;
    criu_features.prototype.pidfd_store = false;
    criu_features.prototype.mem_compression = false;

    criu_features.encode = function (message, writer, _depth) {
        if (!writer)
            writer = $Writer.create();
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        if (message.mem_track != null && $Object.hasOwnProperty.call(message, "mem_track"))
            writer.uint32(8).bool(message.mem_track);
        if (message.lazy_pages != null && $Object.hasOwnProperty.call(message, "lazy_pages"))
            writer.uint32(16).bool(message.lazy_pages);
        if (message.pidfd_store != null && $Object.hasOwnProperty.call(message, "pidfd_store"))
            writer.uint32(24).bool(message.pidfd_store);
        if (message.mem_compression != null && $Object.hasOwnProperty.call(message, "mem_compression"))
            writer.uint32(32).bool(message.mem_compression);
        if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
            for (let i = 0; i < message.$unknowns.length; ++i)
                writer.raw(message.$unknowns[i]);
        return writer;
    };

    criu_features.decode = function (reader, length, _end, _depth, _target) {
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
        message = _target || new $root.criu_features();
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
                    message.mem_track = reader.bool();
                    continue;
                }
            case 2: {
                    if (wireType !== 0)
                        break;
                    message.lazy_pages = reader.bool();
                    continue;
                }
            case 3: {
                    if (wireType !== 0)
                        break;
                    message.pidfd_store = reader.bool();
                    continue;
                }
            case 4: {
                    if (wireType !== 0)
                        break;
                    message.mem_compression = reader.bool();
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

    criu_features.fromObject = function (object, _depth) {
        if (object instanceof $root.criu_features)
            return object;
        if (!$util.isObject(object))
            throw $TypeError(".criu_features: object expected");
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let message = new $root.criu_features();
        if (object.mem_track != null)
            message.mem_track = $Boolean(object.mem_track);
        if (object.lazy_pages != null)
            message.lazy_pages = $Boolean(object.lazy_pages);
        if (object.pidfd_store != null)
            message.pidfd_store = $Boolean(object.pidfd_store);
        if (object.mem_compression != null)
            message.mem_compression = $Boolean(object.mem_compression);
        return message;
    };

    criu_features.toObject = function (message, options, _depth) {
        if (!options)
            options = {};
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let object = {};
        if (options.defaults) {
            object.mem_track = false;
            object.lazy_pages = false;
            object.pidfd_store = false;
            object.mem_compression = false;
        }
        if (message.mem_track != null && $Object.hasOwnProperty.call(message, "mem_track"))
            object.mem_track = message.mem_track;
        if (message.lazy_pages != null && $Object.hasOwnProperty.call(message, "lazy_pages"))
            object.lazy_pages = message.lazy_pages;
        if (message.pidfd_store != null && $Object.hasOwnProperty.call(message, "pidfd_store"))
            object.pidfd_store = message.pidfd_store;
        if (message.mem_compression != null && $Object.hasOwnProperty.call(message, "mem_compression"))
            object.mem_compression = message.mem_compression;
        return object;
    };

    criu_features.prototype.toJSON = function() {
        return criu_features.toObject(this, $protobuf.util.toJSONOptions);
    };

    return criu_features;
})();

export const criu_version = $root.criu_version = (() => {

    const criu_version = function (properties) {
        if (properties)
            for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                if (properties[keys[i]] != null && keys[i] !== "__proto__")
                    this[keys[i]] = properties[keys[i]];
    };

    criu_version.prototype.major_number = 0;
    criu_version.prototype.minor_number = 0;
    criu_version.prototype.gitid = "";
    criu_version.prototype.sublevel = 0;
    criu_version.prototype.extra = 0;
    criu_version.prototype.name = "";

    criu_version.encode = function (message, writer, _depth) {
        if (!writer)
            writer = $Writer.create();
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        writer.uint32(8).int32(message.major_number);
        writer.uint32(16).int32(message.minor_number);
        if (message.gitid != null && $Object.hasOwnProperty.call(message, "gitid"))
            writer.uint32(26).string(message.gitid);
        if (message.sublevel != null && $Object.hasOwnProperty.call(message, "sublevel"))
            writer.uint32(32).int32(message.sublevel);
        if (message.extra != null && $Object.hasOwnProperty.call(message, "extra"))
            writer.uint32(40).int32(message.extra);
        if (message.name != null && $Object.hasOwnProperty.call(message, "name"))
            writer.uint32(50).string(message.name);
        if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
            for (let i = 0; i < message.$unknowns.length; ++i)
                writer.raw(message.$unknowns[i]);
        return writer;
    };

    criu_version.decode = function (reader, length, _end, _depth, _target) {
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
        message = _target || new $root.criu_version();
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
                    message.major_number = reader.int32();
                    continue;
                }
            case 2: {
                    if (wireType !== 0)
                        break;
                    message.minor_number = reader.int32();
                    continue;
                }
            case 3: {
                    if (wireType !== 2)
                        break;
                    message.gitid = reader.string();
                    continue;
                }
            case 4: {
                    if (wireType !== 0)
                        break;
                    message.sublevel = reader.int32();
                    continue;
                }
            case 5: {
                    if (wireType !== 0)
                        break;
                    message.extra = reader.int32();
                    continue;
                }
            case 6: {
                    if (wireType !== 2)
                        break;
                    message.name = reader.string();
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
        if (!$Object.hasOwnProperty.call(message, "major_number"))
            throw $util.ProtocolError("missing required 'major_number'", { instance: message });
        if (!$Object.hasOwnProperty.call(message, "minor_number"))
            throw $util.ProtocolError("missing required 'minor_number'", { instance: message });
        return message;
    };

    criu_version.fromObject = function (object, _depth) {
        if (object instanceof $root.criu_version)
            return object;
        if (!$util.isObject(object))
            throw $TypeError(".criu_version: object expected");
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let message = new $root.criu_version();
        if (object.major_number != null)
            message.major_number = object.major_number | 0;
        if (object.minor_number != null)
            message.minor_number = object.minor_number | 0;
        if (object.gitid != null)
            message.gitid = $String(object.gitid);
        if (object.sublevel != null)
            message.sublevel = object.sublevel | 0;
        if (object.extra != null)
            message.extra = object.extra | 0;
        if (object.name != null)
            message.name = $String(object.name);
        return message;
    };

    criu_version.toObject = function (message, options, _depth) {
        if (!options)
            options = {};
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let object = {};
        if (options.defaults) {
            object.major_number = 0;
            object.minor_number = 0;
            object.gitid = "";
            object.sublevel = 0;
            object.extra = 0;
            object.name = "";
        }
        if (message.major_number != null && $Object.hasOwnProperty.call(message, "major_number"))
            object.major_number = message.major_number;
        if (message.minor_number != null && $Object.hasOwnProperty.call(message, "minor_number"))
            object.minor_number = message.minor_number;
        if (message.gitid != null && $Object.hasOwnProperty.call(message, "gitid"))
            object.gitid = message.gitid;
        if (message.sublevel != null && $Object.hasOwnProperty.call(message, "sublevel"))
            object.sublevel = message.sublevel;
        if (message.extra != null && $Object.hasOwnProperty.call(message, "extra"))
            object.extra = message.extra;
        if (message.name != null && $Object.hasOwnProperty.call(message, "name"))
            object.name = message.name;
        return object;
    };

    criu_version.prototype.toJSON = function() {
        return criu_version.toObject(this, $protobuf.util.toJSONOptions);
    };

    return criu_version;
})();

export const criu_opts = $root.criu_opts = (() => {

    const criu_opts = function (properties) {
        this.exec_cmd = [];
        this.plugin_options = [];
        this.irmap_scan_paths = [];
        this.inherit_fd = [];
        this.external = [];
        this.unix_sk_ino = [];
        this.veths = [];
        this.ext_mnt = [];
        this.skip_mnt = [];
        this.enable_fs = [];
        this.join_ns = [];
        this.cg_root = [];
        this.cgroup_dump_controller = [];
        if (properties)
            for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                if (properties[keys[i]] != null && keys[i] !== "__proto__")
                    this[keys[i]] = properties[keys[i]];
    };

    criu_opts.prototype.images_dir_fd = -1;
    criu_opts.prototype.images_dir = "";
    criu_opts.prototype.work_dir_fd = 0;
    criu_opts.prototype.parent_img = "";
    criu_opts.prototype.pid = 0;
    criu_opts.prototype.root = "";
    criu_opts.prototype.leave_running = false;
    criu_opts.prototype.leave_stopped = false;
    criu_opts.prototype.rst_sibling = false;
    criu_opts.prototype.exec_cmd = $util.emptyArray;
    criu_opts.prototype.timeout = 0;
    criu_opts.prototype.unprivileged = false;
    criu_opts.prototype.log_level = 2;
    criu_opts.prototype.log_file = "";
    criu_opts.prototype.log_to_stderr = false;
    criu_opts.prototype.display_stats = false;
    criu_opts.prototype.notify_scripts = false;
    criu_opts.prototype.status_fd = 0;
    criu_opts.prototype.config_file = "";
    criu_opts.prototype.plugin_options = $util.emptyArray;
    criu_opts.prototype.track_mem = false;
    criu_opts.prototype.auto_dedup = false;
    criu_opts.prototype.lazy_pages = false;
    criu_opts.prototype.pre_dump_mode = 1;
    criu_opts.prototype.pidfd_store_sk = 0;
    criu_opts.prototype.image_io_mode = 0;
    criu_opts.prototype.compress = 0;
    criu_opts.prototype.compress_acceleration = 0;
    criu_opts.prototype.compress_block_size = 0;
    criu_opts.prototype.decompress_threads = 1;
    criu_opts.prototype.stream = false;
    criu_opts.prototype.ps = null;
    criu_opts.prototype.tls = false;
    criu_opts.prototype.tls_cacert = "";
    criu_opts.prototype.tls_cacrl = "";
    criu_opts.prototype.tls_cert = "";
    criu_opts.prototype.tls_key = "";
    criu_opts.prototype.tls_no_cn_verify = false;
    criu_opts.prototype.evasive_devices = false;
    criu_opts.prototype.file_locks = false;
    criu_opts.prototype.link_remap = false;
    criu_opts.prototype.force_irmap = false;
    criu_opts.prototype.irmap_scan_paths = $util.emptyArray;
    criu_opts.prototype.ghost_limit = 1048576;
    criu_opts.prototype.skip_file_rwx_check = false;
    criu_opts.prototype.inherit_fd = $util.emptyArray;
    criu_opts.prototype.external = $util.emptyArray;
    criu_opts.prototype.shell_job = false;
    criu_opts.prototype.orphan_pts_master = false;
    criu_opts.prototype.ext_unix_sk = false;
    criu_opts.prototype.unix_sk_ino = $util.emptyArray;
    criu_opts.prototype.tcp_established = false;
    criu_opts.prototype.tcp_skip_in_flight = false;
    criu_opts.prototype.tcp_close = false;
    criu_opts.prototype.network_lock = 1;
    criu_opts.prototype.veths = $util.emptyArray;
    criu_opts.prototype.ext_mnt = $util.emptyArray;
    criu_opts.prototype.auto_ext_mnt = false;
    criu_opts.prototype.ext_sharing = false;
    criu_opts.prototype.ext_masters = false;
    criu_opts.prototype.skip_mnt = $util.emptyArray;
    criu_opts.prototype.enable_fs = $util.emptyArray;
    criu_opts.prototype.mntns_compat_mode = false;
    criu_opts.prototype.empty_ns = 0;
    criu_opts.prototype.join_ns = $util.emptyArray;
    criu_opts.prototype.weak_sysctls = false;
    criu_opts.prototype.manage_cgroups = false;
    criu_opts.prototype.manage_cgroups_mode = 0;
    criu_opts.prototype.cg_root = $util.emptyArray;
    criu_opts.prototype.cgroup_props = "";
    criu_opts.prototype.cgroup_props_file = "";
    criu_opts.prototype.cgroup_dump_controller = $util.emptyArray;
    criu_opts.prototype.freeze_cgroup = "";
    criu_opts.prototype.cgroup_yard = "";
    criu_opts.prototype.lsm_profile = "";
    criu_opts.prototype.lsm_mount_context = "";
    criu_opts.prototype.cpu_cap = 4294967295;

    criu_opts.encode = function (message, writer, _depth) {
        if (!writer)
            writer = $Writer.create();
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        writer.uint32(8).int32(message.images_dir_fd);
        if (message.pid != null && $Object.hasOwnProperty.call(message, "pid"))
            writer.uint32(16).int32(message.pid);
        if (message.leave_running != null && $Object.hasOwnProperty.call(message, "leave_running"))
            writer.uint32(24).bool(message.leave_running);
        if (message.ext_unix_sk != null && $Object.hasOwnProperty.call(message, "ext_unix_sk"))
            writer.uint32(32).bool(message.ext_unix_sk);
        if (message.tcp_established != null && $Object.hasOwnProperty.call(message, "tcp_established"))
            writer.uint32(40).bool(message.tcp_established);
        if (message.evasive_devices != null && $Object.hasOwnProperty.call(message, "evasive_devices"))
            writer.uint32(48).bool(message.evasive_devices);
        if (message.shell_job != null && $Object.hasOwnProperty.call(message, "shell_job"))
            writer.uint32(56).bool(message.shell_job);
        if (message.file_locks != null && $Object.hasOwnProperty.call(message, "file_locks"))
            writer.uint32(64).bool(message.file_locks);
        if (message.log_level != null && $Object.hasOwnProperty.call(message, "log_level"))
            writer.uint32(72).int32(message.log_level);
        if (message.log_file != null && $Object.hasOwnProperty.call(message, "log_file"))
            writer.uint32(82).string(message.log_file);
        if (message.ps != null && $Object.hasOwnProperty.call(message, "ps"))
            $root.criu_page_server_info.encode(message.ps, writer.uint32(90).fork(), _depth + 1).ldelim();
        if (message.notify_scripts != null && $Object.hasOwnProperty.call(message, "notify_scripts"))
            writer.uint32(96).bool(message.notify_scripts);
        if (message.root != null && $Object.hasOwnProperty.call(message, "root"))
            writer.uint32(106).string(message.root);
        if (message.parent_img != null && $Object.hasOwnProperty.call(message, "parent_img"))
            writer.uint32(114).string(message.parent_img);
        if (message.track_mem != null && $Object.hasOwnProperty.call(message, "track_mem"))
            writer.uint32(120).bool(message.track_mem);
        if (message.auto_dedup != null && $Object.hasOwnProperty.call(message, "auto_dedup"))
            writer.uint32(128).bool(message.auto_dedup);
        if (message.work_dir_fd != null && $Object.hasOwnProperty.call(message, "work_dir_fd"))
            writer.uint32(136).int32(message.work_dir_fd);
        if (message.link_remap != null && $Object.hasOwnProperty.call(message, "link_remap"))
            writer.uint32(144).bool(message.link_remap);
        if (message.veths != null && message.veths.length)
            for (let i = 0; i < message.veths.length; ++i)
                $root.criu_veth_pair.encode(message.veths[i], writer.uint32(154).fork(), _depth + 1).ldelim();
        if (message.cpu_cap != null && $Object.hasOwnProperty.call(message, "cpu_cap"))
            writer.uint32(160).uint32(message.cpu_cap);
        if (message.force_irmap != null && $Object.hasOwnProperty.call(message, "force_irmap"))
            writer.uint32(168).bool(message.force_irmap);
        if (message.exec_cmd != null && message.exec_cmd.length)
            for (let i = 0; i < message.exec_cmd.length; ++i)
                writer.uint32(178).string(message.exec_cmd[i]);
        if (message.ext_mnt != null && message.ext_mnt.length)
            for (let i = 0; i < message.ext_mnt.length; ++i)
                $root.ext_mount_map.encode(message.ext_mnt[i], writer.uint32(186).fork(), _depth + 1).ldelim();
        if (message.manage_cgroups != null && $Object.hasOwnProperty.call(message, "manage_cgroups"))
            writer.uint32(192).bool(message.manage_cgroups);
        if (message.cg_root != null && message.cg_root.length)
            for (let i = 0; i < message.cg_root.length; ++i)
                $root.cgroup_root.encode(message.cg_root[i], writer.uint32(202).fork(), _depth + 1).ldelim();
        if (message.rst_sibling != null && $Object.hasOwnProperty.call(message, "rst_sibling"))
            writer.uint32(208).bool(message.rst_sibling);
        if (message.inherit_fd != null && message.inherit_fd.length)
            for (let i = 0; i < message.inherit_fd.length; ++i)
                $root.inherit_fd.encode(message.inherit_fd[i], writer.uint32(218).fork(), _depth + 1).ldelim();
        if (message.auto_ext_mnt != null && $Object.hasOwnProperty.call(message, "auto_ext_mnt"))
            writer.uint32(224).bool(message.auto_ext_mnt);
        if (message.ext_sharing != null && $Object.hasOwnProperty.call(message, "ext_sharing"))
            writer.uint32(232).bool(message.ext_sharing);
        if (message.ext_masters != null && $Object.hasOwnProperty.call(message, "ext_masters"))
            writer.uint32(240).bool(message.ext_masters);
        if (message.skip_mnt != null && message.skip_mnt.length)
            for (let i = 0; i < message.skip_mnt.length; ++i)
                writer.uint32(250).string(message.skip_mnt[i]);
        if (message.enable_fs != null && message.enable_fs.length)
            for (let i = 0; i < message.enable_fs.length; ++i)
                writer.uint32(258).string(message.enable_fs[i]);
        if (message.unix_sk_ino != null && message.unix_sk_ino.length)
            for (let i = 0; i < message.unix_sk_ino.length; ++i)
                $root.unix_sk.encode(message.unix_sk_ino[i], writer.uint32(266).fork(), _depth + 1).ldelim();
        if (message.manage_cgroups_mode != null && $Object.hasOwnProperty.call(message, "manage_cgroups_mode"))
            writer.uint32(272).int32(message.manage_cgroups_mode);
        if (message.ghost_limit != null && $Object.hasOwnProperty.call(message, "ghost_limit"))
            writer.uint32(280).uint32(message.ghost_limit);
        if (message.irmap_scan_paths != null && message.irmap_scan_paths.length)
            for (let i = 0; i < message.irmap_scan_paths.length; ++i)
                writer.uint32(290).string(message.irmap_scan_paths[i]);
        if (message.external != null && message.external.length)
            for (let i = 0; i < message.external.length; ++i)
                writer.uint32(298).string(message.external[i]);
        if (message.empty_ns != null && $Object.hasOwnProperty.call(message, "empty_ns"))
            writer.uint32(304).uint32(message.empty_ns);
        if (message.join_ns != null && message.join_ns.length)
            for (let i = 0; i < message.join_ns.length; ++i)
                $root.join_namespace.encode(message.join_ns[i], writer.uint32(314).fork(), _depth + 1).ldelim();
        if (message.cgroup_props != null && $Object.hasOwnProperty.call(message, "cgroup_props"))
            writer.uint32(330).string(message.cgroup_props);
        if (message.cgroup_props_file != null && $Object.hasOwnProperty.call(message, "cgroup_props_file"))
            writer.uint32(338).string(message.cgroup_props_file);
        if (message.cgroup_dump_controller != null && message.cgroup_dump_controller.length)
            for (let i = 0; i < message.cgroup_dump_controller.length; ++i)
                writer.uint32(346).string(message.cgroup_dump_controller[i]);
        if (message.freeze_cgroup != null && $Object.hasOwnProperty.call(message, "freeze_cgroup"))
            writer.uint32(354).string(message.freeze_cgroup);
        if (message.timeout != null && $Object.hasOwnProperty.call(message, "timeout"))
            writer.uint32(360).uint32(message.timeout);
        if (message.tcp_skip_in_flight != null && $Object.hasOwnProperty.call(message, "tcp_skip_in_flight"))
            writer.uint32(368).bool(message.tcp_skip_in_flight);
        if (message.weak_sysctls != null && $Object.hasOwnProperty.call(message, "weak_sysctls"))
            writer.uint32(376).bool(message.weak_sysctls);
        if (message.lazy_pages != null && $Object.hasOwnProperty.call(message, "lazy_pages"))
            writer.uint32(384).bool(message.lazy_pages);
        if (message.status_fd != null && $Object.hasOwnProperty.call(message, "status_fd"))
            writer.uint32(392).int32(message.status_fd);
        if (message.orphan_pts_master != null && $Object.hasOwnProperty.call(message, "orphan_pts_master"))
            writer.uint32(400).bool(message.orphan_pts_master);
        if (message.config_file != null && $Object.hasOwnProperty.call(message, "config_file"))
            writer.uint32(410).string(message.config_file);
        if (message.tcp_close != null && $Object.hasOwnProperty.call(message, "tcp_close"))
            writer.uint32(416).bool(message.tcp_close);
        if (message.lsm_profile != null && $Object.hasOwnProperty.call(message, "lsm_profile"))
            writer.uint32(426).string(message.lsm_profile);
        if (message.tls_cacert != null && $Object.hasOwnProperty.call(message, "tls_cacert"))
            writer.uint32(434).string(message.tls_cacert);
        if (message.tls_cacrl != null && $Object.hasOwnProperty.call(message, "tls_cacrl"))
            writer.uint32(442).string(message.tls_cacrl);
        if (message.tls_cert != null && $Object.hasOwnProperty.call(message, "tls_cert"))
            writer.uint32(450).string(message.tls_cert);
        if (message.tls_key != null && $Object.hasOwnProperty.call(message, "tls_key"))
            writer.uint32(458).string(message.tls_key);
        if (message.tls != null && $Object.hasOwnProperty.call(message, "tls"))
            writer.uint32(464).bool(message.tls);
        if (message.tls_no_cn_verify != null && $Object.hasOwnProperty.call(message, "tls_no_cn_verify"))
            writer.uint32(472).bool(message.tls_no_cn_verify);
        if (message.cgroup_yard != null && $Object.hasOwnProperty.call(message, "cgroup_yard"))
            writer.uint32(482).string(message.cgroup_yard);
        if (message.pre_dump_mode != null && $Object.hasOwnProperty.call(message, "pre_dump_mode"))
            writer.uint32(488).int32(message.pre_dump_mode);
        if (message.pidfd_store_sk != null && $Object.hasOwnProperty.call(message, "pidfd_store_sk"))
            writer.uint32(496).int32(message.pidfd_store_sk);
        if (message.lsm_mount_context != null && $Object.hasOwnProperty.call(message, "lsm_mount_context"))
            writer.uint32(506).string(message.lsm_mount_context);
        if (message.network_lock != null && $Object.hasOwnProperty.call(message, "network_lock"))
            writer.uint32(512).int32(message.network_lock);
        if (message.mntns_compat_mode != null && $Object.hasOwnProperty.call(message, "mntns_compat_mode"))
            writer.uint32(520).bool(message.mntns_compat_mode);
        if (message.skip_file_rwx_check != null && $Object.hasOwnProperty.call(message, "skip_file_rwx_check"))
            writer.uint32(528).bool(message.skip_file_rwx_check);
        if (message.unprivileged != null && $Object.hasOwnProperty.call(message, "unprivileged"))
            writer.uint32(536).bool(message.unprivileged);
        if (message.images_dir != null && $Object.hasOwnProperty.call(message, "images_dir"))
            writer.uint32(546).string(message.images_dir);
        if (message.leave_stopped != null && $Object.hasOwnProperty.call(message, "leave_stopped"))
            writer.uint32(552).bool(message.leave_stopped);
        if (message.display_stats != null && $Object.hasOwnProperty.call(message, "display_stats"))
            writer.uint32(560).bool(message.display_stats);
        if (message.log_to_stderr != null && $Object.hasOwnProperty.call(message, "log_to_stderr"))
            writer.uint32(568).bool(message.log_to_stderr);
        if (message.image_io_mode != null && $Object.hasOwnProperty.call(message, "image_io_mode"))
            writer.uint32(576).int32(message.image_io_mode);
        if (message.compress != null && $Object.hasOwnProperty.call(message, "compress"))
            writer.uint32(584).uint32(message.compress);
        if (message.compress_acceleration != null && $Object.hasOwnProperty.call(message, "compress_acceleration"))
            writer.uint32(592).uint32(message.compress_acceleration);
        if (message.compress_block_size != null && $Object.hasOwnProperty.call(message, "compress_block_size"))
            writer.uint32(600).uint32(message.compress_block_size);
        if (message.decompress_threads != null && $Object.hasOwnProperty.call(message, "decompress_threads"))
            writer.uint32(608).uint32(message.decompress_threads);
        if (message.plugin_options != null && message.plugin_options.length)
            for (let i = 0; i < message.plugin_options.length; ++i)
                writer.uint32(618).string(message.plugin_options[i]);
        if (message.stream != null && $Object.hasOwnProperty.call(message, "stream"))
            writer.uint32(624).bool(message.stream);
        if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
            for (let i = 0; i < message.$unknowns.length; ++i)
                writer.raw(message.$unknowns[i]);
        return writer;
    };

    criu_opts.decode = function (reader, length, _end, _depth, _target) {
        if (!(reader instanceof $Reader))
            reader = $Reader.create(reader);
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $Reader.recursionLimit)
            throw $Error("max depth exceeded");
        let end, message, value;
        if (length === $undefined)
            end = reader.len;
        else {
            end = reader.pos + length;
            if (end > reader.len)
                throw $RangeError("index out of range");
            length = reader.len;
            reader.len = end;
        }
        message = _target || new $root.criu_opts();
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
                    message.images_dir_fd = reader.int32();
                    continue;
                }
            case 68: {
                    if (wireType !== 2)
                        break;
                    message.images_dir = reader.string();
                    continue;
                }
            case 17: {
                    if (wireType !== 0)
                        break;
                    message.work_dir_fd = reader.int32();
                    continue;
                }
            case 14: {
                    if (wireType !== 2)
                        break;
                    message.parent_img = reader.string();
                    continue;
                }
            case 2: {
                    if (wireType !== 0)
                        break;
                    message.pid = reader.int32();
                    continue;
                }
            case 13: {
                    if (wireType !== 2)
                        break;
                    message.root = reader.string();
                    continue;
                }
            case 3: {
                    if (wireType !== 0)
                        break;
                    message.leave_running = reader.bool();
                    continue;
                }
            case 69: {
                    if (wireType !== 0)
                        break;
                    message.leave_stopped = reader.bool();
                    continue;
                }
            case 26: {
                    if (wireType !== 0)
                        break;
                    message.rst_sibling = reader.bool();
                    continue;
                }
            case 22: {
                    if (wireType !== 2)
                        break;
                    if (!(message.exec_cmd && message.exec_cmd.length))
                        message.exec_cmd = [];
                    message.exec_cmd.push(reader.string());
                    continue;
                }
            case 45: {
                    if (wireType !== 0)
                        break;
                    message.timeout = reader.uint32();
                    continue;
                }
            case 67: {
                    if (wireType !== 0)
                        break;
                    message.unprivileged = reader.bool();
                    continue;
                }
            case 9: {
                    if (wireType !== 0)
                        break;
                    message.log_level = reader.int32();
                    continue;
                }
            case 10: {
                    if (wireType !== 2)
                        break;
                    message.log_file = reader.string();
                    continue;
                }
            case 71: {
                    if (wireType !== 0)
                        break;
                    message.log_to_stderr = reader.bool();
                    continue;
                }
            case 70: {
                    if (wireType !== 0)
                        break;
                    message.display_stats = reader.bool();
                    continue;
                }
            case 12: {
                    if (wireType !== 0)
                        break;
                    message.notify_scripts = reader.bool();
                    continue;
                }
            case 49: {
                    if (wireType !== 0)
                        break;
                    message.status_fd = reader.int32();
                    continue;
                }
            case 51: {
                    if (wireType !== 2)
                        break;
                    message.config_file = reader.string();
                    continue;
                }
            case 77: {
                    if (wireType !== 2)
                        break;
                    if (!(message.plugin_options && message.plugin_options.length))
                        message.plugin_options = [];
                    message.plugin_options.push(reader.string());
                    continue;
                }
            case 15: {
                    if (wireType !== 0)
                        break;
                    message.track_mem = reader.bool();
                    continue;
                }
            case 16: {
                    if (wireType !== 0)
                        break;
                    message.auto_dedup = reader.bool();
                    continue;
                }
            case 48: {
                    if (wireType !== 0)
                        break;
                    message.lazy_pages = reader.bool();
                    continue;
                }
            case 61: {
                    if (wireType !== 0)
                        break;
                    value = reader.int32();
                    if ($root.criu_pre_dump_mode[value] !== $undefined)
                        message.pre_dump_mode = value;
                    else if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                    continue;
                }
            case 62: {
                    if (wireType !== 0)
                        break;
                    message.pidfd_store_sk = reader.int32();
                    continue;
                }
            case 72: {
                    if (wireType !== 0)
                        break;
                    value = reader.int32();
                    if ($root.criu_image_io_mode[value] !== $undefined)
                        message.image_io_mode = value;
                    else if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                    continue;
                }
            case 73: {
                    if (wireType !== 0)
                        break;
                    message.compress = reader.uint32();
                    continue;
                }
            case 74: {
                    if (wireType !== 0)
                        break;
                    message.compress_acceleration = reader.uint32();
                    continue;
                }
            case 75: {
                    if (wireType !== 0)
                        break;
                    message.compress_block_size = reader.uint32();
                    continue;
                }
            case 76: {
                    if (wireType !== 0)
                        break;
                    message.decompress_threads = reader.uint32();
                    continue;
                }
            case 78: {
                    if (wireType !== 0)
                        break;
                    message.stream = reader.bool();
                    continue;
                }
            case 11: {
                    if (wireType !== 2)
                        break;
                    message.ps = $root.criu_page_server_info.decode(reader, reader.size(), $undefined, _depth + 1, message.ps);
                    continue;
                }
            case 58: {
                    if (wireType !== 0)
                        break;
                    message.tls = reader.bool();
                    continue;
                }
            case 54: {
                    if (wireType !== 2)
                        break;
                    message.tls_cacert = reader.string();
                    continue;
                }
            case 55: {
                    if (wireType !== 2)
                        break;
                    message.tls_cacrl = reader.string();
                    continue;
                }
            case 56: {
                    if (wireType !== 2)
                        break;
                    message.tls_cert = reader.string();
                    continue;
                }
            case 57: {
                    if (wireType !== 2)
                        break;
                    message.tls_key = reader.string();
                    continue;
                }
            case 59: {
                    if (wireType !== 0)
                        break;
                    message.tls_no_cn_verify = reader.bool();
                    continue;
                }
            case 6: {
                    if (wireType !== 0)
                        break;
                    message.evasive_devices = reader.bool();
                    continue;
                }
            case 8: {
                    if (wireType !== 0)
                        break;
                    message.file_locks = reader.bool();
                    continue;
                }
            case 18: {
                    if (wireType !== 0)
                        break;
                    message.link_remap = reader.bool();
                    continue;
                }
            case 21: {
                    if (wireType !== 0)
                        break;
                    message.force_irmap = reader.bool();
                    continue;
                }
            case 36: {
                    if (wireType !== 2)
                        break;
                    if (!(message.irmap_scan_paths && message.irmap_scan_paths.length))
                        message.irmap_scan_paths = [];
                    message.irmap_scan_paths.push(reader.string());
                    continue;
                }
            case 35: {
                    if (wireType !== 0)
                        break;
                    message.ghost_limit = reader.uint32();
                    continue;
                }
            case 66: {
                    if (wireType !== 0)
                        break;
                    message.skip_file_rwx_check = reader.bool();
                    continue;
                }
            case 27: {
                    if (wireType !== 2)
                        break;
                    if (!(message.inherit_fd && message.inherit_fd.length))
                        message.inherit_fd = [];
                    message.inherit_fd.push($root.inherit_fd.decode(reader, reader.size(), $undefined, _depth + 1));
                    continue;
                }
            case 37: {
                    if (wireType !== 2)
                        break;
                    if (!(message.external && message.external.length))
                        message.external = [];
                    message.external.push(reader.string());
                    continue;
                }
            case 7: {
                    if (wireType !== 0)
                        break;
                    message.shell_job = reader.bool();
                    continue;
                }
            case 50: {
                    if (wireType !== 0)
                        break;
                    message.orphan_pts_master = reader.bool();
                    continue;
                }
            case 4: {
                    if (wireType !== 0)
                        break;
                    message.ext_unix_sk = reader.bool();
                    continue;
                }
            case 33: {
                    if (wireType !== 2)
                        break;
                    if (!(message.unix_sk_ino && message.unix_sk_ino.length))
                        message.unix_sk_ino = [];
                    message.unix_sk_ino.push($root.unix_sk.decode(reader, reader.size(), $undefined, _depth + 1));
                    continue;
                }
            case 5: {
                    if (wireType !== 0)
                        break;
                    message.tcp_established = reader.bool();
                    continue;
                }
            case 46: {
                    if (wireType !== 0)
                        break;
                    message.tcp_skip_in_flight = reader.bool();
                    continue;
                }
            case 52: {
                    if (wireType !== 0)
                        break;
                    message.tcp_close = reader.bool();
                    continue;
                }
            case 64: {
                    if (wireType !== 0)
                        break;
                    value = reader.int32();
                    if ($root.criu_network_lock_method[value] !== $undefined)
                        message.network_lock = value;
                    else if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                    continue;
                }
            case 19: {
                    if (wireType !== 2)
                        break;
                    if (!(message.veths && message.veths.length))
                        message.veths = [];
                    message.veths.push($root.criu_veth_pair.decode(reader, reader.size(), $undefined, _depth + 1));
                    continue;
                }
            case 23: {
                    if (wireType !== 2)
                        break;
                    if (!(message.ext_mnt && message.ext_mnt.length))
                        message.ext_mnt = [];
                    message.ext_mnt.push($root.ext_mount_map.decode(reader, reader.size(), $undefined, _depth + 1));
                    continue;
                }
            case 28: {
                    if (wireType !== 0)
                        break;
                    message.auto_ext_mnt = reader.bool();
                    continue;
                }
            case 29: {
                    if (wireType !== 0)
                        break;
                    message.ext_sharing = reader.bool();
                    continue;
                }
            case 30: {
                    if (wireType !== 0)
                        break;
                    message.ext_masters = reader.bool();
                    continue;
                }
            case 31: {
                    if (wireType !== 2)
                        break;
                    if (!(message.skip_mnt && message.skip_mnt.length))
                        message.skip_mnt = [];
                    message.skip_mnt.push(reader.string());
                    continue;
                }
            case 32: {
                    if (wireType !== 2)
                        break;
                    if (!(message.enable_fs && message.enable_fs.length))
                        message.enable_fs = [];
                    message.enable_fs.push(reader.string());
                    continue;
                }
            case 65: {
                    if (wireType !== 0)
                        break;
                    message.mntns_compat_mode = reader.bool();
                    continue;
                }
            case 38: {
                    if (wireType !== 0)
                        break;
                    message.empty_ns = reader.uint32();
                    continue;
                }
            case 39: {
                    if (wireType !== 2)
                        break;
                    if (!(message.join_ns && message.join_ns.length))
                        message.join_ns = [];
                    message.join_ns.push($root.join_namespace.decode(reader, reader.size(), $undefined, _depth + 1));
                    continue;
                }
            case 47: {
                    if (wireType !== 0)
                        break;
                    message.weak_sysctls = reader.bool();
                    continue;
                }
            case 24: {
                    if (wireType !== 0)
                        break;
                    message.manage_cgroups = reader.bool();
                    continue;
                }
            case 34: {
                    if (wireType !== 0)
                        break;
                    value = reader.int32();
                    if ($root.criu_cg_mode[value] !== $undefined)
                        message.manage_cgroups_mode = value;
                    else if (!reader.discardUnknown) {
                        $util.makeProp(message, "$unknowns", false);
                        (message.$unknowns || (message.$unknowns = [])).push(reader.raw(start, reader.pos));
                    }
                    continue;
                }
            case 25: {
                    if (wireType !== 2)
                        break;
                    if (!(message.cg_root && message.cg_root.length))
                        message.cg_root = [];
                    message.cg_root.push($root.cgroup_root.decode(reader, reader.size(), $undefined, _depth + 1));
                    continue;
                }
            case 41: {
                    if (wireType !== 2)
                        break;
                    message.cgroup_props = reader.string();
                    continue;
                }
            case 42: {
                    if (wireType !== 2)
                        break;
                    message.cgroup_props_file = reader.string();
                    continue;
                }
            case 43: {
                    if (wireType !== 2)
                        break;
                    if (!(message.cgroup_dump_controller && message.cgroup_dump_controller.length))
                        message.cgroup_dump_controller = [];
                    message.cgroup_dump_controller.push(reader.string());
                    continue;
                }
            case 44: {
                    if (wireType !== 2)
                        break;
                    message.freeze_cgroup = reader.string();
                    continue;
                }
            case 60: {
                    if (wireType !== 2)
                        break;
                    message.cgroup_yard = reader.string();
                    continue;
                }
            case 53: {
                    if (wireType !== 2)
                        break;
                    message.lsm_profile = reader.string();
                    continue;
                }
            case 63: {
                    if (wireType !== 2)
                        break;
                    message.lsm_mount_context = reader.string();
                    continue;
                }
            case 20: {
                    if (wireType !== 0)
                        break;
                    message.cpu_cap = reader.uint32();
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
        if (!$Object.hasOwnProperty.call(message, "images_dir_fd"))
            throw $util.ProtocolError("missing required 'images_dir_fd'", { instance: message });
        return message;
    };

    criu_opts.fromObject = function (object, _depth) {
        if (object instanceof $root.criu_opts)
            return object;
        if (!$util.isObject(object))
            throw $TypeError(".criu_opts: object expected");
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let message = new $root.criu_opts();
        if (object.images_dir_fd != null)
            message.images_dir_fd = object.images_dir_fd | 0;
        if (object.images_dir != null)
            message.images_dir = $String(object.images_dir);
        if (object.work_dir_fd != null)
            message.work_dir_fd = object.work_dir_fd | 0;
        if (object.parent_img != null)
            message.parent_img = $String(object.parent_img);
        if (object.pid != null)
            message.pid = object.pid | 0;
        if (object.root != null)
            message.root = $String(object.root);
        if (object.leave_running != null)
            message.leave_running = $Boolean(object.leave_running);
        if (object.leave_stopped != null)
            message.leave_stopped = $Boolean(object.leave_stopped);
        if (object.rst_sibling != null)
            message.rst_sibling = $Boolean(object.rst_sibling);
        if (object.exec_cmd) {
            if (!$Array.isArray(object.exec_cmd))
                throw $TypeError(".criu_opts.exec_cmd: array expected");
            message.exec_cmd = $Array(object.exec_cmd.length);
            for (let i = 0; i < object.exec_cmd.length; ++i)
                message.exec_cmd[i] = $String(object.exec_cmd[i]);
        }
        if (object.timeout != null)
            message.timeout = object.timeout >>> 0;
        if (object.unprivileged != null)
            message.unprivileged = $Boolean(object.unprivileged);
        if (object.log_level != null)
            message.log_level = object.log_level | 0;
        if (object.log_file != null)
            message.log_file = $String(object.log_file);
        if (object.log_to_stderr != null)
            message.log_to_stderr = $Boolean(object.log_to_stderr);
        if (object.display_stats != null)
            message.display_stats = $Boolean(object.display_stats);
        if (object.notify_scripts != null)
            message.notify_scripts = $Boolean(object.notify_scripts);
        if (object.status_fd != null)
            message.status_fd = object.status_fd | 0;
        if (object.config_file != null)
            message.config_file = $String(object.config_file);
        if (object.plugin_options) {
            if (!$Array.isArray(object.plugin_options))
                throw $TypeError(".criu_opts.plugin_options: array expected");
            message.plugin_options = $Array(object.plugin_options.length);
            for (let i = 0; i < object.plugin_options.length; ++i)
                message.plugin_options[i] = $String(object.plugin_options[i]);
        }
        if (object.track_mem != null)
            message.track_mem = $Boolean(object.track_mem);
        if (object.auto_dedup != null)
            message.auto_dedup = $Boolean(object.auto_dedup);
        if (object.lazy_pages != null)
            message.lazy_pages = $Boolean(object.lazy_pages);
        switch (object.pre_dump_mode) {
        case "SPLICE":
        case 1:
            message.pre_dump_mode = 1;
            break;
        case "VM_READ":
        case 2:
            message.pre_dump_mode = 2;
            break;
        default:
        }
        if (object.pidfd_store_sk != null)
            message.pidfd_store_sk = object.pidfd_store_sk | 0;
        switch (object.image_io_mode) {
        case "IMAGE_IO_WRITEBACK":
        case 0:
            message.image_io_mode = 0;
            break;
        case "IMAGE_IO_DIRECT":
        case 1:
            message.image_io_mode = 1;
            break;
        default:
        }
        if (object.compress != null)
            message.compress = object.compress >>> 0;
        if (object.compress_acceleration != null)
            message.compress_acceleration = object.compress_acceleration >>> 0;
        if (object.compress_block_size != null)
            message.compress_block_size = object.compress_block_size >>> 0;
        if (object.decompress_threads != null)
            message.decompress_threads = object.decompress_threads >>> 0;
        if (object.stream != null)
            message.stream = $Boolean(object.stream);
        if (object.ps != null) {
            if (!$util.isObject(object.ps))
                throw $TypeError(".criu_opts.ps: object expected");
            message.ps = $root.criu_page_server_info.fromObject(object.ps, _depth + 1);
        }
        if (object.tls != null)
            message.tls = $Boolean(object.tls);
        if (object.tls_cacert != null)
            message.tls_cacert = $String(object.tls_cacert);
        if (object.tls_cacrl != null)
            message.tls_cacrl = $String(object.tls_cacrl);
        if (object.tls_cert != null)
            message.tls_cert = $String(object.tls_cert);
        if (object.tls_key != null)
            message.tls_key = $String(object.tls_key);
        if (object.tls_no_cn_verify != null)
            message.tls_no_cn_verify = $Boolean(object.tls_no_cn_verify);
        if (object.evasive_devices != null)
            message.evasive_devices = $Boolean(object.evasive_devices);
        if (object.file_locks != null)
            message.file_locks = $Boolean(object.file_locks);
        if (object.link_remap != null)
            message.link_remap = $Boolean(object.link_remap);
        if (object.force_irmap != null)
            message.force_irmap = $Boolean(object.force_irmap);
        if (object.irmap_scan_paths) {
            if (!$Array.isArray(object.irmap_scan_paths))
                throw $TypeError(".criu_opts.irmap_scan_paths: array expected");
            message.irmap_scan_paths = $Array(object.irmap_scan_paths.length);
            for (let i = 0; i < object.irmap_scan_paths.length; ++i)
                message.irmap_scan_paths[i] = $String(object.irmap_scan_paths[i]);
        }
        if (object.ghost_limit != null)
            message.ghost_limit = object.ghost_limit >>> 0;
        if (object.skip_file_rwx_check != null)
            message.skip_file_rwx_check = $Boolean(object.skip_file_rwx_check);
        if (object.inherit_fd) {
            if (!$Array.isArray(object.inherit_fd))
                throw $TypeError(".criu_opts.inherit_fd: array expected");
            message.inherit_fd = $Array(object.inherit_fd.length);
            for (let i = 0; i < object.inherit_fd.length; ++i) {
                if (!$util.isObject(object.inherit_fd[i]))
                    throw $TypeError(".criu_opts.inherit_fd: object expected");
                message.inherit_fd[i] = $root.inherit_fd.fromObject(object.inherit_fd[i], _depth + 1);
            }
        }
        if (object.external) {
            if (!$Array.isArray(object.external))
                throw $TypeError(".criu_opts.external: array expected");
            message.external = $Array(object.external.length);
            for (let i = 0; i < object.external.length; ++i)
                message.external[i] = $String(object.external[i]);
        }
        if (object.shell_job != null)
            message.shell_job = $Boolean(object.shell_job);
        if (object.orphan_pts_master != null)
            message.orphan_pts_master = $Boolean(object.orphan_pts_master);
        if (object.ext_unix_sk != null)
            message.ext_unix_sk = $Boolean(object.ext_unix_sk);
        if (object.unix_sk_ino) {
            if (!$Array.isArray(object.unix_sk_ino))
                throw $TypeError(".criu_opts.unix_sk_ino: array expected");
            message.unix_sk_ino = $Array(object.unix_sk_ino.length);
            for (let i = 0; i < object.unix_sk_ino.length; ++i) {
                if (!$util.isObject(object.unix_sk_ino[i]))
                    throw $TypeError(".criu_opts.unix_sk_ino: object expected");
                message.unix_sk_ino[i] = $root.unix_sk.fromObject(object.unix_sk_ino[i], _depth + 1);
            }
        }
        if (object.tcp_established != null)
            message.tcp_established = $Boolean(object.tcp_established);
        if (object.tcp_skip_in_flight != null)
            message.tcp_skip_in_flight = $Boolean(object.tcp_skip_in_flight);
        if (object.tcp_close != null)
            message.tcp_close = $Boolean(object.tcp_close);
        switch (object.network_lock) {
        case "IPTABLES":
        case 1:
            message.network_lock = 1;
            break;
        case "NFTABLES":
        case 2:
            message.network_lock = 2;
            break;
        case "SKIP":
        case 3:
            message.network_lock = 3;
            break;
        default:
        }
        if (object.veths) {
            if (!$Array.isArray(object.veths))
                throw $TypeError(".criu_opts.veths: array expected");
            message.veths = $Array(object.veths.length);
            for (let i = 0; i < object.veths.length; ++i) {
                if (!$util.isObject(object.veths[i]))
                    throw $TypeError(".criu_opts.veths: object expected");
                message.veths[i] = $root.criu_veth_pair.fromObject(object.veths[i], _depth + 1);
            }
        }
        if (object.ext_mnt) {
            if (!$Array.isArray(object.ext_mnt))
                throw $TypeError(".criu_opts.ext_mnt: array expected");
            message.ext_mnt = $Array(object.ext_mnt.length);
            for (let i = 0; i < object.ext_mnt.length; ++i) {
                if (!$util.isObject(object.ext_mnt[i]))
                    throw $TypeError(".criu_opts.ext_mnt: object expected");
                message.ext_mnt[i] = $root.ext_mount_map.fromObject(object.ext_mnt[i], _depth + 1);
            }
        }
        if (object.auto_ext_mnt != null)
            message.auto_ext_mnt = $Boolean(object.auto_ext_mnt);
        if (object.ext_sharing != null)
            message.ext_sharing = $Boolean(object.ext_sharing);
        if (object.ext_masters != null)
            message.ext_masters = $Boolean(object.ext_masters);
        if (object.skip_mnt) {
            if (!$Array.isArray(object.skip_mnt))
                throw $TypeError(".criu_opts.skip_mnt: array expected");
            message.skip_mnt = $Array(object.skip_mnt.length);
            for (let i = 0; i < object.skip_mnt.length; ++i)
                message.skip_mnt[i] = $String(object.skip_mnt[i]);
        }
        if (object.enable_fs) {
            if (!$Array.isArray(object.enable_fs))
                throw $TypeError(".criu_opts.enable_fs: array expected");
            message.enable_fs = $Array(object.enable_fs.length);
            for (let i = 0; i < object.enable_fs.length; ++i)
                message.enable_fs[i] = $String(object.enable_fs[i]);
        }
        if (object.mntns_compat_mode != null)
            message.mntns_compat_mode = $Boolean(object.mntns_compat_mode);
        if (object.empty_ns != null)
            message.empty_ns = object.empty_ns >>> 0;
        if (object.join_ns) {
            if (!$Array.isArray(object.join_ns))
                throw $TypeError(".criu_opts.join_ns: array expected");
            message.join_ns = $Array(object.join_ns.length);
            for (let i = 0; i < object.join_ns.length; ++i) {
                if (!$util.isObject(object.join_ns[i]))
                    throw $TypeError(".criu_opts.join_ns: object expected");
                message.join_ns[i] = $root.join_namespace.fromObject(object.join_ns[i], _depth + 1);
            }
        }
        if (object.weak_sysctls != null)
            message.weak_sysctls = $Boolean(object.weak_sysctls);
        if (object.manage_cgroups != null)
            message.manage_cgroups = $Boolean(object.manage_cgroups);
        switch (object.manage_cgroups_mode) {
        case "IGNORE":
        case 0:
            message.manage_cgroups_mode = 0;
            break;
        case "CG_NONE":
        case 1:
            message.manage_cgroups_mode = 1;
            break;
        case "PROPS":
        case 2:
            message.manage_cgroups_mode = 2;
            break;
        case "SOFT":
        case 3:
            message.manage_cgroups_mode = 3;
            break;
        case "FULL":
        case 4:
            message.manage_cgroups_mode = 4;
            break;
        case "STRICT":
        case 5:
            message.manage_cgroups_mode = 5;
            break;
        case "DEFAULT":
        case 6:
            message.manage_cgroups_mode = 6;
            break;
        default:
        }
        if (object.cg_root) {
            if (!$Array.isArray(object.cg_root))
                throw $TypeError(".criu_opts.cg_root: array expected");
            message.cg_root = $Array(object.cg_root.length);
            for (let i = 0; i < object.cg_root.length; ++i) {
                if (!$util.isObject(object.cg_root[i]))
                    throw $TypeError(".criu_opts.cg_root: object expected");
                message.cg_root[i] = $root.cgroup_root.fromObject(object.cg_root[i], _depth + 1);
            }
        }
        if (object.cgroup_props != null)
            message.cgroup_props = $String(object.cgroup_props);
        if (object.cgroup_props_file != null)
            message.cgroup_props_file = $String(object.cgroup_props_file);
        if (object.cgroup_dump_controller) {
            if (!$Array.isArray(object.cgroup_dump_controller))
                throw $TypeError(".criu_opts.cgroup_dump_controller: array expected");
            message.cgroup_dump_controller = $Array(object.cgroup_dump_controller.length);
            for (let i = 0; i < object.cgroup_dump_controller.length; ++i)
                message.cgroup_dump_controller[i] = $String(object.cgroup_dump_controller[i]);
        }
        if (object.freeze_cgroup != null)
            message.freeze_cgroup = $String(object.freeze_cgroup);
        if (object.cgroup_yard != null)
            message.cgroup_yard = $String(object.cgroup_yard);
        if (object.lsm_profile != null)
            message.lsm_profile = $String(object.lsm_profile);
        if (object.lsm_mount_context != null)
            message.lsm_mount_context = $String(object.lsm_mount_context);
        if (object.cpu_cap != null)
            message.cpu_cap = object.cpu_cap >>> 0;
        return message;
    };

    criu_opts.toObject = function (message, options, _depth) {
        if (!options)
            options = {};
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let object = {};
        if (options.arrays || options.defaults) {
            object.veths = [];
            object.exec_cmd = [];
            object.ext_mnt = [];
            object.cg_root = [];
            object.inherit_fd = [];
            object.skip_mnt = [];
            object.enable_fs = [];
            object.unix_sk_ino = [];
            object.irmap_scan_paths = [];
            object.external = [];
            object.join_ns = [];
            object.cgroup_dump_controller = [];
            object.plugin_options = [];
        }
        if (options.defaults) {
            object.images_dir_fd = -1;
            object.pid = 0;
            object.leave_running = false;
            object.ext_unix_sk = false;
            object.tcp_established = false;
            object.evasive_devices = false;
            object.shell_job = false;
            object.file_locks = false;
            object.log_level = 2;
            object.log_file = "";
            object.ps = null;
            object.notify_scripts = false;
            object.root = "";
            object.parent_img = "";
            object.track_mem = false;
            object.auto_dedup = false;
            object.work_dir_fd = 0;
            object.link_remap = false;
            object.cpu_cap = 4294967295;
            object.force_irmap = false;
            object.manage_cgroups = false;
            object.rst_sibling = false;
            object.auto_ext_mnt = false;
            object.ext_sharing = false;
            object.ext_masters = false;
            object.manage_cgroups_mode = options.enums === $String ? "IGNORE" : 0;
            object.ghost_limit = 1048576;
            object.empty_ns = 0;
            object.cgroup_props = "";
            object.cgroup_props_file = "";
            object.freeze_cgroup = "";
            object.timeout = 0;
            object.tcp_skip_in_flight = false;
            object.weak_sysctls = false;
            object.lazy_pages = false;
            object.status_fd = 0;
            object.orphan_pts_master = false;
            object.config_file = "";
            object.tcp_close = false;
            object.lsm_profile = "";
            object.tls_cacert = "";
            object.tls_cacrl = "";
            object.tls_cert = "";
            object.tls_key = "";
            object.tls = false;
            object.tls_no_cn_verify = false;
            object.cgroup_yard = "";
            object.pre_dump_mode = options.enums === $String ? "SPLICE" : 1;
            object.pidfd_store_sk = 0;
            object.lsm_mount_context = "";
            object.network_lock = options.enums === $String ? "IPTABLES" : 1;
            object.mntns_compat_mode = false;
            object.skip_file_rwx_check = false;
            object.unprivileged = false;
            object.images_dir = "";
            object.leave_stopped = false;
            object.display_stats = false;
            object.log_to_stderr = false;
            object.image_io_mode = options.enums === $String ? "IMAGE_IO_WRITEBACK" : 0;
            object.compress = 0;
            object.compress_acceleration = 0;
            object.compress_block_size = 0;
            object.decompress_threads = 1;
            object.stream = false;
        }
        if (message.images_dir_fd != null && $Object.hasOwnProperty.call(message, "images_dir_fd"))
            object.images_dir_fd = message.images_dir_fd;
        if (message.pid != null && $Object.hasOwnProperty.call(message, "pid"))
            object.pid = message.pid;
        if (message.leave_running != null && $Object.hasOwnProperty.call(message, "leave_running"))
            object.leave_running = message.leave_running;
        if (message.ext_unix_sk != null && $Object.hasOwnProperty.call(message, "ext_unix_sk"))
            object.ext_unix_sk = message.ext_unix_sk;
        if (message.tcp_established != null && $Object.hasOwnProperty.call(message, "tcp_established"))
            object.tcp_established = message.tcp_established;
        if (message.evasive_devices != null && $Object.hasOwnProperty.call(message, "evasive_devices"))
            object.evasive_devices = message.evasive_devices;
        if (message.shell_job != null && $Object.hasOwnProperty.call(message, "shell_job"))
            object.shell_job = message.shell_job;
        if (message.file_locks != null && $Object.hasOwnProperty.call(message, "file_locks"))
            object.file_locks = message.file_locks;
        if (message.log_level != null && $Object.hasOwnProperty.call(message, "log_level"))
            object.log_level = message.log_level;
        if (message.log_file != null && $Object.hasOwnProperty.call(message, "log_file"))
            object.log_file = message.log_file;
        if (message.ps != null && $Object.hasOwnProperty.call(message, "ps"))
            object.ps = $root.criu_page_server_info.toObject(message.ps, options, _depth + 1);
        if (message.notify_scripts != null && $Object.hasOwnProperty.call(message, "notify_scripts"))
            object.notify_scripts = message.notify_scripts;
        if (message.root != null && $Object.hasOwnProperty.call(message, "root"))
            object.root = message.root;
        if (message.parent_img != null && $Object.hasOwnProperty.call(message, "parent_img"))
            object.parent_img = message.parent_img;
        if (message.track_mem != null && $Object.hasOwnProperty.call(message, "track_mem"))
            object.track_mem = message.track_mem;
        if (message.auto_dedup != null && $Object.hasOwnProperty.call(message, "auto_dedup"))
            object.auto_dedup = message.auto_dedup;
        if (message.work_dir_fd != null && $Object.hasOwnProperty.call(message, "work_dir_fd"))
            object.work_dir_fd = message.work_dir_fd;
        if (message.link_remap != null && $Object.hasOwnProperty.call(message, "link_remap"))
            object.link_remap = message.link_remap;
        if (message.veths && message.veths.length) {
            object.veths = $Array(message.veths.length);
            for (let j = 0; j < message.veths.length; ++j)
                object.veths[j] = $root.criu_veth_pair.toObject(message.veths[j], options, _depth + 1);
        }
        if (message.cpu_cap != null && $Object.hasOwnProperty.call(message, "cpu_cap"))
            object.cpu_cap = message.cpu_cap;
        if (message.force_irmap != null && $Object.hasOwnProperty.call(message, "force_irmap"))
            object.force_irmap = message.force_irmap;
        if (message.exec_cmd && message.exec_cmd.length) {
            object.exec_cmd = $Array(message.exec_cmd.length);
            for (let j = 0; j < message.exec_cmd.length; ++j)
                object.exec_cmd[j] = message.exec_cmd[j];
        }
        if (message.ext_mnt && message.ext_mnt.length) {
            object.ext_mnt = $Array(message.ext_mnt.length);
            for (let j = 0; j < message.ext_mnt.length; ++j)
                object.ext_mnt[j] = $root.ext_mount_map.toObject(message.ext_mnt[j], options, _depth + 1);
        }
        if (message.manage_cgroups != null && $Object.hasOwnProperty.call(message, "manage_cgroups"))
            object.manage_cgroups = message.manage_cgroups;
        if (message.cg_root && message.cg_root.length) {
            object.cg_root = $Array(message.cg_root.length);
            for (let j = 0; j < message.cg_root.length; ++j)
                object.cg_root[j] = $root.cgroup_root.toObject(message.cg_root[j], options, _depth + 1);
        }
        if (message.rst_sibling != null && $Object.hasOwnProperty.call(message, "rst_sibling"))
            object.rst_sibling = message.rst_sibling;
        if (message.inherit_fd && message.inherit_fd.length) {
            object.inherit_fd = $Array(message.inherit_fd.length);
            for (let j = 0; j < message.inherit_fd.length; ++j)
                object.inherit_fd[j] = $root.inherit_fd.toObject(message.inherit_fd[j], options, _depth + 1);
        }
        if (message.auto_ext_mnt != null && $Object.hasOwnProperty.call(message, "auto_ext_mnt"))
            object.auto_ext_mnt = message.auto_ext_mnt;
        if (message.ext_sharing != null && $Object.hasOwnProperty.call(message, "ext_sharing"))
            object.ext_sharing = message.ext_sharing;
        if (message.ext_masters != null && $Object.hasOwnProperty.call(message, "ext_masters"))
            object.ext_masters = message.ext_masters;
        if (message.skip_mnt && message.skip_mnt.length) {
            object.skip_mnt = $Array(message.skip_mnt.length);
            for (let j = 0; j < message.skip_mnt.length; ++j)
                object.skip_mnt[j] = message.skip_mnt[j];
        }
        if (message.enable_fs && message.enable_fs.length) {
            object.enable_fs = $Array(message.enable_fs.length);
            for (let j = 0; j < message.enable_fs.length; ++j)
                object.enable_fs[j] = message.enable_fs[j];
        }
        if (message.unix_sk_ino && message.unix_sk_ino.length) {
            object.unix_sk_ino = $Array(message.unix_sk_ino.length);
            for (let j = 0; j < message.unix_sk_ino.length; ++j)
                object.unix_sk_ino[j] = $root.unix_sk.toObject(message.unix_sk_ino[j], options, _depth + 1);
        }
        if (message.manage_cgroups_mode != null && $Object.hasOwnProperty.call(message, "manage_cgroups_mode"))
            object.manage_cgroups_mode = options.enums === $String ? $root.criu_cg_mode[message.manage_cgroups_mode] === $undefined ? message.manage_cgroups_mode : $root.criu_cg_mode[message.manage_cgroups_mode] : message.manage_cgroups_mode;
        if (message.ghost_limit != null && $Object.hasOwnProperty.call(message, "ghost_limit"))
            object.ghost_limit = message.ghost_limit;
        if (message.irmap_scan_paths && message.irmap_scan_paths.length) {
            object.irmap_scan_paths = $Array(message.irmap_scan_paths.length);
            for (let j = 0; j < message.irmap_scan_paths.length; ++j)
                object.irmap_scan_paths[j] = message.irmap_scan_paths[j];
        }
        if (message.external && message.external.length) {
            object.external = $Array(message.external.length);
            for (let j = 0; j < message.external.length; ++j)
                object.external[j] = message.external[j];
        }
        if (message.empty_ns != null && $Object.hasOwnProperty.call(message, "empty_ns"))
            object.empty_ns = message.empty_ns;
        if (message.join_ns && message.join_ns.length) {
            object.join_ns = $Array(message.join_ns.length);
            for (let j = 0; j < message.join_ns.length; ++j)
                object.join_ns[j] = $root.join_namespace.toObject(message.join_ns[j], options, _depth + 1);
        }
        if (message.cgroup_props != null && $Object.hasOwnProperty.call(message, "cgroup_props"))
            object.cgroup_props = message.cgroup_props;
        if (message.cgroup_props_file != null && $Object.hasOwnProperty.call(message, "cgroup_props_file"))
            object.cgroup_props_file = message.cgroup_props_file;
        if (message.cgroup_dump_controller && message.cgroup_dump_controller.length) {
            object.cgroup_dump_controller = $Array(message.cgroup_dump_controller.length);
            for (let j = 0; j < message.cgroup_dump_controller.length; ++j)
                object.cgroup_dump_controller[j] = message.cgroup_dump_controller[j];
        }
        if (message.freeze_cgroup != null && $Object.hasOwnProperty.call(message, "freeze_cgroup"))
            object.freeze_cgroup = message.freeze_cgroup;
        if (message.timeout != null && $Object.hasOwnProperty.call(message, "timeout"))
            object.timeout = message.timeout;
        if (message.tcp_skip_in_flight != null && $Object.hasOwnProperty.call(message, "tcp_skip_in_flight"))
            object.tcp_skip_in_flight = message.tcp_skip_in_flight;
        if (message.weak_sysctls != null && $Object.hasOwnProperty.call(message, "weak_sysctls"))
            object.weak_sysctls = message.weak_sysctls;
        if (message.lazy_pages != null && $Object.hasOwnProperty.call(message, "lazy_pages"))
            object.lazy_pages = message.lazy_pages;
        if (message.status_fd != null && $Object.hasOwnProperty.call(message, "status_fd"))
            object.status_fd = message.status_fd;
        if (message.orphan_pts_master != null && $Object.hasOwnProperty.call(message, "orphan_pts_master"))
            object.orphan_pts_master = message.orphan_pts_master;
        if (message.config_file != null && $Object.hasOwnProperty.call(message, "config_file"))
            object.config_file = message.config_file;
        if (message.tcp_close != null && $Object.hasOwnProperty.call(message, "tcp_close"))
            object.tcp_close = message.tcp_close;
        if (message.lsm_profile != null && $Object.hasOwnProperty.call(message, "lsm_profile"))
            object.lsm_profile = message.lsm_profile;
        if (message.tls_cacert != null && $Object.hasOwnProperty.call(message, "tls_cacert"))
            object.tls_cacert = message.tls_cacert;
        if (message.tls_cacrl != null && $Object.hasOwnProperty.call(message, "tls_cacrl"))
            object.tls_cacrl = message.tls_cacrl;
        if (message.tls_cert != null && $Object.hasOwnProperty.call(message, "tls_cert"))
            object.tls_cert = message.tls_cert;
        if (message.tls_key != null && $Object.hasOwnProperty.call(message, "tls_key"))
            object.tls_key = message.tls_key;
        if (message.tls != null && $Object.hasOwnProperty.call(message, "tls"))
            object.tls = message.tls;
        if (message.tls_no_cn_verify != null && $Object.hasOwnProperty.call(message, "tls_no_cn_verify"))
            object.tls_no_cn_verify = message.tls_no_cn_verify;
        if (message.cgroup_yard != null && $Object.hasOwnProperty.call(message, "cgroup_yard"))
            object.cgroup_yard = message.cgroup_yard;
        if (message.pre_dump_mode != null && $Object.hasOwnProperty.call(message, "pre_dump_mode"))
            object.pre_dump_mode = options.enums === $String ? $root.criu_pre_dump_mode[message.pre_dump_mode] === $undefined ? message.pre_dump_mode : $root.criu_pre_dump_mode[message.pre_dump_mode] : message.pre_dump_mode;
        if (message.pidfd_store_sk != null && $Object.hasOwnProperty.call(message, "pidfd_store_sk"))
            object.pidfd_store_sk = message.pidfd_store_sk;
        if (message.lsm_mount_context != null && $Object.hasOwnProperty.call(message, "lsm_mount_context"))
            object.lsm_mount_context = message.lsm_mount_context;
        if (message.network_lock != null && $Object.hasOwnProperty.call(message, "network_lock"))
            object.network_lock = options.enums === $String ? $root.criu_network_lock_method[message.network_lock] === $undefined ? message.network_lock : $root.criu_network_lock_method[message.network_lock] : message.network_lock;
        if (message.mntns_compat_mode != null && $Object.hasOwnProperty.call(message, "mntns_compat_mode"))
            object.mntns_compat_mode = message.mntns_compat_mode;
        if (message.skip_file_rwx_check != null && $Object.hasOwnProperty.call(message, "skip_file_rwx_check"))
            object.skip_file_rwx_check = message.skip_file_rwx_check;
        if (message.unprivileged != null && $Object.hasOwnProperty.call(message, "unprivileged"))
            object.unprivileged = message.unprivileged;
        if (message.images_dir != null && $Object.hasOwnProperty.call(message, "images_dir"))
            object.images_dir = message.images_dir;
        if (message.leave_stopped != null && $Object.hasOwnProperty.call(message, "leave_stopped"))
            object.leave_stopped = message.leave_stopped;
        if (message.display_stats != null && $Object.hasOwnProperty.call(message, "display_stats"))
            object.display_stats = message.display_stats;
        if (message.log_to_stderr != null && $Object.hasOwnProperty.call(message, "log_to_stderr"))
            object.log_to_stderr = message.log_to_stderr;
        if (message.image_io_mode != null && $Object.hasOwnProperty.call(message, "image_io_mode"))
            object.image_io_mode = options.enums === $String ? $root.criu_image_io_mode[message.image_io_mode] === $undefined ? message.image_io_mode : $root.criu_image_io_mode[message.image_io_mode] : message.image_io_mode;
        if (message.compress != null && $Object.hasOwnProperty.call(message, "compress"))
            object.compress = message.compress;
        if (message.compress_acceleration != null && $Object.hasOwnProperty.call(message, "compress_acceleration"))
            object.compress_acceleration = message.compress_acceleration;
        if (message.compress_block_size != null && $Object.hasOwnProperty.call(message, "compress_block_size"))
            object.compress_block_size = message.compress_block_size;
        if (message.decompress_threads != null && $Object.hasOwnProperty.call(message, "decompress_threads"))
            object.decompress_threads = message.decompress_threads;
        if (message.plugin_options && message.plugin_options.length) {
            object.plugin_options = $Array(message.plugin_options.length);
            for (let j = 0; j < message.plugin_options.length; ++j)
                object.plugin_options[j] = message.plugin_options[j];
        }
        if (message.stream != null && $Object.hasOwnProperty.call(message, "stream"))
            object.stream = message.stream;
        return object;
    };

    criu_opts.prototype.toJSON = function() {
        return criu_opts.toObject(this, $protobuf.util.toJSONOptions);
    };

    return criu_opts;
})();

export const criu_cg_mode = $root.criu_cg_mode = (() => {
    const valuesById = $Object.create(null), values = $Object.create(valuesById);
    values[valuesById[0] = "IGNORE"] = 0;
    values[valuesById[1] = "CG_NONE"] = 1;
    values[valuesById[2] = "PROPS"] = 2;
    values[valuesById[3] = "SOFT"] = 3;
    values[valuesById[4] = "FULL"] = 4;
    values[valuesById[5] = "STRICT"] = 5;
    values[valuesById[6] = "DEFAULT"] = 6;
    return values;
})();

export const criu_network_lock_method = $root.criu_network_lock_method = (() => {
    const valuesById = $Object.create(null), values = $Object.create(valuesById);
    values[valuesById[1] = "IPTABLES"] = 1;
    values[valuesById[2] = "NFTABLES"] = 2;
    values[valuesById[3] = "SKIP"] = 3;
    return values;
})();

export const criu_pre_dump_mode = $root.criu_pre_dump_mode = (() => {
    const valuesById = $Object.create(null), values = $Object.create(valuesById);
    values[valuesById[1] = "SPLICE"] = 1;
    values[valuesById[2] = "VM_READ"] = 2;
    return values;
})();

export const criu_image_io_mode = $root.criu_image_io_mode = (() => {
    const valuesById = $Object.create(null), values = $Object.create(valuesById);
    values[valuesById[0] = "IMAGE_IO_WRITEBACK"] = 0;
    values[valuesById[1] = "IMAGE_IO_DIRECT"] = 1;
    return values;
})();

export const criu_page_server_info = $root.criu_page_server_info = (() => {

    const criu_page_server_info = function (properties) {
        if (properties)
            for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                if (properties[keys[i]] != null && keys[i] !== "__proto__")
                    this[keys[i]] = properties[keys[i]];
    };

    criu_page_server_info.prototype.address = "";
    criu_page_server_info.prototype.port = 0;
    criu_page_server_info.prototype.pid = 0;
    criu_page_server_info.prototype.fd = 0;

    criu_page_server_info.encode = function (message, writer, _depth) {
        if (!writer)
            writer = $Writer.create();
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        if (message.address != null && $Object.hasOwnProperty.call(message, "address"))
            writer.uint32(10).string(message.address);
        if (message.port != null && $Object.hasOwnProperty.call(message, "port"))
            writer.uint32(16).int32(message.port);
        if (message.pid != null && $Object.hasOwnProperty.call(message, "pid"))
            writer.uint32(24).int32(message.pid);
        if (message.fd != null && $Object.hasOwnProperty.call(message, "fd"))
            writer.uint32(32).int32(message.fd);
        if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
            for (let i = 0; i < message.$unknowns.length; ++i)
                writer.raw(message.$unknowns[i]);
        return writer;
    };

    criu_page_server_info.decode = function (reader, length, _end, _depth, _target) {
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
        message = _target || new $root.criu_page_server_info();
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
                    if (wireType !== 2)
                        break;
                    message.address = reader.string();
                    continue;
                }
            case 2: {
                    if (wireType !== 0)
                        break;
                    message.port = reader.int32();
                    continue;
                }
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
        return message;
    };

    criu_page_server_info.fromObject = function (object, _depth) {
        if (object instanceof $root.criu_page_server_info)
            return object;
        if (!$util.isObject(object))
            throw $TypeError(".criu_page_server_info: object expected");
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let message = new $root.criu_page_server_info();
        if (object.address != null)
            message.address = $String(object.address);
        if (object.port != null)
            message.port = object.port | 0;
        if (object.pid != null)
            message.pid = object.pid | 0;
        if (object.fd != null)
            message.fd = object.fd | 0;
        return message;
    };

    criu_page_server_info.toObject = function (message, options, _depth) {
        if (!options)
            options = {};
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let object = {};
        if (options.defaults) {
            object.address = "";
            object.port = 0;
            object.pid = 0;
            object.fd = 0;
        }
        if (message.address != null && $Object.hasOwnProperty.call(message, "address"))
            object.address = message.address;
        if (message.port != null && $Object.hasOwnProperty.call(message, "port"))
            object.port = message.port;
        if (message.pid != null && $Object.hasOwnProperty.call(message, "pid"))
            object.pid = message.pid;
        if (message.fd != null && $Object.hasOwnProperty.call(message, "fd"))
            object.fd = message.fd;
        return object;
    };

    criu_page_server_info.prototype.toJSON = function() {
        return criu_page_server_info.toObject(this, $protobuf.util.toJSONOptions);
    };

    return criu_page_server_info;
})();

export const criu_veth_pair = $root.criu_veth_pair = (() => {

    const criu_veth_pair = function (properties) {
        if (properties)
            for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                if (properties[keys[i]] != null && keys[i] !== "__proto__")
                    this[keys[i]] = properties[keys[i]];
    };

    criu_veth_pair.prototype.if_in = "";
    criu_veth_pair.prototype.if_out = "";

    criu_veth_pair.encode = function (message, writer, _depth) {
        if (!writer)
            writer = $Writer.create();
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        writer.uint32(10).string(message.if_in);
        writer.uint32(18).string(message.if_out);
        if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
            for (let i = 0; i < message.$unknowns.length; ++i)
                writer.raw(message.$unknowns[i]);
        return writer;
    };

    criu_veth_pair.decode = function (reader, length, _end, _depth, _target) {
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
        message = _target || new $root.criu_veth_pair();
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
                    if (wireType !== 2)
                        break;
                    message.if_in = reader.string();
                    continue;
                }
            case 2: {
                    if (wireType !== 2)
                        break;
                    message.if_out = reader.string();
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
        if (!$Object.hasOwnProperty.call(message, "if_in"))
            throw $util.ProtocolError("missing required 'if_in'", { instance: message });
        if (!$Object.hasOwnProperty.call(message, "if_out"))
            throw $util.ProtocolError("missing required 'if_out'", { instance: message });
        return message;
    };

    criu_veth_pair.fromObject = function (object, _depth) {
        if (object instanceof $root.criu_veth_pair)
            return object;
        if (!$util.isObject(object))
            throw $TypeError(".criu_veth_pair: object expected");
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let message = new $root.criu_veth_pair();
        if (object.if_in != null)
            message.if_in = $String(object.if_in);
        if (object.if_out != null)
            message.if_out = $String(object.if_out);
        return message;
    };

    criu_veth_pair.toObject = function (message, options, _depth) {
        if (!options)
            options = {};
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let object = {};
        if (options.defaults) {
            object.if_in = "";
            object.if_out = "";
        }
        if (message.if_in != null && $Object.hasOwnProperty.call(message, "if_in"))
            object.if_in = message.if_in;
        if (message.if_out != null && $Object.hasOwnProperty.call(message, "if_out"))
            object.if_out = message.if_out;
        return object;
    };

    criu_veth_pair.prototype.toJSON = function() {
        return criu_veth_pair.toObject(this, $protobuf.util.toJSONOptions);
    };

    return criu_veth_pair;
})();

export const ext_mount_map = $root.ext_mount_map = (() => {

    const ext_mount_map = function (properties) {
        if (properties)
            for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                if (properties[keys[i]] != null && keys[i] !== "__proto__")
                    this[keys[i]] = properties[keys[i]];
    };

    ext_mount_map.prototype.key = "";
    ext_mount_map.prototype.val = "";

    ext_mount_map.encode = function (message, writer, _depth) {
        if (!writer)
            writer = $Writer.create();
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        writer.uint32(10).string(message.key);
        writer.uint32(18).string(message.val);
        if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
            for (let i = 0; i < message.$unknowns.length; ++i)
                writer.raw(message.$unknowns[i]);
        return writer;
    };

    ext_mount_map.decode = function (reader, length, _end, _depth, _target) {
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
        message = _target || new $root.ext_mount_map();
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
                    if (wireType !== 2)
                        break;
                    message.key = reader.string();
                    continue;
                }
            case 2: {
                    if (wireType !== 2)
                        break;
                    message.val = reader.string();
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
        if (!$Object.hasOwnProperty.call(message, "key"))
            throw $util.ProtocolError("missing required 'key'", { instance: message });
        if (!$Object.hasOwnProperty.call(message, "val"))
            throw $util.ProtocolError("missing required 'val'", { instance: message });
        return message;
    };

    ext_mount_map.fromObject = function (object, _depth) {
        if (object instanceof $root.ext_mount_map)
            return object;
        if (!$util.isObject(object))
            throw $TypeError(".ext_mount_map: object expected");
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let message = new $root.ext_mount_map();
        if (object.key != null)
            message.key = $String(object.key);
        if (object.val != null)
            message.val = $String(object.val);
        return message;
    };

    ext_mount_map.toObject = function (message, options, _depth) {
        if (!options)
            options = {};
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let object = {};
        if (options.defaults) {
            object.key = "";
            object.val = "";
        }
        if (message.key != null && $Object.hasOwnProperty.call(message, "key"))
            object.key = message.key;
        if (message.val != null && $Object.hasOwnProperty.call(message, "val"))
            object.val = message.val;
        return object;
    };

    ext_mount_map.prototype.toJSON = function() {
        return ext_mount_map.toObject(this, $protobuf.util.toJSONOptions);
    };

    return ext_mount_map;
})();

export const join_namespace = $root.join_namespace = (() => {

    const join_namespace = function (properties) {
        if (properties)
            for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                if (properties[keys[i]] != null && keys[i] !== "__proto__")
                    this[keys[i]] = properties[keys[i]];
    };

    join_namespace.prototype.ns = "";
    join_namespace.prototype.ns_file = "";
    join_namespace.prototype.extra_opt = "";

    join_namespace.encode = function (message, writer, _depth) {
        if (!writer)
            writer = $Writer.create();
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        writer.uint32(10).string(message.ns);
        writer.uint32(18).string(message.ns_file);
        if (message.extra_opt != null && $Object.hasOwnProperty.call(message, "extra_opt"))
            writer.uint32(26).string(message.extra_opt);
        if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
            for (let i = 0; i < message.$unknowns.length; ++i)
                writer.raw(message.$unknowns[i]);
        return writer;
    };

    join_namespace.decode = function (reader, length, _end, _depth, _target) {
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
        message = _target || new $root.join_namespace();
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
                    if (wireType !== 2)
                        break;
                    message.ns = reader.string();
                    continue;
                }
            case 2: {
                    if (wireType !== 2)
                        break;
                    message.ns_file = reader.string();
                    continue;
                }
            case 3: {
                    if (wireType !== 2)
                        break;
                    message.extra_opt = reader.string();
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
        if (!$Object.hasOwnProperty.call(message, "ns"))
            throw $util.ProtocolError("missing required 'ns'", { instance: message });
        if (!$Object.hasOwnProperty.call(message, "ns_file"))
            throw $util.ProtocolError("missing required 'ns_file'", { instance: message });
        return message;
    };

    join_namespace.fromObject = function (object, _depth) {
        if (object instanceof $root.join_namespace)
            return object;
        if (!$util.isObject(object))
            throw $TypeError(".join_namespace: object expected");
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let message = new $root.join_namespace();
        if (object.ns != null)
            message.ns = $String(object.ns);
        if (object.ns_file != null)
            message.ns_file = $String(object.ns_file);
        if (object.extra_opt != null)
            message.extra_opt = $String(object.extra_opt);
        return message;
    };

    join_namespace.toObject = function (message, options, _depth) {
        if (!options)
            options = {};
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let object = {};
        if (options.defaults) {
            object.ns = "";
            object.ns_file = "";
            object.extra_opt = "";
        }
        if (message.ns != null && $Object.hasOwnProperty.call(message, "ns"))
            object.ns = message.ns;
        if (message.ns_file != null && $Object.hasOwnProperty.call(message, "ns_file"))
            object.ns_file = message.ns_file;
        if (message.extra_opt != null && $Object.hasOwnProperty.call(message, "extra_opt"))
            object.extra_opt = message.extra_opt;
        return object;
    };

    join_namespace.prototype.toJSON = function() {
        return join_namespace.toObject(this, $protobuf.util.toJSONOptions);
    };

    return join_namespace;
})();

export const inherit_fd = $root.inherit_fd = (() => {

    const inherit_fd = function (properties) {
        if (properties)
            for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                if (properties[keys[i]] != null && keys[i] !== "__proto__")
                    this[keys[i]] = properties[keys[i]];
    };

    inherit_fd.prototype.key = "";
    inherit_fd.prototype.fd = 0;

    inherit_fd.encode = function (message, writer, _depth) {
        if (!writer)
            writer = $Writer.create();
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        writer.uint32(10).string(message.key);
        writer.uint32(16).int32(message.fd);
        if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
            for (let i = 0; i < message.$unknowns.length; ++i)
                writer.raw(message.$unknowns[i]);
        return writer;
    };

    inherit_fd.decode = function (reader, length, _end, _depth, _target) {
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
        message = _target || new $root.inherit_fd();
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
                    if (wireType !== 2)
                        break;
                    message.key = reader.string();
                    continue;
                }
            case 2: {
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
        if (!$Object.hasOwnProperty.call(message, "key"))
            throw $util.ProtocolError("missing required 'key'", { instance: message });
        if (!$Object.hasOwnProperty.call(message, "fd"))
            throw $util.ProtocolError("missing required 'fd'", { instance: message });
        return message;
    };

    inherit_fd.fromObject = function (object, _depth) {
        if (object instanceof $root.inherit_fd)
            return object;
        if (!$util.isObject(object))
            throw $TypeError(".inherit_fd: object expected");
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let message = new $root.inherit_fd();
        if (object.key != null)
            message.key = $String(object.key);
        if (object.fd != null)
            message.fd = object.fd | 0;
        return message;
    };

    inherit_fd.toObject = function (message, options, _depth) {
        if (!options)
            options = {};
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let object = {};
        if (options.defaults) {
            object.key = "";
            object.fd = 0;
        }
        if (message.key != null && $Object.hasOwnProperty.call(message, "key"))
            object.key = message.key;
        if (message.fd != null && $Object.hasOwnProperty.call(message, "fd"))
            object.fd = message.fd;
        return object;
    };

    inherit_fd.prototype.toJSON = function() {
        return inherit_fd.toObject(this, $protobuf.util.toJSONOptions);
    };

    return inherit_fd;
})();

export const cgroup_root = $root.cgroup_root = (() => {

    const cgroup_root = function (properties) {
        if (properties)
            for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                if (properties[keys[i]] != null && keys[i] !== "__proto__")
                    this[keys[i]] = properties[keys[i]];
    };

    cgroup_root.prototype.ctrl = "";
    cgroup_root.prototype.path = "";

    cgroup_root.encode = function (message, writer, _depth) {
        if (!writer)
            writer = $Writer.create();
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        if (message.ctrl != null && $Object.hasOwnProperty.call(message, "ctrl"))
            writer.uint32(10).string(message.ctrl);
        writer.uint32(18).string(message.path);
        if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
            for (let i = 0; i < message.$unknowns.length; ++i)
                writer.raw(message.$unknowns[i]);
        return writer;
    };

    cgroup_root.decode = function (reader, length, _end, _depth, _target) {
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
        message = _target || new $root.cgroup_root();
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
                    if (wireType !== 2)
                        break;
                    message.ctrl = reader.string();
                    continue;
                }
            case 2: {
                    if (wireType !== 2)
                        break;
                    message.path = reader.string();
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
        if (!$Object.hasOwnProperty.call(message, "path"))
            throw $util.ProtocolError("missing required 'path'", { instance: message });
        return message;
    };

    cgroup_root.fromObject = function (object, _depth) {
        if (object instanceof $root.cgroup_root)
            return object;
        if (!$util.isObject(object))
            throw $TypeError(".cgroup_root: object expected");
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let message = new $root.cgroup_root();
        if (object.ctrl != null)
            message.ctrl = $String(object.ctrl);
        if (object.path != null)
            message.path = $String(object.path);
        return message;
    };

    cgroup_root.toObject = function (message, options, _depth) {
        if (!options)
            options = {};
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let object = {};
        if (options.defaults) {
            object.ctrl = "";
            object.path = "";
        }
        if (message.ctrl != null && $Object.hasOwnProperty.call(message, "ctrl"))
            object.ctrl = message.ctrl;
        if (message.path != null && $Object.hasOwnProperty.call(message, "path"))
            object.path = message.path;
        return object;
    };

    cgroup_root.prototype.toJSON = function() {
        return cgroup_root.toObject(this, $protobuf.util.toJSONOptions);
    };

    return cgroup_root;
})();

export const unix_sk = $root.unix_sk = (() => {

    const unix_sk = function (properties) {
        if (properties)
            for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                if (properties[keys[i]] != null && keys[i] !== "__proto__")
                    this[keys[i]] = properties[keys[i]];
    };

    unix_sk.prototype.inode = 0;

    unix_sk.encode = function (message, writer, _depth) {
        if (!writer)
            writer = $Writer.create();
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        writer.uint32(8).uint32(message.inode);
        if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
            for (let i = 0; i < message.$unknowns.length; ++i)
                writer.raw(message.$unknowns[i]);
        return writer;
    };

    unix_sk.decode = function (reader, length, _end, _depth, _target) {
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
        message = _target || new $root.unix_sk();
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
                    message.inode = reader.uint32();
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
        if (!$Object.hasOwnProperty.call(message, "inode"))
            throw $util.ProtocolError("missing required 'inode'", { instance: message });
        return message;
    };

    unix_sk.fromObject = function (object, _depth) {
        if (object instanceof $root.unix_sk)
            return object;
        if (!$util.isObject(object))
            throw $TypeError(".unix_sk: object expected");
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let message = new $root.unix_sk();
        if (object.inode != null)
            message.inode = object.inode >>> 0;
        return message;
    };

    unix_sk.toObject = function (message, options, _depth) {
        if (!options)
            options = {};
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let object = {};
        if (options.defaults)
            object.inode = 0;
        if (message.inode != null && $Object.hasOwnProperty.call(message, "inode"))
            object.inode = message.inode;
        return object;
    };

    unix_sk.prototype.toJSON = function() {
        return unix_sk.toObject(this, $protobuf.util.toJSONOptions);
    };

    return unix_sk;
})();

export const stats_entry = $root.stats_entry = (() => {

    const stats_entry = function (properties) {
        if (properties)
            for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                if (properties[keys[i]] != null && keys[i] !== "__proto__")
                    this[keys[i]] = properties[keys[i]];
    };

    stats_entry.prototype.dump = null;
    stats_entry.prototype.restore = null;

    stats_entry.encode = function (message, writer, _depth) {
        if (!writer)
            writer = $Writer.create();
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        if (message.dump != null && $Object.hasOwnProperty.call(message, "dump"))
            $root.dump_stats_entry.encode(message.dump, writer.uint32(10).fork(), _depth + 1).ldelim();
        if (message.restore != null && $Object.hasOwnProperty.call(message, "restore"))
            $root.restore_stats_entry.encode(message.restore, writer.uint32(18).fork(), _depth + 1).ldelim();
        if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
            for (let i = 0; i < message.$unknowns.length; ++i)
                writer.raw(message.$unknowns[i]);
        return writer;
    };

    stats_entry.decode = function (reader, length, _end, _depth, _target) {
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
        message = _target || new $root.stats_entry();
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
                    if (wireType !== 2)
                        break;
                    message.dump = $root.dump_stats_entry.decode(reader, reader.size(), $undefined, _depth + 1, message.dump);
                    continue;
                }
            case 2: {
                    if (wireType !== 2)
                        break;
                    message.restore = $root.restore_stats_entry.decode(reader, reader.size(), $undefined, _depth + 1, message.restore);
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

    stats_entry.fromObject = function (object, _depth) {
        if (object instanceof $root.stats_entry)
            return object;
        if (!$util.isObject(object))
            throw $TypeError(".stats_entry: object expected");
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let message = new $root.stats_entry();
        if (object.dump != null) {
            if (!$util.isObject(object.dump))
                throw $TypeError(".stats_entry.dump: object expected");
            message.dump = $root.dump_stats_entry.fromObject(object.dump, _depth + 1);
        }
        if (object.restore != null) {
            if (!$util.isObject(object.restore))
                throw $TypeError(".stats_entry.restore: object expected");
            message.restore = $root.restore_stats_entry.fromObject(object.restore, _depth + 1);
        }
        return message;
    };

    stats_entry.toObject = function (message, options, _depth) {
        if (!options)
            options = {};
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let object = {};
        if (options.defaults) {
            object.dump = null;
            object.restore = null;
        }
        if (message.dump != null && $Object.hasOwnProperty.call(message, "dump"))
            object.dump = $root.dump_stats_entry.toObject(message.dump, options, _depth + 1);
        if (message.restore != null && $Object.hasOwnProperty.call(message, "restore"))
            object.restore = $root.restore_stats_entry.toObject(message.restore, options, _depth + 1);
        return object;
    };

    stats_entry.prototype.toJSON = function() {
        return stats_entry.toObject(this, $protobuf.util.toJSONOptions);
    };

    return stats_entry;
})();

export const dump_stats_entry = $root.dump_stats_entry = (() => {

    const dump_stats_entry = function (properties) {
        if (properties)
            for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                if (properties[keys[i]] != null && keys[i] !== "__proto__")
                    this[keys[i]] = properties[keys[i]];
    };

    dump_stats_entry.prototype.freezing_time = 0;
    dump_stats_entry.prototype.frozen_time = 0;
    dump_stats_entry.prototype.memdump_time = 0;
    dump_stats_entry.prototype.memwrite_time = 0;
    dump_stats_entry.prototype.irmap_resolve = 0;
    dump_stats_entry.prototype.pages_scanned = $util.Long ? $util.Long.fromBits(0,0,true) : 0;
    dump_stats_entry.prototype.pages_skipped_parent = $util.Long ? $util.Long.fromBits(0,0,true) : 0;
    dump_stats_entry.prototype.pages_written = $util.Long ? $util.Long.fromBits(0,0,true) : 0;
    dump_stats_entry.prototype.pages_lazy = $util.Long ? $util.Long.fromBits(0,0,true) : 0;
    dump_stats_entry.prototype.shpages_scanned = $util.Long ? $util.Long.fromBits(0,0,true) : 0;
    dump_stats_entry.prototype.shpages_skipped_parent = $util.Long ? $util.Long.fromBits(0,0,true) : 0;
    dump_stats_entry.prototype.shpages_written = $util.Long ? $util.Long.fromBits(0,0,true) : 0;
    dump_stats_entry.prototype.page_pipes = $util.Long ? $util.Long.fromBits(0,0,true) : 0;
    dump_stats_entry.prototype.page_pipe_bufs = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

    dump_stats_entry.encode = function (message, writer, _depth) {
        if (!writer)
            writer = $Writer.create();
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        writer.uint32(8).uint32(message.freezing_time);
        writer.uint32(16).uint32(message.frozen_time);
        writer.uint32(24).uint32(message.memdump_time);
        writer.uint32(32).uint32(message.memwrite_time);
        writer.uint32(40).uint64(message.pages_scanned);
        writer.uint32(48).uint64(message.pages_skipped_parent);
        writer.uint32(56).uint64(message.pages_written);
        if (message.irmap_resolve != null && $Object.hasOwnProperty.call(message, "irmap_resolve"))
            writer.uint32(64).uint32(message.irmap_resolve);
        writer.uint32(72).uint64(message.pages_lazy);
        if (message.page_pipes != null && $Object.hasOwnProperty.call(message, "page_pipes"))
            writer.uint32(80).uint64(message.page_pipes);
        if (message.page_pipe_bufs != null && $Object.hasOwnProperty.call(message, "page_pipe_bufs"))
            writer.uint32(88).uint64(message.page_pipe_bufs);
        if (message.shpages_scanned != null && $Object.hasOwnProperty.call(message, "shpages_scanned"))
            writer.uint32(96).uint64(message.shpages_scanned);
        if (message.shpages_skipped_parent != null && $Object.hasOwnProperty.call(message, "shpages_skipped_parent"))
            writer.uint32(104).uint64(message.shpages_skipped_parent);
        if (message.shpages_written != null && $Object.hasOwnProperty.call(message, "shpages_written"))
            writer.uint32(112).uint64(message.shpages_written);
        if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
            for (let i = 0; i < message.$unknowns.length; ++i)
                writer.raw(message.$unknowns[i]);
        return writer;
    };

    dump_stats_entry.decode = function (reader, length, _end, _depth, _target) {
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
        message = _target || new $root.dump_stats_entry();
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
                    message.freezing_time = reader.uint32();
                    continue;
                }
            case 2: {
                    if (wireType !== 0)
                        break;
                    message.frozen_time = reader.uint32();
                    continue;
                }
            case 3: {
                    if (wireType !== 0)
                        break;
                    message.memdump_time = reader.uint32();
                    continue;
                }
            case 4: {
                    if (wireType !== 0)
                        break;
                    message.memwrite_time = reader.uint32();
                    continue;
                }
            case 8: {
                    if (wireType !== 0)
                        break;
                    message.irmap_resolve = reader.uint32();
                    continue;
                }
            case 5: {
                    if (wireType !== 0)
                        break;
                    message.pages_scanned = reader.uint64();
                    continue;
                }
            case 6: {
                    if (wireType !== 0)
                        break;
                    message.pages_skipped_parent = reader.uint64();
                    continue;
                }
            case 7: {
                    if (wireType !== 0)
                        break;
                    message.pages_written = reader.uint64();
                    continue;
                }
            case 9: {
                    if (wireType !== 0)
                        break;
                    message.pages_lazy = reader.uint64();
                    continue;
                }
            case 12: {
                    if (wireType !== 0)
                        break;
                    message.shpages_scanned = reader.uint64();
                    continue;
                }
            case 13: {
                    if (wireType !== 0)
                        break;
                    message.shpages_skipped_parent = reader.uint64();
                    continue;
                }
            case 14: {
                    if (wireType !== 0)
                        break;
                    message.shpages_written = reader.uint64();
                    continue;
                }
            case 10: {
                    if (wireType !== 0)
                        break;
                    message.page_pipes = reader.uint64();
                    continue;
                }
            case 11: {
                    if (wireType !== 0)
                        break;
                    message.page_pipe_bufs = reader.uint64();
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
        if (!$Object.hasOwnProperty.call(message, "freezing_time"))
            throw $util.ProtocolError("missing required 'freezing_time'", { instance: message });
        if (!$Object.hasOwnProperty.call(message, "frozen_time"))
            throw $util.ProtocolError("missing required 'frozen_time'", { instance: message });
        if (!$Object.hasOwnProperty.call(message, "memdump_time"))
            throw $util.ProtocolError("missing required 'memdump_time'", { instance: message });
        if (!$Object.hasOwnProperty.call(message, "memwrite_time"))
            throw $util.ProtocolError("missing required 'memwrite_time'", { instance: message });
        if (!$Object.hasOwnProperty.call(message, "pages_scanned"))
            throw $util.ProtocolError("missing required 'pages_scanned'", { instance: message });
        if (!$Object.hasOwnProperty.call(message, "pages_skipped_parent"))
            throw $util.ProtocolError("missing required 'pages_skipped_parent'", { instance: message });
        if (!$Object.hasOwnProperty.call(message, "pages_written"))
            throw $util.ProtocolError("missing required 'pages_written'", { instance: message });
        if (!$Object.hasOwnProperty.call(message, "pages_lazy"))
            throw $util.ProtocolError("missing required 'pages_lazy'", { instance: message });
        return message;
    };

    dump_stats_entry.fromObject = function (object, _depth) {
        if (object instanceof $root.dump_stats_entry)
            return object;
        if (!$util.isObject(object))
            throw $TypeError(".dump_stats_entry: object expected");
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let message = new $root.dump_stats_entry();
        if (object.freezing_time != null)
            message.freezing_time = object.freezing_time >>> 0;
        if (object.frozen_time != null)
            message.frozen_time = object.frozen_time >>> 0;
        if (object.memdump_time != null)
            message.memdump_time = object.memdump_time >>> 0;
        if (object.memwrite_time != null)
            message.memwrite_time = object.memwrite_time >>> 0;
        if (object.irmap_resolve != null)
            message.irmap_resolve = object.irmap_resolve >>> 0;
        if (object.pages_scanned != null)
            if ($util.Long)
                message.pages_scanned = $util.Long.fromValue(object.pages_scanned, true);
            else if (typeof object.pages_scanned === "string")
                message.pages_scanned = $parseInt(object.pages_scanned, 10);
            else if (typeof object.pages_scanned === "number")
                message.pages_scanned = object.pages_scanned;
            else if (typeof object.pages_scanned === "object")
                message.pages_scanned = new $util.LongBits(object.pages_scanned.low >>> 0, object.pages_scanned.high >>> 0).toNumber(true);
        if (object.pages_skipped_parent != null)
            if ($util.Long)
                message.pages_skipped_parent = $util.Long.fromValue(object.pages_skipped_parent, true);
            else if (typeof object.pages_skipped_parent === "string")
                message.pages_skipped_parent = $parseInt(object.pages_skipped_parent, 10);
            else if (typeof object.pages_skipped_parent === "number")
                message.pages_skipped_parent = object.pages_skipped_parent;
            else if (typeof object.pages_skipped_parent === "object")
                message.pages_skipped_parent = new $util.LongBits(object.pages_skipped_parent.low >>> 0, object.pages_skipped_parent.high >>> 0).toNumber(true);
        if (object.pages_written != null)
            if ($util.Long)
                message.pages_written = $util.Long.fromValue(object.pages_written, true);
            else if (typeof object.pages_written === "string")
                message.pages_written = $parseInt(object.pages_written, 10);
            else if (typeof object.pages_written === "number")
                message.pages_written = object.pages_written;
            else if (typeof object.pages_written === "object")
                message.pages_written = new $util.LongBits(object.pages_written.low >>> 0, object.pages_written.high >>> 0).toNumber(true);
        if (object.pages_lazy != null)
            if ($util.Long)
                message.pages_lazy = $util.Long.fromValue(object.pages_lazy, true);
            else if (typeof object.pages_lazy === "string")
                message.pages_lazy = $parseInt(object.pages_lazy, 10);
            else if (typeof object.pages_lazy === "number")
                message.pages_lazy = object.pages_lazy;
            else if (typeof object.pages_lazy === "object")
                message.pages_lazy = new $util.LongBits(object.pages_lazy.low >>> 0, object.pages_lazy.high >>> 0).toNumber(true);
        if (object.shpages_scanned != null)
            if ($util.Long)
                message.shpages_scanned = $util.Long.fromValue(object.shpages_scanned, true);
            else if (typeof object.shpages_scanned === "string")
                message.shpages_scanned = $parseInt(object.shpages_scanned, 10);
            else if (typeof object.shpages_scanned === "number")
                message.shpages_scanned = object.shpages_scanned;
            else if (typeof object.shpages_scanned === "object")
                message.shpages_scanned = new $util.LongBits(object.shpages_scanned.low >>> 0, object.shpages_scanned.high >>> 0).toNumber(true);
        if (object.shpages_skipped_parent != null)
            if ($util.Long)
                message.shpages_skipped_parent = $util.Long.fromValue(object.shpages_skipped_parent, true);
            else if (typeof object.shpages_skipped_parent === "string")
                message.shpages_skipped_parent = $parseInt(object.shpages_skipped_parent, 10);
            else if (typeof object.shpages_skipped_parent === "number")
                message.shpages_skipped_parent = object.shpages_skipped_parent;
            else if (typeof object.shpages_skipped_parent === "object")
                message.shpages_skipped_parent = new $util.LongBits(object.shpages_skipped_parent.low >>> 0, object.shpages_skipped_parent.high >>> 0).toNumber(true);
        if (object.shpages_written != null)
            if ($util.Long)
                message.shpages_written = $util.Long.fromValue(object.shpages_written, true);
            else if (typeof object.shpages_written === "string")
                message.shpages_written = $parseInt(object.shpages_written, 10);
            else if (typeof object.shpages_written === "number")
                message.shpages_written = object.shpages_written;
            else if (typeof object.shpages_written === "object")
                message.shpages_written = new $util.LongBits(object.shpages_written.low >>> 0, object.shpages_written.high >>> 0).toNumber(true);
        if (object.page_pipes != null)
            if ($util.Long)
                message.page_pipes = $util.Long.fromValue(object.page_pipes, true);
            else if (typeof object.page_pipes === "string")
                message.page_pipes = $parseInt(object.page_pipes, 10);
            else if (typeof object.page_pipes === "number")
                message.page_pipes = object.page_pipes;
            else if (typeof object.page_pipes === "object")
                message.page_pipes = new $util.LongBits(object.page_pipes.low >>> 0, object.page_pipes.high >>> 0).toNumber(true);
        if (object.page_pipe_bufs != null)
            if ($util.Long)
                message.page_pipe_bufs = $util.Long.fromValue(object.page_pipe_bufs, true);
            else if (typeof object.page_pipe_bufs === "string")
                message.page_pipe_bufs = $parseInt(object.page_pipe_bufs, 10);
            else if (typeof object.page_pipe_bufs === "number")
                message.page_pipe_bufs = object.page_pipe_bufs;
            else if (typeof object.page_pipe_bufs === "object")
                message.page_pipe_bufs = new $util.LongBits(object.page_pipe_bufs.low >>> 0, object.page_pipe_bufs.high >>> 0).toNumber(true);
        return message;
    };

    dump_stats_entry.toObject = function (message, options, _depth) {
        if (!options)
            options = {};
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let object = {};
        if (options.defaults) {
            object.freezing_time = 0;
            object.frozen_time = 0;
            object.memdump_time = 0;
            object.memwrite_time = 0;
            if ($util.Long) {
                let long = new $util.Long(0, 0, true);
                object.pages_scanned = options.longs === $String ? long.toString() : options.longs === $Number ? long.toNumber() : typeof $BigInt !== "undefined" && options.longs === $BigInt ? long.toBigInt() : long;
            } else
                object.pages_scanned = options.longs === $String ? "0" : typeof $BigInt !== "undefined" && options.longs === $BigInt ? $BigInt("0") : 0;
            if ($util.Long) {
                let long = new $util.Long(0, 0, true);
                object.pages_skipped_parent = options.longs === $String ? long.toString() : options.longs === $Number ? long.toNumber() : typeof $BigInt !== "undefined" && options.longs === $BigInt ? long.toBigInt() : long;
            } else
                object.pages_skipped_parent = options.longs === $String ? "0" : typeof $BigInt !== "undefined" && options.longs === $BigInt ? $BigInt("0") : 0;
            if ($util.Long) {
                let long = new $util.Long(0, 0, true);
                object.pages_written = options.longs === $String ? long.toString() : options.longs === $Number ? long.toNumber() : typeof $BigInt !== "undefined" && options.longs === $BigInt ? long.toBigInt() : long;
            } else
                object.pages_written = options.longs === $String ? "0" : typeof $BigInt !== "undefined" && options.longs === $BigInt ? $BigInt("0") : 0;
            object.irmap_resolve = 0;
            if ($util.Long) {
                let long = new $util.Long(0, 0, true);
                object.pages_lazy = options.longs === $String ? long.toString() : options.longs === $Number ? long.toNumber() : typeof $BigInt !== "undefined" && options.longs === $BigInt ? long.toBigInt() : long;
            } else
                object.pages_lazy = options.longs === $String ? "0" : typeof $BigInt !== "undefined" && options.longs === $BigInt ? $BigInt("0") : 0;
            if ($util.Long) {
                let long = new $util.Long(0, 0, true);
                object.page_pipes = options.longs === $String ? long.toString() : options.longs === $Number ? long.toNumber() : typeof $BigInt !== "undefined" && options.longs === $BigInt ? long.toBigInt() : long;
            } else
                object.page_pipes = options.longs === $String ? "0" : typeof $BigInt !== "undefined" && options.longs === $BigInt ? $BigInt("0") : 0;
            if ($util.Long) {
                let long = new $util.Long(0, 0, true);
                object.page_pipe_bufs = options.longs === $String ? long.toString() : options.longs === $Number ? long.toNumber() : typeof $BigInt !== "undefined" && options.longs === $BigInt ? long.toBigInt() : long;
            } else
                object.page_pipe_bufs = options.longs === $String ? "0" : typeof $BigInt !== "undefined" && options.longs === $BigInt ? $BigInt("0") : 0;
            if ($util.Long) {
                let long = new $util.Long(0, 0, true);
                object.shpages_scanned = options.longs === $String ? long.toString() : options.longs === $Number ? long.toNumber() : typeof $BigInt !== "undefined" && options.longs === $BigInt ? long.toBigInt() : long;
            } else
                object.shpages_scanned = options.longs === $String ? "0" : typeof $BigInt !== "undefined" && options.longs === $BigInt ? $BigInt("0") : 0;
            if ($util.Long) {
                let long = new $util.Long(0, 0, true);
                object.shpages_skipped_parent = options.longs === $String ? long.toString() : options.longs === $Number ? long.toNumber() : typeof $BigInt !== "undefined" && options.longs === $BigInt ? long.toBigInt() : long;
            } else
                object.shpages_skipped_parent = options.longs === $String ? "0" : typeof $BigInt !== "undefined" && options.longs === $BigInt ? $BigInt("0") : 0;
            if ($util.Long) {
                let long = new $util.Long(0, 0, true);
                object.shpages_written = options.longs === $String ? long.toString() : options.longs === $Number ? long.toNumber() : typeof $BigInt !== "undefined" && options.longs === $BigInt ? long.toBigInt() : long;
            } else
                object.shpages_written = options.longs === $String ? "0" : typeof $BigInt !== "undefined" && options.longs === $BigInt ? $BigInt("0") : 0;
        }
        if (message.freezing_time != null && $Object.hasOwnProperty.call(message, "freezing_time"))
            object.freezing_time = message.freezing_time;
        if (message.frozen_time != null && $Object.hasOwnProperty.call(message, "frozen_time"))
            object.frozen_time = message.frozen_time;
        if (message.memdump_time != null && $Object.hasOwnProperty.call(message, "memdump_time"))
            object.memdump_time = message.memdump_time;
        if (message.memwrite_time != null && $Object.hasOwnProperty.call(message, "memwrite_time"))
            object.memwrite_time = message.memwrite_time;
        if (message.pages_scanned != null && $Object.hasOwnProperty.call(message, "pages_scanned"))
            if (typeof $BigInt !== "undefined" && options.longs === $BigInt)
                object.pages_scanned = typeof message.pages_scanned === "number" ? $BigInt(message.pages_scanned) : $util.Long.fromBits(message.pages_scanned.low >>> 0, message.pages_scanned.high >>> 0, true).toBigInt();
            else if (typeof message.pages_scanned === "number")
                object.pages_scanned = options.longs === $String ? $String(message.pages_scanned) : message.pages_scanned;
            else
                object.pages_scanned = options.longs === $String ? $util.Long.prototype.toString.call(message.pages_scanned) : options.longs === $Number ? new $util.LongBits(message.pages_scanned.low >>> 0, message.pages_scanned.high >>> 0).toNumber(true) : message.pages_scanned;
        if (message.pages_skipped_parent != null && $Object.hasOwnProperty.call(message, "pages_skipped_parent"))
            if (typeof $BigInt !== "undefined" && options.longs === $BigInt)
                object.pages_skipped_parent = typeof message.pages_skipped_parent === "number" ? $BigInt(message.pages_skipped_parent) : $util.Long.fromBits(message.pages_skipped_parent.low >>> 0, message.pages_skipped_parent.high >>> 0, true).toBigInt();
            else if (typeof message.pages_skipped_parent === "number")
                object.pages_skipped_parent = options.longs === $String ? $String(message.pages_skipped_parent) : message.pages_skipped_parent;
            else
                object.pages_skipped_parent = options.longs === $String ? $util.Long.prototype.toString.call(message.pages_skipped_parent) : options.longs === $Number ? new $util.LongBits(message.pages_skipped_parent.low >>> 0, message.pages_skipped_parent.high >>> 0).toNumber(true) : message.pages_skipped_parent;
        if (message.pages_written != null && $Object.hasOwnProperty.call(message, "pages_written"))
            if (typeof $BigInt !== "undefined" && options.longs === $BigInt)
                object.pages_written = typeof message.pages_written === "number" ? $BigInt(message.pages_written) : $util.Long.fromBits(message.pages_written.low >>> 0, message.pages_written.high >>> 0, true).toBigInt();
            else if (typeof message.pages_written === "number")
                object.pages_written = options.longs === $String ? $String(message.pages_written) : message.pages_written;
            else
                object.pages_written = options.longs === $String ? $util.Long.prototype.toString.call(message.pages_written) : options.longs === $Number ? new $util.LongBits(message.pages_written.low >>> 0, message.pages_written.high >>> 0).toNumber(true) : message.pages_written;
        if (message.irmap_resolve != null && $Object.hasOwnProperty.call(message, "irmap_resolve"))
            object.irmap_resolve = message.irmap_resolve;
        if (message.pages_lazy != null && $Object.hasOwnProperty.call(message, "pages_lazy"))
            if (typeof $BigInt !== "undefined" && options.longs === $BigInt)
                object.pages_lazy = typeof message.pages_lazy === "number" ? $BigInt(message.pages_lazy) : $util.Long.fromBits(message.pages_lazy.low >>> 0, message.pages_lazy.high >>> 0, true).toBigInt();
            else if (typeof message.pages_lazy === "number")
                object.pages_lazy = options.longs === $String ? $String(message.pages_lazy) : message.pages_lazy;
            else
                object.pages_lazy = options.longs === $String ? $util.Long.prototype.toString.call(message.pages_lazy) : options.longs === $Number ? new $util.LongBits(message.pages_lazy.low >>> 0, message.pages_lazy.high >>> 0).toNumber(true) : message.pages_lazy;
        if (message.page_pipes != null && $Object.hasOwnProperty.call(message, "page_pipes"))
            if (typeof $BigInt !== "undefined" && options.longs === $BigInt)
                object.page_pipes = typeof message.page_pipes === "number" ? $BigInt(message.page_pipes) : $util.Long.fromBits(message.page_pipes.low >>> 0, message.page_pipes.high >>> 0, true).toBigInt();
            else if (typeof message.page_pipes === "number")
                object.page_pipes = options.longs === $String ? $String(message.page_pipes) : message.page_pipes;
            else
                object.page_pipes = options.longs === $String ? $util.Long.prototype.toString.call(message.page_pipes) : options.longs === $Number ? new $util.LongBits(message.page_pipes.low >>> 0, message.page_pipes.high >>> 0).toNumber(true) : message.page_pipes;
        if (message.page_pipe_bufs != null && $Object.hasOwnProperty.call(message, "page_pipe_bufs"))
            if (typeof $BigInt !== "undefined" && options.longs === $BigInt)
                object.page_pipe_bufs = typeof message.page_pipe_bufs === "number" ? $BigInt(message.page_pipe_bufs) : $util.Long.fromBits(message.page_pipe_bufs.low >>> 0, message.page_pipe_bufs.high >>> 0, true).toBigInt();
            else if (typeof message.page_pipe_bufs === "number")
                object.page_pipe_bufs = options.longs === $String ? $String(message.page_pipe_bufs) : message.page_pipe_bufs;
            else
                object.page_pipe_bufs = options.longs === $String ? $util.Long.prototype.toString.call(message.page_pipe_bufs) : options.longs === $Number ? new $util.LongBits(message.page_pipe_bufs.low >>> 0, message.page_pipe_bufs.high >>> 0).toNumber(true) : message.page_pipe_bufs;
        if (message.shpages_scanned != null && $Object.hasOwnProperty.call(message, "shpages_scanned"))
            if (typeof $BigInt !== "undefined" && options.longs === $BigInt)
                object.shpages_scanned = typeof message.shpages_scanned === "number" ? $BigInt(message.shpages_scanned) : $util.Long.fromBits(message.shpages_scanned.low >>> 0, message.shpages_scanned.high >>> 0, true).toBigInt();
            else if (typeof message.shpages_scanned === "number")
                object.shpages_scanned = options.longs === $String ? $String(message.shpages_scanned) : message.shpages_scanned;
            else
                object.shpages_scanned = options.longs === $String ? $util.Long.prototype.toString.call(message.shpages_scanned) : options.longs === $Number ? new $util.LongBits(message.shpages_scanned.low >>> 0, message.shpages_scanned.high >>> 0).toNumber(true) : message.shpages_scanned;
        if (message.shpages_skipped_parent != null && $Object.hasOwnProperty.call(message, "shpages_skipped_parent"))
            if (typeof $BigInt !== "undefined" && options.longs === $BigInt)
                object.shpages_skipped_parent = typeof message.shpages_skipped_parent === "number" ? $BigInt(message.shpages_skipped_parent) : $util.Long.fromBits(message.shpages_skipped_parent.low >>> 0, message.shpages_skipped_parent.high >>> 0, true).toBigInt();
            else if (typeof message.shpages_skipped_parent === "number")
                object.shpages_skipped_parent = options.longs === $String ? $String(message.shpages_skipped_parent) : message.shpages_skipped_parent;
            else
                object.shpages_skipped_parent = options.longs === $String ? $util.Long.prototype.toString.call(message.shpages_skipped_parent) : options.longs === $Number ? new $util.LongBits(message.shpages_skipped_parent.low >>> 0, message.shpages_skipped_parent.high >>> 0).toNumber(true) : message.shpages_skipped_parent;
        if (message.shpages_written != null && $Object.hasOwnProperty.call(message, "shpages_written"))
            if (typeof $BigInt !== "undefined" && options.longs === $BigInt)
                object.shpages_written = typeof message.shpages_written === "number" ? $BigInt(message.shpages_written) : $util.Long.fromBits(message.shpages_written.low >>> 0, message.shpages_written.high >>> 0, true).toBigInt();
            else if (typeof message.shpages_written === "number")
                object.shpages_written = options.longs === $String ? $String(message.shpages_written) : message.shpages_written;
            else
                object.shpages_written = options.longs === $String ? $util.Long.prototype.toString.call(message.shpages_written) : options.longs === $Number ? new $util.LongBits(message.shpages_written.low >>> 0, message.shpages_written.high >>> 0).toNumber(true) : message.shpages_written;
        return object;
    };

    dump_stats_entry.prototype.toJSON = function() {
        return dump_stats_entry.toObject(this, $protobuf.util.toJSONOptions);
    };

    return dump_stats_entry;
})();

export const restore_stats_entry = $root.restore_stats_entry = (() => {

    const restore_stats_entry = function (properties) {
        if (properties)
            for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                if (properties[keys[i]] != null && keys[i] !== "__proto__")
                    this[keys[i]] = properties[keys[i]];
    };

    restore_stats_entry.prototype.forking_time = 0;
    restore_stats_entry.prototype.restore_time = 0;
    restore_stats_entry.prototype.pages_compared = $util.Long ? $util.Long.fromBits(0,0,true) : 0;
    restore_stats_entry.prototype.pages_skipped_cow = $util.Long ? $util.Long.fromBits(0,0,true) : 0;
    restore_stats_entry.prototype.pages_restored = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

    restore_stats_entry.encode = function (message, writer, _depth) {
        if (!writer)
            writer = $Writer.create();
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        writer.uint32(8).uint64(message.pages_compared);
        writer.uint32(16).uint64(message.pages_skipped_cow);
        writer.uint32(24).uint32(message.forking_time);
        writer.uint32(32).uint32(message.restore_time);
        if (message.pages_restored != null && $Object.hasOwnProperty.call(message, "pages_restored"))
            writer.uint32(40).uint64(message.pages_restored);
        if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
            for (let i = 0; i < message.$unknowns.length; ++i)
                writer.raw(message.$unknowns[i]);
        return writer;
    };

    restore_stats_entry.decode = function (reader, length, _end, _depth, _target) {
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
        message = _target || new $root.restore_stats_entry();
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
                    message.forking_time = reader.uint32();
                    continue;
                }
            case 4: {
                    if (wireType !== 0)
                        break;
                    message.restore_time = reader.uint32();
                    continue;
                }
            case 1: {
                    if (wireType !== 0)
                        break;
                    message.pages_compared = reader.uint64();
                    continue;
                }
            case 2: {
                    if (wireType !== 0)
                        break;
                    message.pages_skipped_cow = reader.uint64();
                    continue;
                }
            case 5: {
                    if (wireType !== 0)
                        break;
                    message.pages_restored = reader.uint64();
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
        if (!$Object.hasOwnProperty.call(message, "forking_time"))
            throw $util.ProtocolError("missing required 'forking_time'", { instance: message });
        if (!$Object.hasOwnProperty.call(message, "restore_time"))
            throw $util.ProtocolError("missing required 'restore_time'", { instance: message });
        if (!$Object.hasOwnProperty.call(message, "pages_compared"))
            throw $util.ProtocolError("missing required 'pages_compared'", { instance: message });
        if (!$Object.hasOwnProperty.call(message, "pages_skipped_cow"))
            throw $util.ProtocolError("missing required 'pages_skipped_cow'", { instance: message });
        return message;
    };

    restore_stats_entry.fromObject = function (object, _depth) {
        if (object instanceof $root.restore_stats_entry)
            return object;
        if (!$util.isObject(object))
            throw $TypeError(".restore_stats_entry: object expected");
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let message = new $root.restore_stats_entry();
        if (object.forking_time != null)
            message.forking_time = object.forking_time >>> 0;
        if (object.restore_time != null)
            message.restore_time = object.restore_time >>> 0;
        if (object.pages_compared != null)
            if ($util.Long)
                message.pages_compared = $util.Long.fromValue(object.pages_compared, true);
            else if (typeof object.pages_compared === "string")
                message.pages_compared = $parseInt(object.pages_compared, 10);
            else if (typeof object.pages_compared === "number")
                message.pages_compared = object.pages_compared;
            else if (typeof object.pages_compared === "object")
                message.pages_compared = new $util.LongBits(object.pages_compared.low >>> 0, object.pages_compared.high >>> 0).toNumber(true);
        if (object.pages_skipped_cow != null)
            if ($util.Long)
                message.pages_skipped_cow = $util.Long.fromValue(object.pages_skipped_cow, true);
            else if (typeof object.pages_skipped_cow === "string")
                message.pages_skipped_cow = $parseInt(object.pages_skipped_cow, 10);
            else if (typeof object.pages_skipped_cow === "number")
                message.pages_skipped_cow = object.pages_skipped_cow;
            else if (typeof object.pages_skipped_cow === "object")
                message.pages_skipped_cow = new $util.LongBits(object.pages_skipped_cow.low >>> 0, object.pages_skipped_cow.high >>> 0).toNumber(true);
        if (object.pages_restored != null)
            if ($util.Long)
                message.pages_restored = $util.Long.fromValue(object.pages_restored, true);
            else if (typeof object.pages_restored === "string")
                message.pages_restored = $parseInt(object.pages_restored, 10);
            else if (typeof object.pages_restored === "number")
                message.pages_restored = object.pages_restored;
            else if (typeof object.pages_restored === "object")
                message.pages_restored = new $util.LongBits(object.pages_restored.low >>> 0, object.pages_restored.high >>> 0).toNumber(true);
        return message;
    };

    restore_stats_entry.toObject = function (message, options, _depth) {
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
                object.pages_compared = options.longs === $String ? long.toString() : options.longs === $Number ? long.toNumber() : typeof $BigInt !== "undefined" && options.longs === $BigInt ? long.toBigInt() : long;
            } else
                object.pages_compared = options.longs === $String ? "0" : typeof $BigInt !== "undefined" && options.longs === $BigInt ? $BigInt("0") : 0;
            if ($util.Long) {
                let long = new $util.Long(0, 0, true);
                object.pages_skipped_cow = options.longs === $String ? long.toString() : options.longs === $Number ? long.toNumber() : typeof $BigInt !== "undefined" && options.longs === $BigInt ? long.toBigInt() : long;
            } else
                object.pages_skipped_cow = options.longs === $String ? "0" : typeof $BigInt !== "undefined" && options.longs === $BigInt ? $BigInt("0") : 0;
            object.forking_time = 0;
            object.restore_time = 0;
            if ($util.Long) {
                let long = new $util.Long(0, 0, true);
                object.pages_restored = options.longs === $String ? long.toString() : options.longs === $Number ? long.toNumber() : typeof $BigInt !== "undefined" && options.longs === $BigInt ? long.toBigInt() : long;
            } else
                object.pages_restored = options.longs === $String ? "0" : typeof $BigInt !== "undefined" && options.longs === $BigInt ? $BigInt("0") : 0;
        }
        if (message.pages_compared != null && $Object.hasOwnProperty.call(message, "pages_compared"))
            if (typeof $BigInt !== "undefined" && options.longs === $BigInt)
                object.pages_compared = typeof message.pages_compared === "number" ? $BigInt(message.pages_compared) : $util.Long.fromBits(message.pages_compared.low >>> 0, message.pages_compared.high >>> 0, true).toBigInt();
            else if (typeof message.pages_compared === "number")
                object.pages_compared = options.longs === $String ? $String(message.pages_compared) : message.pages_compared;
            else
                object.pages_compared = options.longs === $String ? $util.Long.prototype.toString.call(message.pages_compared) : options.longs === $Number ? new $util.LongBits(message.pages_compared.low >>> 0, message.pages_compared.high >>> 0).toNumber(true) : message.pages_compared;
        if (message.pages_skipped_cow != null && $Object.hasOwnProperty.call(message, "pages_skipped_cow"))
            if (typeof $BigInt !== "undefined" && options.longs === $BigInt)
                object.pages_skipped_cow = typeof message.pages_skipped_cow === "number" ? $BigInt(message.pages_skipped_cow) : $util.Long.fromBits(message.pages_skipped_cow.low >>> 0, message.pages_skipped_cow.high >>> 0, true).toBigInt();
            else if (typeof message.pages_skipped_cow === "number")
                object.pages_skipped_cow = options.longs === $String ? $String(message.pages_skipped_cow) : message.pages_skipped_cow;
            else
                object.pages_skipped_cow = options.longs === $String ? $util.Long.prototype.toString.call(message.pages_skipped_cow) : options.longs === $Number ? new $util.LongBits(message.pages_skipped_cow.low >>> 0, message.pages_skipped_cow.high >>> 0).toNumber(true) : message.pages_skipped_cow;
        if (message.forking_time != null && $Object.hasOwnProperty.call(message, "forking_time"))
            object.forking_time = message.forking_time;
        if (message.restore_time != null && $Object.hasOwnProperty.call(message, "restore_time"))
            object.restore_time = message.restore_time;
        if (message.pages_restored != null && $Object.hasOwnProperty.call(message, "pages_restored"))
            if (typeof $BigInt !== "undefined" && options.longs === $BigInt)
                object.pages_restored = typeof message.pages_restored === "number" ? $BigInt(message.pages_restored) : $util.Long.fromBits(message.pages_restored.low >>> 0, message.pages_restored.high >>> 0, true).toBigInt();
            else if (typeof message.pages_restored === "number")
                object.pages_restored = options.longs === $String ? $String(message.pages_restored) : message.pages_restored;
            else
                object.pages_restored = options.longs === $String ? $util.Long.prototype.toString.call(message.pages_restored) : options.longs === $Number ? new $util.LongBits(message.pages_restored.low >>> 0, message.pages_restored.high >>> 0).toNumber(true) : message.pages_restored;
        return object;
    };

    restore_stats_entry.prototype.toJSON = function() {
        return restore_stats_entry.toObject(this, $protobuf.util.toJSONOptions);
    };

    return restore_stats_entry;
})();

export const pagemap_head = $root.pagemap_head = (() => {

    const pagemap_head = function (properties) {
        if (properties)
            for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                if (properties[keys[i]] != null && keys[i] !== "__proto__")
                    this[keys[i]] = properties[keys[i]];
    };

    pagemap_head.prototype.pages_id = 0;

    pagemap_head.encode = function (message, writer, _depth) {
        if (!writer)
            writer = $Writer.create();
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        writer.uint32(8).uint32(message.pages_id);
        if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
            for (let i = 0; i < message.$unknowns.length; ++i)
                writer.raw(message.$unknowns[i]);
        return writer;
    };

    pagemap_head.decode = function (reader, length, _end, _depth, _target) {
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
        message = _target || new $root.pagemap_head();
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
                    message.pages_id = reader.uint32();
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
        if (!$Object.hasOwnProperty.call(message, "pages_id"))
            throw $util.ProtocolError("missing required 'pages_id'", { instance: message });
        return message;
    };

    pagemap_head.fromObject = function (object, _depth) {
        if (object instanceof $root.pagemap_head)
            return object;
        if (!$util.isObject(object))
            throw $TypeError(".pagemap_head: object expected");
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let message = new $root.pagemap_head();
        if (object.pages_id != null)
            message.pages_id = object.pages_id >>> 0;
        return message;
    };

    pagemap_head.toObject = function (message, options, _depth) {
        if (!options)
            options = {};
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let object = {};
        if (options.defaults)
            object.pages_id = 0;
        if (message.pages_id != null && $Object.hasOwnProperty.call(message, "pages_id"))
            object.pages_id = message.pages_id;
        return object;
    };

    pagemap_head.prototype.toJSON = function() {
        return pagemap_head.toObject(this, $protobuf.util.toJSONOptions);
    };

    return pagemap_head;
})();

export const pagemap_entry = $root.pagemap_entry = (() => {

    const pagemap_entry = function (properties) {
        if (properties)
            for (let keys = $Object.keys(properties), i = 0; i < keys.length; ++i)
                if (properties[keys[i]] != null && keys[i] !== "__proto__")
                    this[keys[i]] = properties[keys[i]];
    };

    pagemap_entry.prototype.vaddr = $util.Long ? $util.Long.fromBits(0,0,true) : 0;
    pagemap_entry.prototype.compat_nr_pages = 0;
    pagemap_entry.prototype.in_parent = false;
    pagemap_entry.prototype.flags = 0;
    pagemap_entry.prototype.nr_pages = $util.Long ? $util.Long.fromBits(0,0,true) : 0;

    pagemap_entry.encode = function (message, writer, _depth) {
        if (!writer)
            writer = $Writer.create();
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        writer.uint32(8).uint64(message.vaddr);
        writer.uint32(16).uint32(message.compat_nr_pages);
        if (message.in_parent != null && $Object.hasOwnProperty.call(message, "in_parent"))
            writer.uint32(24).bool(message.in_parent);
        if (message.flags != null && $Object.hasOwnProperty.call(message, "flags"))
            writer.uint32(32).uint32(message.flags);
        if (message.nr_pages != null && $Object.hasOwnProperty.call(message, "nr_pages"))
            writer.uint32(40).uint64(message.nr_pages);
        if (message.$unknowns != null && $Object.hasOwnProperty.call(message, "$unknowns"))
            for (let i = 0; i < message.$unknowns.length; ++i)
                writer.raw(message.$unknowns[i]);
        return writer;
    };

    pagemap_entry.decode = function (reader, length, _end, _depth, _target) {
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
        message = _target || new $root.pagemap_entry();
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
                    message.vaddr = reader.uint64();
                    continue;
                }
            case 2: {
                    if (wireType !== 0)
                        break;
                    message.compat_nr_pages = reader.uint32();
                    continue;
                }
            case 3: {
                    if (wireType !== 0)
                        break;
                    message.in_parent = reader.bool();
                    continue;
                }
            case 4: {
                    if (wireType !== 0)
                        break;
                    message.flags = reader.uint32();
                    continue;
                }
            case 5: {
                    if (wireType !== 0)
                        break;
                    message.nr_pages = reader.uint64();
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
        if (!$Object.hasOwnProperty.call(message, "vaddr"))
            throw $util.ProtocolError("missing required 'vaddr'", { instance: message });
        if (!$Object.hasOwnProperty.call(message, "compat_nr_pages"))
            throw $util.ProtocolError("missing required 'compat_nr_pages'", { instance: message });
        return message;
    };

    pagemap_entry.fromObject = function (object, _depth) {
        if (object instanceof $root.pagemap_entry)
            return object;
        if (!$util.isObject(object))
            throw $TypeError(".pagemap_entry: object expected");
        if (_depth === $undefined)
            _depth = 0;
        if (_depth > $util.recursionLimit)
            throw $Error("max depth exceeded");
        let message = new $root.pagemap_entry();
        if (object.vaddr != null)
            if ($util.Long)
                message.vaddr = $util.Long.fromValue(object.vaddr, true);
            else if (typeof object.vaddr === "string")
                message.vaddr = $parseInt(object.vaddr, 10);
            else if (typeof object.vaddr === "number")
                message.vaddr = object.vaddr;
            else if (typeof object.vaddr === "object")
                message.vaddr = new $util.LongBits(object.vaddr.low >>> 0, object.vaddr.high >>> 0).toNumber(true);
        if (object.compat_nr_pages != null)
            message.compat_nr_pages = object.compat_nr_pages >>> 0;
        if (object.in_parent != null)
            message.in_parent = $Boolean(object.in_parent);
        if (object.flags != null)
            message.flags = object.flags >>> 0;
        if (object.nr_pages != null)
            if ($util.Long)
                message.nr_pages = $util.Long.fromValue(object.nr_pages, true);
            else if (typeof object.nr_pages === "string")
                message.nr_pages = $parseInt(object.nr_pages, 10);
            else if (typeof object.nr_pages === "number")
                message.nr_pages = object.nr_pages;
            else if (typeof object.nr_pages === "object")
                message.nr_pages = new $util.LongBits(object.nr_pages.low >>> 0, object.nr_pages.high >>> 0).toNumber(true);
        return message;
    };

    pagemap_entry.toObject = function (message, options, _depth) {
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
                object.vaddr = options.longs === $String ? long.toString() : options.longs === $Number ? long.toNumber() : typeof $BigInt !== "undefined" && options.longs === $BigInt ? long.toBigInt() : long;
            } else
                object.vaddr = options.longs === $String ? "0" : typeof $BigInt !== "undefined" && options.longs === $BigInt ? $BigInt("0") : 0;
            object.compat_nr_pages = 0;
            object.in_parent = false;
            object.flags = 0;
            if ($util.Long) {
                let long = new $util.Long(0, 0, true);
                object.nr_pages = options.longs === $String ? long.toString() : options.longs === $Number ? long.toNumber() : typeof $BigInt !== "undefined" && options.longs === $BigInt ? long.toBigInt() : long;
            } else
                object.nr_pages = options.longs === $String ? "0" : typeof $BigInt !== "undefined" && options.longs === $BigInt ? $BigInt("0") : 0;
        }
        if (message.vaddr != null && $Object.hasOwnProperty.call(message, "vaddr"))
            if (typeof $BigInt !== "undefined" && options.longs === $BigInt)
                object.vaddr = typeof message.vaddr === "number" ? $BigInt(message.vaddr) : $util.Long.fromBits(message.vaddr.low >>> 0, message.vaddr.high >>> 0, true).toBigInt();
            else if (typeof message.vaddr === "number")
                object.vaddr = options.longs === $String ? $String(message.vaddr) : message.vaddr;
            else
                object.vaddr = options.longs === $String ? $util.Long.prototype.toString.call(message.vaddr) : options.longs === $Number ? new $util.LongBits(message.vaddr.low >>> 0, message.vaddr.high >>> 0).toNumber(true) : message.vaddr;
        if (message.compat_nr_pages != null && $Object.hasOwnProperty.call(message, "compat_nr_pages"))
            object.compat_nr_pages = message.compat_nr_pages;
        if (message.in_parent != null && $Object.hasOwnProperty.call(message, "in_parent"))
            object.in_parent = message.in_parent;
        if (message.flags != null && $Object.hasOwnProperty.call(message, "flags"))
            object.flags = message.flags;
        if (message.nr_pages != null && $Object.hasOwnProperty.call(message, "nr_pages"))
            if (typeof $BigInt !== "undefined" && options.longs === $BigInt)
                object.nr_pages = typeof message.nr_pages === "number" ? $BigInt(message.nr_pages) : $util.Long.fromBits(message.nr_pages.low >>> 0, message.nr_pages.high >>> 0, true).toBigInt();
            else if (typeof message.nr_pages === "number")
                object.nr_pages = options.longs === $String ? $String(message.nr_pages) : message.nr_pages;
            else
                object.nr_pages = options.longs === $String ? $util.Long.prototype.toString.call(message.nr_pages) : options.longs === $Number ? new $util.LongBits(message.nr_pages.low >>> 0, message.nr_pages.high >>> 0).toNumber(true) : message.nr_pages;
        return object;
    };

    pagemap_entry.prototype.toJSON = function() {
        return pagemap_entry.toObject(this, $protobuf.util.toJSONOptions);
    };

    return pagemap_entry;
})();

export {
  $root as default
};
