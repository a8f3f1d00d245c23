package wire

import (
	"bytes"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

func pipePair(t *testing.T) (client, server net.Conn) {
	t.Helper()
	l := ListenPipe()
	accepted := make(chan net.Conn)
	go func() {
		c, err := l.Accept()
		if err != nil {
			t.Error(err)
		}
		accepted <- c
	}()
	client, err := dialAny(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	server = <-accepted
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := dialAny(l.Addr().String()); err == nil {
		t.Error("a closed listener could be dialled")
	}
	return client, server
}

func TestPipeCarriesMoreThanItHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := pipePair(t)
		sent := bytes.Repeat([]byte("0123456789"), pipeBuffer/5)
		go func() {
			_, err := client.Write(sent)
			if err == nil {
				err = client.Close()
			}
			if err != nil {
				t.Error(err)
			}
		}()
		got, err := io.ReadAll(server)
		if err != nil || !bytes.Equal(got, sent) {
			t.Errorf("got %d bytes, %v", len(got), err)
		}
		if _, err := server.Write([]byte("x")); !Ended(err) {
			t.Errorf("write to a closed end: %v", err)
		}
	})
}

func TestPipeDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := pipePair(t)
		begun := time.Now()
		if err := client.SetDeadline(begun.Add(time.Minute)); err != nil {
			t.Fatal(err)
		}
		if _, err := client.Read(make([]byte, 1)); !TimedOut(err) {
			t.Errorf("read: %v", err)
		}
		if d := time.Since(begun); d != time.Minute {
			t.Errorf("after %v", d)
		}
		if _, err := client.Write(make([]byte, 1)); !TimedOut(err) {
			t.Errorf("write: %v", err)
		}
		// A deadline that is set meanwhile wakes a waiting reader: the way to interrupt one.
		go func() {
			time.Sleep(time.Second)
			if err := server.SetReadDeadline(time.Unix(1, 0)); err != nil {
				t.Error(err)
			}
		}()
		if _, err := server.Read(make([]byte, 1)); !TimedOut(err) {
			t.Errorf("interrupted read: %v", err)
		}
	})
}
