package main

// MLflow over its REST API: a run job-{id} with params, metrics and its end. Called by an Outbox, which repeats.

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"sync/atomic"
)

type Tracking struct {
	url   string
	job   *Job
	runID atomic.Value
}

type record struct {
	time    int64
	step    int
	metrics map[string]float64
	params  map[string]any
	end     string
}

func (t *Tracking) run() any { return t.runID.Load() }

func (t *Tracking) write(one record) error {
	if t.run() == nil {
		if err := t.findOrMakeRun(one.time); err != nil {
			return err
		}
	}
	metrics, params := []object{}, []object{}
	for name, value := range one.metrics {
		metrics = append(metrics, object{"key": name, "value": number(value), "timestamp": one.time, "step": one.step})
	}
	for name, value := range one.params {
		params = append(params, object{"key": name, "value": fmt.Sprint(value)})
	}
	_, err := t.ask("runs/log-batch", object{"run_id": t.run(), "metrics": metrics, "params": params})
	if err == nil && one.end != "" {
		_, err = t.ask("runs/update", object{"run_id": t.run(), "status": one.end, "end_time": one.time})
	}
	return err
}

func (t *Tracking) findOrMakeRun(now int64) error {
	experiment, err := t.experiment(variable("MLFLOW_EXPERIMENT_NAME", "project-default"))
	if err != nil {
		return err
	}
	mine := object{"experiment_ids": []any{experiment}, "filter": fmt.Sprintf("tags.job_id = '%s'", t.job.id), "max_results": 1}
	answer, err := t.ask("runs/search", mine) // an earlier attempt's
	if err != nil {
		return err
	}
	if runs, _ := answer["runs"].([]any); len(runs) > 0 {
		answer = object{"run": runs[0]}
	} else {
		tags := []object{{"key": "job_id", "value": t.job.id}, {"key": "trace_id", "value": trace}}
		fresh := object{"experiment_id": experiment, "run_name": "job-" + t.job.id, "start_time": now, "tags": tags}
		if answer, err = t.ask("runs/create", fresh); err != nil {
			return err
		}
	}
	run := inside(answer, "run", "info", "run_id")
	if run == nil {
		return errors.New("MLflow gives no run")
	}
	t.runID.Store(run)
	t.job.event("mlflow_run", "", object{"run_id": run, "experiment_id": experiment})
	return nil
}

func (t *Tracking) experiment(name string) (any, error) {
	known := "experiments/get-by-name?" + url.Values{"experiment_name": {name}}.Encode()
	answer, err := t.ask(known, nil)
	var refused Refused
	if errors.As(err, &refused) && refused.code == 404 {
		if answer, err = t.ask("experiments/create", object{"name": name}); err == nil {
			return answer["experiment_id"], nil
		}
		answer, err = t.ask(known, nil) // another run was faster
	}
	return inside(answer, "experiment", "experiment_id"), err
}

func (t *Tracking) ask(path string, body object) (object, error) {
	var text []byte
	if body != nil {
		text, _ = json.Marshal(body)
	}
	return ask(t.url+"/api/2.0/mlflow/"+path, text, "")
}

// inside is the value below these names, or nil.
func inside(value any, names ...string) any {
	for _, name := range names {
		one, _ := value.(object)
		value = one[name]
	}
	return value
}
