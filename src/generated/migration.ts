// Written by scripts/generate.mjs from proto/. Do not edit.
export default {
  "nested": {
    "node_criu": {
      "nested": {
        "Migrations": {
          "methods": {
            "Offer": {
              "requestType": "OfferRequest",
              "responseType": "OfferReply"
            },
            "StartRound": {
              "requestType": "RoundRequest",
              "responseType": "MigrationStatus"
            },
            "PutImages": {
              "requestType": "ImagePart",
              "requestStream": true,
              "responseType": "MigrationStatus"
            },
            "Prepare": {
              "requestType": "PrepareRequest",
              "responseType": "MigrationStatus"
            },
            "Commit": {
              "requestType": "MigrationRequest",
              "responseType": "MigrationStatus"
            },
            "AwaitPages": {
              "requestType": "MigrationRequest",
              "responseType": "MigrationStatus"
            },
            "Abort": {
              "requestType": "AbortRequest",
              "responseType": "MigrationStatus"
            },
            "GetStatus": {
              "requestType": "MigrationRequest",
              "responseType": "MigrationStatus"
            },
            "Acknowledge": {
              "requestType": "MigrationRequest",
              "responseType": "MigrationStatus"
            }
          }
        },
        "Mode": {
          "values": {
            "MODE_UNSPECIFIED": 0,
            "STOP_AND_COPY": 1,
            "PRE_COPY": 2,
            "POST_COPY": 3,
            "HYBRID": 4
          }
        },
        "State": {
          "values": {
            "UNKNOWN": 0,
            "RECEIVING": 1,
            "PREPARED": 2,
            "RESUMING": 3,
            "RESUMED": 4,
            "COMPLETE": 5,
            "ABORTED": 6,
            "FAILED": 7,
            "LOST": 8
          }
        },
        "HostFacts": {
          "fields": {
            "criu": {
              "type": "uint32",
              "id": 1
            },
            "kernel": {
              "type": "string",
              "id": 2
            },
            "architecture": {
              "type": "string",
              "id": 3
            },
            "memTrack": {
              "type": "bool",
              "id": 4,
              "protoName": "mem_track"
            },
            "lazyPages": {
              "type": "bool",
              "id": 5,
              "protoName": "lazy_pages"
            },
            "freeMemory": {
              "type": "uint64",
              "id": 6,
              "protoName": "free_memory"
            },
            "freeDisk": {
              "type": "uint64",
              "id": 7,
              "protoName": "free_disk"
            }
          }
        },
        "OfferRequest": {
          "oneofs": {
            "_networkLock": {
              "oneof": [
                "networkLock"
              ]
            },
            "_manageCgroupsMode": {
              "oneof": [
                "manageCgroupsMode"
              ]
            },
            "_cpuCap": {
              "oneof": [
                "cpuCap"
              ]
            },
            "_metadata": {
              "oneof": [
                "metadata"
              ]
            }
          },
          "fields": {
            "protocol": {
              "type": "uint32",
              "id": 1
            },
            "id": {
              "type": "string",
              "id": 2
            },
            "mode": {
              "type": "Mode",
              "id": 3
            },
            "host": {
              "type": "HostFacts",
              "id": 4
            },
            "program": {
              "type": "string",
              "id": 5
            },
            "pids": {
              "rule": "repeated",
              "type": "uint32",
              "id": 6
            },
            "memory": {
              "type": "uint64",
              "id": 7
            },
            "cpuinfo": {
              "type": "bytes",
              "id": 8
            },
            "flags": {
              "rule": "repeated",
              "type": "string",
              "id": 9
            },
            "networkLock": {
              "type": "string",
              "id": 10,
              "protoName": "network_lock",
              "options": {
                "proto3_optional": true
              }
            },
            "manageCgroupsMode": {
              "type": "string",
              "id": 11,
              "protoName": "manage_cgroups_mode",
              "options": {
                "proto3_optional": true
              }
            },
            "cpuCap": {
              "type": "uint32",
              "id": 12,
              "protoName": "cpu_cap",
              "options": {
                "proto3_optional": true
              }
            },
            "oldestProtocol": {
              "type": "uint32",
              "id": 20,
              "protoName": "oldest_protocol"
            },
            "addresses": {
              "rule": "repeated",
              "type": "string",
              "id": 40
            },
            "localAddresses": {
              "rule": "repeated",
              "type": "string",
              "id": 41,
              "protoName": "local_addresses"
            },
            "connectedAddresses": {
              "rule": "repeated",
              "type": "string",
              "id": 42,
              "protoName": "connected_addresses"
            },
            "metadata": {
              "type": "string",
              "id": 60,
              "options": {
                "proto3_optional": true
              }
            }
          }
        },
        "Refusal": {
          "values": {
            "REFUSAL_UNSPECIFIED": 0,
            "BUSY": 1,
            "CLOSING": 2,
            "NO_SPACE": 3,
            "PIDS_IN_USE": 4,
            "NOT_AUTHORIZED": 5,
            "INCOMPATIBLE": 6,
            "PROTOCOL_VERSION": 7,
            "INVALID_OFFER": 8,
            "OVER_LIMIT": 9
          }
        },
        "Objection": {
          "fields": {
            "message": {
              "type": "string",
              "id": 1
            },
            "remedy": {
              "type": "string",
              "id": 2
            },
            "code": {
              "type": "Refusal",
              "id": 20
            }
          }
        },
        "OfferReply": {
          "fields": {
            "objections": {
              "rule": "repeated",
              "type": "Objection",
              "id": 1
            },
            "host": {
              "type": "HostFacts",
              "id": 2
            },
            "pagePort": {
              "type": "uint32",
              "id": 3,
              "protoName": "page_port"
            },
            "roundToken": {
              "type": "bytes",
              "id": 4,
              "protoName": "round_token"
            },
            "lazyToken": {
              "type": "bytes",
              "id": 5,
              "protoName": "lazy_token"
            },
            "protocol": {
              "type": "uint32",
              "id": 20
            }
          }
        },
        "RoundRequest": {
          "fields": {
            "id": {
              "type": "string",
              "id": 1
            },
            "index": {
              "type": "uint32",
              "id": 2
            }
          }
        },
        "ImagePart": {
          "oneofs": {
            "part": {
              "oneof": [
                "round",
                "name",
                "data",
                "sha256",
                "whole"
              ]
            }
          },
          "fields": {
            "round": {
              "type": "RoundRequest",
              "id": 1
            },
            "name": {
              "type": "string",
              "id": 2
            },
            "data": {
              "type": "bytes",
              "id": 3
            },
            "sha256": {
              "type": "bytes",
              "id": 4
            },
            "whole": {
              "type": "Images",
              "id": 5
            }
          }
        },
        "Images": {
          "fields": {
            "images": {
              "rule": "repeated",
              "type": "Image",
              "id": 1
            }
          }
        },
        "Image": {
          "fields": {
            "name": {
              "type": "string",
              "id": 1
            },
            "data": {
              "type": "bytes",
              "id": 2
            },
            "sha256": {
              "type": "bytes",
              "id": 3
            }
          }
        },
        "PrepareRequest": {
          "fields": {
            "id": {
              "type": "string",
              "id": 1
            },
            "index": {
              "type": "uint32",
              "id": 2
            },
            "lazy": {
              "type": "bool",
              "id": 3
            },
            "lazyRestore": {
              "type": "bool",
              "id": 20,
              "protoName": "lazy_restore"
            }
          }
        },
        "MigrationRequest": {
          "fields": {
            "id": {
              "type": "string",
              "id": 1
            },
            "protocol": {
              "type": "uint32",
              "id": 20
            }
          }
        },
        "AbortRequest": {
          "fields": {
            "id": {
              "type": "string",
              "id": 1
            },
            "reason": {
              "type": "string",
              "id": 2
            },
            "protocol": {
              "type": "uint32",
              "id": 20
            }
          }
        },
        "MigrationStatus": {
          "oneofs": {
            "_pid": {
              "oneof": [
                "pid"
              ]
            },
            "_message": {
              "oneof": [
                "message"
              ]
            },
            "_pages": {
              "oneof": [
                "pages"
              ]
            },
            "_code": {
              "oneof": [
                "code"
              ]
            }
          },
          "fields": {
            "state": {
              "type": "State",
              "id": 1
            },
            "pid": {
              "type": "uint32",
              "id": 2,
              "options": {
                "proto3_optional": true
              }
            },
            "message": {
              "type": "string",
              "id": 3,
              "options": {
                "proto3_optional": true
              }
            },
            "pages": {
              "type": "uint64",
              "id": 4,
              "options": {
                "proto3_optional": true
              }
            },
            "code": {
              "type": "Refusal",
              "id": 20,
              "options": {
                "proto3_optional": true
              }
            }
          }
        }
      }
    }
  }
} as const;
