// What `crit decode` of go-criu does with an image of open files, without its command line, which needs more
// packages.
//
//	go-crit FILES_IMAGE JSON
package main

import (
	"encoding/json"
	"log"
	"os"

	"github.com/checkpoint-restore/go-criu/v7/crit"
	"github.com/checkpoint-restore/go-criu/v7/crit/images/fdinfo"
)

func main() {
	in, err := os.Open(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	image, err := crit.New(in, nil, "", false, false).Decode(&fdinfo.FileEntry{})
	if err != nil {
		log.Fatal(err)
	}
	text, err := json.Marshal(image)
	if err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(os.Args[2], text, 0600); err != nil {
		log.Fatal(err)
	}
}
