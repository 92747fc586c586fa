package main

// Talking to servers that may be away: JSON over HTTP, and a queue that repeats what was not taken.

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"sync"
	"time"
)

type object = map[string]any

// Refused is an answer that is no success.
type Refused struct {
	code  int
	words string
}

func (e Refused) Error() string { return fmt.Sprintf("HTTP %d %s", e.code, e.words) }

// final: the same call would be refused again.
func (e Refused) final() bool { return e.code >= 400 && e.code < 500 && e.code != 408 && e.code != 429 }

var patient = &http.Client{Timeout: 10 * time.Second}

// ask posts a body, or gets without one, and reads the answer's JSON object.
func ask(url string, body []byte, token string) (object, error) {
	method := http.MethodPost
	if body == nil {
		method = http.MethodGet
	}
	request, err := http.NewRequest(method, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := patient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(io.LimitReader(response.Body, 10<<20))
	if err != nil {
		return nil, err
	}
	if response.StatusCode >= 300 {
		return nil, Refused{response.StatusCode, string(text[:least(len(text), 300)])}
	}
	answer := object{}
	return answer, json.Unmarshal(text, &answer)
}

func least(a, b int) int {
	if a < b {
		return a
	}
	return b
}

// number gives what JSON lacks as text: NaN, Infinity, -Infinity.
func number(value float64) any {
	switch {
	case math.IsNaN(value):
		return "NaN"
	case math.IsInf(value, 1):
		return "Infinity"
	case math.IsInf(value, -1):
		return "-Infinity"
	}
	return value
}

func numbers(values map[string]float64) object {
	found := object{}
	for name, value := range values {
		found[name] = number(value)
	}
	return found
}

type entry struct {
	key  string
	keep bool
	send func() error
}

// Outbox sends calls one by one and in order; it keeps and repeats them, unchanged, while their server is away.
type Outbox struct {
	server  string
	limit   int
	mutex   sync.Mutex
	changed *sync.Cond
	calls   []*entry
	trouble error
	closing chan struct{}
}

func NewOutbox(server string) *Outbox {
	box := &Outbox{server: server, limit: 10_000, closing: make(chan struct{})}
	box.changed = sync.NewCond(&box.mutex)
	go box.run()
	return box
}

// put takes the place of a call that waits under the same key. A full box drops what need not be kept.
func (box *Outbox) put(key string, keep bool, send func() error) {
	box.mutex.Lock()
	defer box.mutex.Unlock()
	fresh := &entry{key, keep, send}
	for place, one := range box.calls {
		if key != "" && one.key == key {
			box.calls[place] = fresh
			return
		}
	}
	for place := 0; place < len(box.calls) && len(box.calls) >= box.limit; place++ {
		if !box.calls[place].keep {
			box.calls = append(box.calls[:place:place], box.calls[place+1:]...)
		}
	}
	box.calls = append(box.calls, fresh)
	box.changed.Signal()
}

func (box *Outbox) drop(unwanted func(*entry) bool) {
	box.mutex.Lock()
	defer box.mutex.Unlock()
	left := box.calls[:0:0]
	for _, one := range box.calls {
		if !unwanted(one) {
			left = append(left, one)
		}
	}
	box.calls = left
}

func (box *Outbox) waiting() (keys []string) {
	box.mutex.Lock()
	defer box.mutex.Unlock()
	for _, one := range box.calls {
		keys = append(keys, one.key)
	}
	return keys
}

func (box *Outbox) run() {
	delay := 250 * time.Millisecond
	for {
		box.mutex.Lock()
		for len(box.calls) == 0 {
			box.changed.Wait()
		}
		first := box.calls[0]
		box.mutex.Unlock()
		err := first.send()
		var refused Refused
		final := errors.As(err, &refused) && refused.final()
		if final {
			say(os.Stdout, fmt.Sprintf("WARNING %s refused a call: %v", box.server, err))
		} else if err != nil {
			if box.failed(err) {
				say(os.Stdout, fmt.Sprintf("WARNING %s is away, its calls wait: %v", box.server, err))
			}
			select {
			case <-box.closing:
				time.Sleep(250 * time.Millisecond)
			case <-time.After(delay):
			}
			if delay *= 2; delay > 15*time.Second {
				delay = 15 * time.Second
			}
			continue
		} else {
			box.failed(nil)
			delay = 250 * time.Millisecond
		}
		box.drop(func(one *entry) bool { return one == first })
	}
}

// failed notes how the last try went; true if it is the first that failed.
func (box *Outbox) failed(err error) bool {
	box.mutex.Lock()
	defer box.mutex.Unlock()
	first := box.trouble == nil && err != nil
	box.trouble = err
	return first
}

func (box *Outbox) why() string {
	box.mutex.Lock()
	defer box.mutex.Unlock()
	if box.trouble == nil {
		return "too slow"
	}
	return box.trouble.Error()
}

// empty waits until all is sent or the moment until() has come; true if all is sent. To be called once.
func (box *Outbox) empty(until func() time.Time) bool {
	close(box.closing)
	for len(box.waiting()) > 0 && time.Now().Before(until()) {
		time.Sleep(20 * time.Millisecond)
	}
	return len(box.waiting()) == 0
}
