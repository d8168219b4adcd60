package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"time"

	"gatepass/cmd/gatepass/internal/config"
	"gatepass/storage"
)

// remember is a command of the scripts: it makes an account of a data folder
// remember a device, as a native sign-in does.
//
//	remember FOLDER ACCOUNT FAMILY NAME EXPIRES-IN
func remember() {
	if err := rememberDevice(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func rememberDevice(args []string) (err error) {
	account, err := storage.FoldName(args[1])
	if err != nil {
		return err
	}
	d := storage.Device{Name: args[3], Created: 1_700_000_000, LastUsed: time.Now().Unix(), LastAddr: netip.MustParseAddr("192.0.2.7")}
	if _, err := hex.Decode(d.Family[:], []byte(args[2])); err != nil {
		return err
	}
	d.ID = d.Family
	for i := range d.Key {
		d.Key[i], d.Verifier[i] = 0xee, 0xdd
	}
	span, err := time.ParseDuration(args[4])
	if err != nil {
		return err
	}
	d.Expires = time.Now().Add(span).Unix()
	c, err := storage.OpenClient(config.AccountEngine(args[0], 0), storage.OpenOptions{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	results, err := c.Do(context.Background(), storage.Op{Kind: storage.OpGet, Name: account})
	if err == nil {
		err = results[0].Err
	}
	if err != nil {
		return err
	}
	add := storage.Op{Kind: storage.OpAddDevice, Name: account, Device: &d, Proven: results[0].Account.Credentials()}
	if results, err = c.Do(context.Background(), add); err == nil {
		err = results[0].Err
	}
	return err
}
