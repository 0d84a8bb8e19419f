// go-criu CRIU: a client that uses go-criu. See client.h. Requests are served at the same time.
package main

import (
	"bufio"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/checkpoint-restore/go-criu/v7"
	"github.com/checkpoint-restore/go-criu/v7/rpc"
	"google.golang.org/protobuf/proto"
)

var kept [][]byte

func client() *criu.Criu {
	c := criu.MakeCriu()
	c.SetCriuPath(os.Args[1])
	return c
}

func dump(pid int, directory string, end bool) error {
	images, err := os.Open(directory)
	if err != nil {
		return err
	}
	defer images.Close()
	return client().Dump(&rpc.CriuOpts{
		Pid:          proto.Int32(int32(pid)),
		ImagesDirFd:  proto.Int32(int32(images.Fd())),
		LogFile:      proto.String("dump.log"),
		LeaveRunning: proto.Bool(!end),
	}, nil)
}

func restore(directory string) error {
	images, err := os.Open(directory)
	if err != nil {
		return err
	}
	defer images.Close()
	return client().Restore(&rpc.CriuOpts{
		ImagesDirFd: proto.Int32(int32(images.Fd())),
		LogFile:     proto.String("restore.log"),
	}, nil)
}

func grow(mib int) {
	memory := make([]byte, mib<<20)
	for i := range memory {
		memory[i] = 1
	}
	kept = append(kept, memory)
}

func perform(words []string) error {
	var err error
	switch words[0] {
	case "version":
		_, err = client().GetCriuVersion()
	case "features":
		_, err = client().FeatureCheck(&rpc.CriuFeatures{
			MemTrack:   proto.Bool(true),
			LazyPages:  proto.Bool(true),
			PidfdStore: proto.Bool(true),
		})
	case "dump":
		pid, _ := strconv.Atoi(words[1])
		err = dump(pid, words[2], words[3] != "0")
	case "restore":
		err = restore(words[1])
	case "grow":
		mib, _ := strconv.Atoi(words[1])
		grow(mib)
	default:
		err = fmt.Errorf("what is %s?", words[0])
	}
	return err
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		go func() {
			start := time.Now()
			err := perform(words[1:])
			took := time.Since(start)
			if err != nil {
				fmt.Fprintln(os.Stderr, err)
				fmt.Println(words[0], "error")
			} else {
				fmt.Println(words[0], took.Nanoseconds())
			}
		}()
	}
}
