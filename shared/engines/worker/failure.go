package main

import (
	"errors"
	"fmt"
	"strings"
)

const maxMessage = 16 << 10

// failure is an error that the client can tell apart by its reason.
type failure struct {
	reason  string
	message string
	details any
}

func (f *failure) Error() string { return f.message }

func failed(reason, format string, args ...any) *failure {
	return &failure{reason: reason, message: fmt.Sprintf(format, args...)}
}

// because gives a library's error a reason, unless it carries one already.
func because(reason string, err error) error {
	var known *failure
	if err == nil || errors.As(err, &known) {
		return err
	}
	return &failure{reason: reason, message: err.Error()}
}

func asFailure(err error) *failure {
	var known *failure
	if errors.As(err, &known) {
		return known
	}
	return &failure{reason: "Failed", message: err.Error()}
}

func clip(message string) string {
	message = strings.ToValidUTF8(message, "?")
	if len(message) <= maxMessage {
		return message
	}
	return strings.ToValidUTF8(message[:maxMessage], "") + "..."
}
