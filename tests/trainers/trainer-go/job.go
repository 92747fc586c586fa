package main

// A run's side of the contract: callbacks and heartbeats, uploads, signals, the end with its receipt and exit code.
// Nothing in here waits for a server while training goes on: what they are to get lies in an Outbox each.

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"sort"
	"strings"
	"sync"
	"syscall"
	"time"
)

type Job struct {
	id, url, folder          string
	keepEpochs               int
	settings                 Settings
	bucket                   *Bucket
	backend, mlflow, storage *Outbox
	tracking                 *Tracking
	ctx                      context.Context // ends once a signal or the backend asks the run to stop
	cancel                   context.CancelFunc

	mutex      sync.Mutex // for everything below
	token      string
	attempt    int
	seq        int
	seconds    float64
	phase      object
	metrics    map[string]float64
	checkpoint any
	stoppedBy  syscall.Signal
	giveUpAt   time.Time
	told       bool
}

func NewJob() *Job {
	made := time.Now().Format("local-20060102-150405-") + randomHex(2)
	job := &Job{id: variable("JOB_ID", made), url: strings.TrimRight(variable("BACKEND_BASE_URL", ""), "/")}
	job.token, job.attempt, job.seconds = variable("CALLBACK_TOKEN", ""), 1, 60
	job.phase, job.metrics = object{"phase": "starting"}, map[string]float64{}
	job.giveUpAt = time.Now().AddDate(100, 0, 0)
	job.ctx, job.cancel = context.WithCancel(context.Background())
	job.tracking = &Tracking{url: strings.TrimRight(variable("MLFLOW_TRACKING_URI", ""), "/"), job: job}
	if job.url != "" && job.token != "" {
		job.backend = NewOutbox("the backend")
	}
	if job.tracking.url != "" {
		job.mlflow = NewOutbox("MLflow")
	}
	job.storage = NewOutbox("the storage")
	return job
}

// Run calls train and tells how it ended. The result is the exit code.
func (job *Job) Run(train func(*Job) error) int {
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		for one := range signals {
			job.stop(one.(syscall.Signal))
		}
	}()
	err := job.start()
	trail := ""
	if err == nil {
		err, trail = guarded(job, train)
	}
	status, code := "succeeded", 0
	var fault any
	var bad BadConfiguration
	switch {
	case err == nil:
	case job.ctx.Err() != nil && errors.Is(err, context.Canceled):
		status, code = "cancelled", job.cancelledCode()
	default:
		kind, message := "Error", err.Error()
		status, code = "failed", 1
		if errors.As(err, &bad) {
			kind, code = "BadConfiguration", 2
		} else if errors.Is(err, syscall.ENOSPC) {
			kind, message = "DiskFull", fmt.Sprintf("no space is left on the disk (%s): %v", job.folder, err)
		}
		if trail == "" {
			trail = trailOf(err)
		}
		trail += message
		if code == 2 {
			say(os.Stderr, message) // one line
		} else {
			say(os.Stderr, trail)
		}
		fault = object{"type": kind, "message": message[:least(len(message), 5_000)], "traceback": trail}
	}
	return job.finish(status, code, fault)
}

func guarded(job *Job, train func(*Job) error) (err error, trail string) {
	defer func() {
		if panicked := recover(); panicked != nil {
			err, trail = fmt.Errorf("%v", panicked), string(debug.Stack())
		}
	}()
	return train(job), ""
}

// located is an error and the line it came by: what Go has for a traceback.
type located struct {
	where string
	error
}

func (l located) Unwrap() error { return l.error }

func at(err error) error {
	if err == nil {
		return nil
	}
	_, file, line, _ := runtime.Caller(1)
	return located{fmt.Sprintf("%s:%d", path.Base(file), line), err}
}

func trailOf(err error) string {
	trail := ""
	for one := err; one != nil; one = errors.Unwrap(one) {
		if place, known := one.(located); known {
			trail += "at " + place.where + "\n"
		}
	}
	return trail
}

func (job *Job) start() error {
	var off []string
	if job.backend == nil {
		off = append(off, "callbacks")
	}
	if job.mlflow == nil {
		off = append(off, "MLflow")
	}
	words := "job " + job.id + " starts"
	if len(off) > 0 {
		words += " without " + strings.Join(off, " and ") + ": no address is set"
	}
	say(os.Stdout, words)
	s := &job.settings
	job.attempt, job.seconds = s.whole("ATTEMPT", 1, 1, 1000), s.number("FLUSH_SECONDS", 120, 0, 3600)
	job.event("running", "", object{"pid": os.Getpid()})
	job.keepEpochs = s.whole("KEEP_EPOCHS", 0, 0, 1e6)
	beat := s.number("HEARTBEAT_SECONDS", 10, 0.05, 3600)
	job.bucket = bucketOf(s)
	if s.wrong != nil {
		return s.wrong
	}
	go job.beat(time.Duration(beat * float64(time.Second)))
	folder, err := os.MkdirTemp("", job.id+"-") // all that is temporary; removed at the end
	job.folder = folder
	return at(err)
}

// stop is noted only: loops look at job.ctx where nothing is left half done. From here on the end takes 5 seconds.
func (job *Job) stop(number syscall.Signal) {
	job.mutex.Lock()
	defer job.mutex.Unlock()
	if job.stoppedBy == 0 {
		job.stoppedBy, job.giveUpAt = number, time.Now().Add(5*time.Second)
	}
	job.cancel()
}

func (job *Job) cancelledCode() int {
	job.mutex.Lock()
	defer job.mutex.Unlock()
	return 128 + int(job.stoppedBy)
}

// call gives a number and a place in the queue, together, so that they agree.
func (job *Job) call(kind string, keep bool, body object) []byte {
	job.mutex.Lock()
	defer job.mutex.Unlock()
	return job.callLocked(kind, keep, body)
}

func (job *Job) callLocked(kind string, keep bool, body object) []byte {
	job.seq++
	whole := object{"attempt": job.attempt, "seq": job.seq}
	for name, value := range body {
		whole[name] = value
	}
	text, err := json.Marshal(whole)
	if err != nil {
		panic(err)
	}
	if job.backend != nil {
		job.backend.put("", keep, func() error { return job.send(kind, text) })
	}
	return text
}

func (job *Job) event(kind, message string, data object) {
	if message != "" {
		say(os.Stdout, message)
	}
	job.call("event", true, object{"type": kind, "message": message, "data": data})
}

func (job *Job) enter(phase string) {
	job.mutex.Lock()
	defer job.mutex.Unlock()
	job.phase = object{"phase": phase}
	job.callLocked("heartbeat", false, job.phase)
}

func (job *Job) logParams(params map[string]any) {
	var words []string
	for name, value := range params {
		words = append(words, fmt.Sprintf("%s=%v", name, value))
	}
	sort.Strings(words)
	say(os.Stdout, "settings: "+strings.Join(words, ", "))
	job.log(record{params: params})
}

// endEpoch tells an epoch's numbers to all three: log, backend and MLflow.
func (job *Job) endEpoch(epoch, epochs int, metrics map[string]float64) {
	var words []string
	validated := object{}
	for name, value := range metrics {
		words = append(words, fmt.Sprintf("%s %.4g", name, value))
		if strings.HasPrefix(name, "val/") {
			validated[name] = number(value)
		}
	}
	sort.Strings(words)
	say(os.Stdout, fmt.Sprintf("epoch %d/%d  %s", epoch, epochs, strings.Join(words, "  ")))
	now := object{"phase": "training", "epoch": epoch, "epochs": epochs, "progress": float64(epoch) / float64(epochs)}
	job.mutex.Lock()
	job.phase, job.metrics = now, metrics
	job.callLocked("heartbeat", false, with(now, "metrics", numbers(metrics)))
	job.mutex.Unlock()
	job.event("validation", "", object{"epoch": epoch, "metrics": validated})
	job.log(record{metrics: metrics, step: epoch})
}

func with(one object, name string, value any) object {
	copied := object{name: value}
	for known, other := range one {
		if known != name {
			copied[known] = other
		}
	}
	return copied
}

func (job *Job) log(one record) {
	if job.mlflow != nil {
		one.time = time.Now().UnixMilli()
		job.mlflow.put("", true, func() error { return job.tracking.write(one) })
	}
}

func (job *Job) beat(every time.Duration) {
	for range time.Tick(every) {
		job.mutex.Lock()
		if job.backend != nil && !job.told && len(job.backend.waiting()) == 0 { // a waiting call tells as much
			job.callLocked("heartbeat", false, job.phase)
		}
		job.mutex.Unlock()
	}
}

func (job *Job) send(kind string, body []byte) error {
	job.mutex.Lock()
	token := job.token
	job.mutex.Unlock()
	if token == "" {
		return nil
	}
	answer, err := ask(job.url+"/v1/jobs/"+job.id+"/"+kind, body, token)
	var refused Refused
	renewed, _ := answer["token"].(string)
	if errors.As(err, &refused) && refused.code == 401 {
		say(os.Stdout, "WARNING the backend refuses this run's token (401): it is told no more, training goes on")
		renewed, token, err = "", "", nil
	}
	if renewed != "" {
		token = renewed
	}
	job.mutex.Lock()
	job.token = token
	job.mutex.Unlock()
	if answer["cancel"] == true {
		job.stop(syscall.SIGTERM)
	}
	return err
}

// upload sends checkpoints/job-{id}/{name}.pt in the background; it is announced once it is complete.
func (job *Job) upload(name string, epoch int, body []byte) {
	home := "checkpoints/job-" + job.id + "/"
	key := home + name + ".pt"
	numbered := strings.HasPrefix(name, "epoch-")
	if numbered {
		gone := fmt.Sprintf("epoch-%d", epoch-job.keepEpochs)
		job.storage.drop(func(one *entry) bool { return one.key == gone })
	}
	// under its name: while the storage is away, the newest best and last wait, and no more
	job.storage.put(name, true, func() error {
		if err := job.bucket.put(key, body, "application/octet-stream"); err != nil {
			return err
		}
		job.mutex.Lock()
		if name == "best" || job.checkpoint == nil {
			job.checkpoint = key
		}
		job.mutex.Unlock()
		job.event("checkpoint", "", object{"key": key, "kind": name, "epoch": epoch, "bytes": len(body)})
		if numbered {
			return job.forgetOld(home + "epoch-")
		}
		return nil
	})
}

func (job *Job) forgetOld(prefix string) error {
	kept, err := job.bucket.keys(prefix)
	if err != nil {
		return err
	}
	sort.Slice(kept, func(a, b int) bool {
		return len(kept[a]) < len(kept[b]) || len(kept[a]) == len(kept[b]) && kept[a] < kept[b]
	})
	for ; len(kept) > job.keepEpochs; kept = kept[1:] {
		if err := job.bucket.delete(kept[0]); err != nil {
			return err
		}
	}
	return nil
}

// uploadSample sends a validation picture: as it is in epoch 0, later with what was found drawn on it.
func (job *Job) uploadSample(epoch, index int, jpeg []byte, truth, found object) {
	place := func(epoch int) string { return fmt.Sprintf("samples/job-%s/epoch-%d/%d.jpg", job.id, epoch, index) }
	name := "sample"
	if epoch == 0 {
		name = "plain"
	}
	job.storage.put(fmt.Sprintf("%s %d", name, index), false, func() error {
		if err := job.bucket.put(place(epoch), jpeg, "image/jpeg"); err != nil {
			return err
		}
		if epoch > 0 {
			marks := object{"truth": []object{truth}, "found": []object{found}, "epoch": epoch, "index": index}
			job.event("sample", "", with(with(marks, "key", place(epoch)), "plain", place(0)))
		}
		return nil
	})
}

// finish sends what waits, for a while; then `done` and its receipt. The result is the exit code.
func (job *Job) finish(status string, code int, fault any) int {
	job.mutex.Lock()
	job.phase = with(job.phase, "phase", "uploading") // heartbeats go on
	end := time.Now().Add(time.Duration(job.seconds * float64(time.Second)))
	job.mutex.Unlock()
	if status == "cancelled" {
		end = time.Now().Add(5 * time.Second)
	}
	until := func(leastSeconds, mostSeconds float64) func() time.Time {
		now := time.Now()
		soonest := now.Add(time.Duration(leastSeconds * float64(time.Second)))
		latest := now.Add(time.Duration(mostSeconds * float64(time.Second)))
		return func() time.Time {
			job.mutex.Lock()
			defer job.mutex.Unlock()
			return later(soonest, sooner(sooner(latest, end), job.giveUpAt))
		}
	}
	if !job.storage.empty(until(0, 3600)) {
		left := strings.Join(job.storage.waiting(), " and ")
		lost := fmt.Sprintf("%s could not be uploaded: %s", left, job.storage.why())
		if status == "succeeded" && strings.Contains(left, "best") {
			status, code, fault = "failed", 1, object{"type": "CheckpointUpload", "message": lost, "traceback": ""}
			if job.ctx.Err() != nil {
				status, code, fault = "cancelled", job.cancelledCode(), nil
			}
		}
		job.event("warning", "WARNING "+lost, object{})
	}
	ends := map[string]string{"succeeded": "FINISHED", "failed": "FAILED", "cancelled": "KILLED"}
	job.log(record{end: ends[status]})
	if job.mlflow != nil && !job.mlflow.empty(until(1, 10)) {
		missed := len(job.mlflow.waiting())
		job.event("warning", fmt.Sprintf("WARNING MLflow misses the last %d entries", missed), object{})
	}
	if job.folder != "" {
		os.RemoveAll(job.folder)
	}
	job.mutex.Lock()
	job.told = true
	body := object{"status": status, "metrics": numbers(job.metrics), "checkpoint": job.checkpoint, "error": fault}
	receipt := "DONE " + string(job.callLocked("done", true, with(body, "mlflow_run_id", job.tracking.run())))
	job.mutex.Unlock()
	say(os.Stdout, receipt) // before the last wait, which may be cut short
	if job.backend != nil && !job.backend.empty(until(2, 3600)) {
		missed := len(job.backend.waiting())
		say(os.Stdout, fmt.Sprintf("WARNING the backend did not take the last %d calls: the receipt decides", missed))
		say(os.Stdout, receipt)
	}
	return code
}

func sooner(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// fetch brings an object into a file of the run.
func (job *Job) fetch(key, name string) (string, error) {
	file := filepath.Join(job.folder, path.Base(name))
	return file, at(job.bucket.fetch(job.ctx, key, file))
}
