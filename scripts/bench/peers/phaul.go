// A migration by go-criu's phaul, with what it leaves to its user: a server on the host that the process
// goes to, and a client on the one it leaves. criu is found on PATH; both see each other's directories.
//
//	phaul server LISTEN SERVICE DIRECTORY
//	phaul client SERVER SERVICE DIRECTORY PID
//
// The service is an address that moves along, as in by-hand.sh: it is the destination's before the restore,
// and others are told when the connections are there.
package main

import (
	"fmt"
	"net"
	netrpc "net/rpc"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/checkpoint-restore/go-criu/v7"
	"github.com/checkpoint-restore/go-criu/v7/phaul"
	"github.com/checkpoint-restore/go-criu/v7/rpc"
	"golang.org/x/sys/unix"
	"google.golang.org/protobuf/proto"
)

const device = "eth0"

// Server is what the client calls.
type Server struct {
	criu.NoNotify
	phaul   *phaul.Server
	service string
	stopped bool
}

// StartIter is of phaul.Remote.
func (s *Server) StartIter(_ int, _ *int) error {
	s.stopped = false
	return s.phaul.StartIter()
}

// StopIter is of phaul.Remote.
func (s *Server) StopIter(_ int, _ *int) error {
	if s.stopped {
		return nil
	}
	s.stopped = true
	return s.phaul.StopIter()
}

// Restore restores from the images of a dump, and the memory that came before.
func (s *Server) Restore(dump string, _ *int) error {
	// Memory is all on file only when the page server has ended.
	if err := s.StopIter(0, nil); err != nil {
		return err
	}
	directory := s.phaul.LastImagesDir()
	images, err := filepath.Glob(dump + "/*.img")
	if err != nil {
		return err
	}
	for _, image := range images {
		if err := os.Rename(image, filepath.Join(directory, filepath.Base(image))); err != nil {
			return err
		}
	}
	if err := run("ip", "addr", "add", s.service+"/32", "dev", device); err != nil {
		return err
	}
	return inDirectory(directory, func(fd int32) error {
		return s.phaul.GetCriu().Restore(&rpc.CriuOpts{
			ImagesDirFd:    proto.Int32(fd),
			LogFile:        proto.String("restore.log"),
			TcpEstablished: proto.Bool(true),
		}, s)
	})
}

// PostRestore comes when the connections are there. A device with arp_notify tells when its address is
// set, even to what it is.
func (s *Server) PostRestore(_ int32) error {
	link, err := net.InterfaceByName(device)
	if err != nil {
		return err
	}
	return run("ip", "link", "set", "dev", device, "address", link.HardwareAddr.String())
}

type remote struct{ *netrpc.Client }

func (r remote) StartIter() error { return r.Call("Server.StartIter", 0, nil) }
func (r remote) StopIter() error  { return r.Call("Server.StopIter", 0, nil) }

type local struct {
	criu.NoNotify
	remote  remote
	service string
	images  string
}

// DumpCopyRestore is of phaul.Local.
func (l local) DumpCopyRestore(c *criu.Criu, config phaul.Config, last string) error {
	if err := os.Mkdir(l.images, 0o700); err != nil {
		return err
	}
	return inDirectory(l.images, func(fd int32) error {
		return c.Dump(&rpc.CriuOpts{
			Pid:            proto.Int32(config.Pid),
			ImagesDirFd:    proto.Int32(fd),
			ParentImg:      proto.String(last),
			TrackMem:       proto.Bool(true),
			LogFile:        proto.String("dump.log"),
			TcpEstablished: proto.Bool(true),
			NetworkLock:    rpc.CriuNetworkLockMethod_NFTABLES.Enum(),
			Ps:             &rpc.CriuPageServerInfo{Fd: proto.Int32(int32(config.Memfd))},
		}, l)
	})
}

// PostDump moves the process while the one that was dumped is still frozen; it ends once this succeeds.
func (l local) PostDump() error {
	if err := run("ip", "addr", "del", l.service+"/32", "dev", device); err != nil {
		return err
	}
	return l.remote.Call("Server.Restore", l.images, nil)
}

func serve(address, service, directory string) error {
	// A page server outlives the criu that starts it, and phaul waits for it as for a child.
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	fmt.Println("ready")
	memory, err := listener.Accept()
	if err != nil {
		return err
	}
	calls, err := listener.Accept()
	if err != nil {
		return err
	}
	config, err := configure(memory, directory, 0)
	if err != nil {
		return err
	}
	server, err := phaul.MakePhaulServer(config)
	if err != nil {
		return err
	}
	if err := netrpc.Register(&Server{phaul: server, service: service}); err != nil {
		return err
	}
	netrpc.ServeConn(calls)
	return nil
}

func migrate(address, service, directory string, pid int) error {
	memory, err := net.Dial("tcp", address)
	if err != nil {
		return err
	}
	calls, err := netrpc.Dial("tcp", address)
	if err != nil {
		return err
	}
	config, err := configure(memory, directory, pid)
	if err != nil {
		return err
	}
	there := remote{calls}
	here := local{remote: there, service: service, images: filepath.Join(directory, "dump")}
	client, err := phaul.MakePhaulClient(here, there, config)
	if err != nil {
		return err
	}
	return client.Migrate()
}

// The connection becomes a descriptor that blocks and that criu inherits.
func configure(memory net.Conn, directory string, pid int) (phaul.Config, error) {
	file, err := memory.(*net.TCPConn).File()
	if err != nil {
		return phaul.Config{}, err
	}
	fd, err := syscall.Dup(int(file.Fd()))
	if err != nil {
		return phaul.Config{}, err
	}
	return phaul.Config{Pid: int32(pid), Memfd: fd, Wdir: directory}, syscall.SetNonblock(fd, false)
}

func inDirectory(path string, use func(fd int32) error) error {
	directory, err := os.Open(path)
	if err != nil {
		return err
	}
	defer directory.Close()
	return use(int32(directory.Fd()))
}

func run(name string, args ...string) error {
	said, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s %v: %w: %s", name, args, err, said)
	}
	return nil
}

func main() {
	var err error
	role, address, service, directory := os.Args[1], os.Args[2], os.Args[3], os.Args[4]
	if role == "server" {
		err = serve(address, service, directory)
	} else {
		pid, _ := strconv.Atoi(os.Args[5])
		err = migrate(address, service, directory, pid)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
