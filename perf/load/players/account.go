package players

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"

	"gatepass/codec"
)

// Account is a name and a password to log in with, as a player types them. The protocol
// driver upper-cases both where the protocol needs it.
type Account struct{ Name, Password string }

// MaxAccounts is the largest number of accounts that MakeAccounts can name.
const MaxAccounts = 999_999

// MakeAccounts returns n accounts, always the same: LOAD000001 with the password
// PASS000001 and so on. n is 1 to MaxAccounts.
func MakeAccounts(n int) []Account {
	accounts := make([]Account, n)
	for i := range accounts {
		accounts[i] = Account{Name: fmt.Sprintf("LOAD%06d", i+1), Password: fmt.Sprintf("PASS%06d", i+1)}
	}
	return accounts
}

// accountColumns is the header of an accounts file. 'gatepass account import' reads the
// same format.
var accountColumns = [...]string{"username", "password"}

// WriteAccounts writes accounts as CSV with a header.
func WriteAccounts(w io.Writer, accounts []Account) error {
	out := csv.NewWriter(w)
	_ = out.Write(accountColumns[:]) // Flush keeps the error
	for _, a := range accounts {
		_ = out.Write([]string{a.Name, a.Password})
	}
	out.Flush()
	return out.Error()
}

// ErrAccounts says that an accounts file cannot be used.
var ErrAccounts = errors.New("load: accounts file")

// ReadAccounts reads accounts in the format of WriteAccounts. Its errors name the line.
func ReadAccounts(r io.Reader) ([]Account, error) {
	in := csv.NewReader(r)
	in.FieldsPerRecord = len(accountColumns)
	header, err := in.Read()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAccounts, err)
	}
	if [2]string(header) != accountColumns {
		return nil, fmt.Errorf("%w: the first line must be %q", ErrAccounts, "username,password")
	}
	var accounts []Account
	for {
		row, err := in.Read()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrAccounts, err)
		}
		if _, ok := codec.NameOf(row[0]); !ok {
			line, _ := in.FieldPos(0)
			return nil, fmt.Errorf("%w: line %d: a name has 1 to %d bytes", ErrAccounts, line, codec.MaxName)
		}
		accounts = append(accounts, Account{Name: row[0], Password: row[1]})
	}
	if len(accounts) == 0 {
		return nil, fmt.Errorf("%w: no accounts in it", ErrAccounts)
	}
	return accounts, nil
}
