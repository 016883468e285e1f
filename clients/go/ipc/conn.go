package ipc

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"syscall"
	"time"
)

// frame is the longest message in either direction, its newline included.
const frame = 1 << 20

type conn struct {
	net.Conn
	reader *bufio.Reader
	// Whether the end of a context may still set its deadline, so that no other call may have it.
	spent bool
}

func dial(ctx context.Context, path string) (*conn, error) {
	var dialer net.Dialer
	plain, err := dialer.DialContext(ctx, "unix", path)
	if err != nil {
		return nil, unreachable(ctx, path, err)
	}
	return &conn{Conn: plain, reader: bufio.NewReaderSize(plain, 4096)}, nil
}

// unreachable says what a failure to connect means.
func unreachable(ctx context.Context, path string, err error) *Error {
	const start = "failed to connect to agent: "
	switch {
	case ctx.Err() != nil || errors.Is(err, os.ErrDeadlineExceeded):
		return late(ctx)
	case errors.Is(err, fs.ErrNotExist):
		return fail(ErrUnreachable, start+"connection refused: there is no socket `"+path+"`", err)
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.EAGAIN):
		return fail(ErrUnreachable, start+"connection refused: nothing listens on `"+path+"`", err)
	}
	failure := fail(ErrUnreachable, start+err.Error(), err)
	// Such as a lack of rights, which no waiting mends.
	failure.lasting = true
	return failure
}

// late is the failure of a call whose time is over, or that its caller has given up.
func late(ctx context.Context) *Error {
	if err := context.Cause(ctx); err != nil && !errors.Is(err, context.DeadlineExceeded) {
		return fail(ErrTimeout, "the call was given up: "+err.Error(), err)
	}
	return fail(ErrTimeout, "timeout: the agent did not answer in time", context.DeadlineExceeded)
}

// exchange sends a message and reads the line that comes back.
func (c *conn) exchange(ctx context.Context, message []byte) ([]byte, *Error) {
	// The deadline of the connection is that of the context, and its end ends what is under way.
	if err := c.SetDeadline(time.Time{}); err != nil {
		return nil, fail(ErrLost, "the agent closed the connection before it answered: "+err.Error(), err)
	}
	stop := context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })
	defer func() { c.spent = !stop() }()
	written, err := c.Write(message)
	if err == nil {
		var line []byte
		if line, err = c.line(); err == nil {
			return line, nil
		}
	}
	var failure *Error
	switch {
	case errors.As(err, &failure):
	case ctx.Err() != nil:
		failure = late(ctx)
	default:
		failure = fail(ErrLost, "the agent closed the connection before it answered: "+err.Error(), err)
	}
	failure.sent = written > 0
	return nil, failure
}

func (c *conn) line() ([]byte, error) {
	var line bytes.Buffer
	for {
		part, err := c.reader.ReadSlice('\n')
		if line.Len()+len(part) > frame {
			return nil, fail(ErrProtocol, "the agent's answer is larger than 1 MiB", nil)
		}
		line.Write(part)
		if err == nil {
			return line.Bytes(), nil
		}
		if errors.Is(err, io.EOF) {
			return nil, io.ErrUnexpectedEOF
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return nil, err
		}
	}
}

// isQuiet says whether the connection is open with nothing to read: what nobody asked for is no answer to the next
// call, and what the agent has closed must not swallow one.
func (c *conn) isQuiet() bool {
	if c.reader.Buffered() > 0 {
		return false
	}
	plain, ok := c.Conn.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := plain.SyscallConn()
	if err != nil {
		return false
	}
	var peeked error
	err = raw.Control(func(descriptor uintptr) {
		var one [1]byte
		_, _, peeked = syscall.Recvfrom(int(descriptor), one[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
	})
	return err == nil && (peeked == syscall.EAGAIN || peeked == syscall.EWOULDBLOCK)
}
