package main

// What a run is told, and what it says: variables with their checks, and lines that bear the trace.

import (
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
)

// BadConfiguration is a variable that is missing or wrong: one line says which, and the exit code is 2.
type BadConfiguration struct{ words string }

func (e BadConfiguration) Error() string { return e.words }

var trace = variable("TRACE_ID", randomHex(8))

func randomHex(count int) string {
	some := make([]byte, count)
	rand.Read(some)
	return hex.EncodeToString(some)
}

func say(to io.Writer, words string) {
	mark := "[TRACE:" + trace + "] "
	fmt.Fprint(to, mark+strings.ReplaceAll(strings.TrimSpace(words), "\n", "\n"+mark)+"\n")
}

func variable(name, otherwise string) string {
	if value := strings.TrimSpace(os.Getenv(name)); value != "" {
		return value
	}
	return otherwise
}

// Settings reads variables and remembers the first that is missing or wrong.
type Settings struct{ wrong error }

func (s *Settings) refuse(words string) {
	if s.wrong == nil {
		s.wrong = BadConfiguration{words}
	}
}

func (s *Settings) text(name, meaning string) string {
	value := variable(name, "")
	if value == "" {
		s.refuse(name + " is not set: it should be " + meaning)
	}
	return value
}

func (s *Settings) choice(name string, known ...string) string {
	value := variable(name, known[0])
	for _, one := range known {
		if value == one {
			return value
		}
	}
	s.refuse(fmt.Sprintf("%s=%s is not valid: it should be %s", name, value, strings.Join(known, " or ")))
	return known[0]
}

func (s *Settings) number(name string, otherwise, low, high float64) float64 {
	return s.checked(name, "a number", otherwise, low, high, false)
}

func (s *Settings) whole(name string, otherwise, low, high float64) int {
	return int(s.checked(name, "a whole number", otherwise, low, high, true))
}

func (s *Settings) checked(name, word string, otherwise, low, high float64, whole bool) float64 {
	text := variable(name, "")
	if text == "" {
		return otherwise
	}
	value, err := strconv.ParseFloat(text, 64)
	if err != nil || !(low <= value && value <= high) || whole && value != math.Trunc(value) { // NaN is in no range
		s.refuse(fmt.Sprintf("%s=%s is not valid: it should be %s from %g to %g", name, text, word, low, high))
		return otherwise
	}
	return value
}
