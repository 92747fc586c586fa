"""What happens to callbacks when the backend is away, loses answers, renews a token or refuses one."""

import threading

from tests.contract.conftest import MakeProbe
from tests.contract.running import TOKEN, Starter
from trainyard.conformance.recorder import Call, Recorder, Reply


def told_once_and_in_order(recorder: Recorder) -> bool:
    seqs = [call.seq for call in recorder.taken]
    return seqs == sorted(set(seqs))


def test_a_backend_that_comes_back_gets_every_call_in_order(start: Starter, recorder: Recorder) -> None:
    recorder.down()
    run = start(EPOCHS=5)
    deadline_line = "epoch 5/5"
    while deadline_line not in run.stdout:
        assert run.process.poll() is None, run.stderr
    recorder.up()
    run.succeeds()
    assert told_once_and_in_order(recorder)
    assert [event["data"]["epoch"] for event in recorder.events("validation")] == [1, 2, 3, 4, 5]
    assert [beat.body["epoch"] for beat in recorder.epochs()] == [1, 2, 3, 4, 5]
    assert recorder.taken[-1].kind == "done"
    assert run.stdout.count("WARNING the backend is away") == 1


def test_an_outage_in_the_middle_loses_nothing(template: Starter, recorder: Recorder) -> None:
    run = template(EPOCHS=60, IMAGE_SIZE=128, BATCH_SIZE=1)
    recorder.wait_for(lambda seen: len(seen.epochs()) >= 3)
    recorder.down()
    while "epoch 40/60" not in run.stdout:
        assert run.process.poll() is None, run.stderr
    recorder.up()
    run.succeeds()
    assert told_once_and_in_order(recorder)
    assert [event["data"]["epoch"] for event in recorder.events("validation")] == list(range(1, 61))


def test_a_backend_that_stays_away_leaves_the_receipt(template: Starter, recorder: Recorder) -> None:
    recorder.down()
    run = template(FLUSH_SECONDS=1)
    run.succeeds(60)  # FLUSH_SECONDS is 120 where it is not set
    assert run.receipt()["status"] == "succeeded"
    assert "the receipt decides" in run.stdout


def test_a_lost_answer_means_the_same_call_again(template: Starter, recorder: Recorder) -> None:
    tried: set[int] = set()

    def lose_the_first_answer(call: Call) -> Reply:
        first = call.seq not in tried
        tried.add(call.seq)
        return Reply(lost=first and call.kind != "heartbeat")

    recorder.reply = lose_the_first_answer
    template(EPOCHS=2).succeeds()
    for call in recorder.taken:
        copies = [other.body for other in recorder.arrived if other.seq == call.seq]
        assert copies == [call.body] * (1 if call.kind == "heartbeat" else 2)
    assert told_once_and_in_order(recorder)


def test_server_errors_are_tried_again(template: Starter, recorder: Recorder) -> None:
    answers = iter([500, 503, 429, 408])
    recorder.reply = lambda call: Reply(status=next(answers, 200))
    run = template(EPOCHS=2)
    run.succeeds()
    assert [call.seq for call in recorder.arrived[:5]] == [1, 1, 1, 1, 1]
    assert recorder.done()["status"] == "succeeded"


def test_a_refused_call_is_dropped_with_a_warning(template: Starter, recorder: Recorder) -> None:
    recorder.reply = lambda call: Reply(status=422 if call.body.get("type") == "dataset_ready" else 200)
    run = template(EPOCHS=2)
    run.succeeds()
    assert "WARNING the backend refused a call: HTTP Error 422" in run.stdout
    assert len([call for call in recorder.arrived if call.body.get("type") == "dataset_ready"]) == 1
    assert recorder.done()["status"] == "succeeded"


def test_a_renewed_token_is_used_from_then_on(template: Starter, recorder: Recorder) -> None:
    recorder.reply = lambda call: Reply(token="second.token.value" if call.body.get("epoch") == 1 else None)
    template(EPOCHS=3).succeeds()
    renewal = next(call.seq for call in recorder.taken if call.body.get("epoch") == 1)
    assert {call.token for call in recorder.taken if call.seq <= renewal} == {TOKEN}
    assert {call.token for call in recorder.taken if call.seq > renewal} == {"second.token.value"}


def test_a_refused_token_ends_the_calls_but_not_the_training(start: Starter, recorder: Recorder) -> None:
    recorder.reply = lambda call: Reply(status=401)
    run = start(EPOCHS=3)
    run.succeeds(60)
    assert len(recorder.arrived) == 1
    assert run.stdout.count("(401)") == 1
    assert run.receipt()["status"] == "succeeded"


def test_a_slow_backend_does_not_slow_the_training(template: Starter, recorder: Recorder) -> None:
    shown = threading.Event()

    def answer(_: Call) -> Reply:
        shown.wait(60)
        return Reply()

    recorder.reply = answer
    run = template(EPOCHS=5)
    recorder.wait_for(lambda seen: "epoch 5/5" in run.stdout)
    assert not recorder.taken, "training waited for the answers"
    shown.set()
    run.succeeds()
    assert told_once_and_in_order(recorder)


def test_numbers_that_json_lacks_travel_as_text(probe: MakeProbe, recorder: Recorder) -> None:
    run = probe(
        """
        numbers = {"a": float("nan"), "b": float("inf"), "c": -float("inf"), "d": 0.5}
        utils.notify_status("training", 1, 1, numbers)
        utils.send_validation_result(1, numbers)
        """
    )
    run.succeeds()
    expected = {"a": "NaN", "b": "Infinity", "c": "-Infinity", "d": 0.5}
    assert recorder.epochs()[0].body["metrics"] == expected
    assert recorder.events("validation")[0]["data"]["metrics"] == expected
    assert recorder.done()["metrics"] == expected == run.receipt()["metrics"]


def test_a_full_spool_drops_heartbeats_but_never_a_validation(probe: MakeProbe, recorder: Recorder) -> None:
    recorder.down()
    run = probe(
        """
        job.backend.limit = 50
        for epoch in range(1, 201):
            utils.notify_status("training", epoch, 200, {"loss": epoch})
            if epoch % 5 == 0:
                utils.send_validation_result(epoch, {"val/loss": epoch})
        """
    )
    while "epoch 200/200" not in run.stdout:
        assert run.process.poll() is None, run.stderr
    recorder.up()
    run.succeeds()
    assert [event["data"]["epoch"] for event in recorder.events("validation")] == list(range(5, 201, 5))
    assert len(recorder.taken) <= 52
    assert told_once_and_in_order(recorder)
    assert recorder.done()["status"] == "succeeded"


def test_a_swallowed_cancel_is_raised_again(probe: MakeProbe, recorder: Recorder) -> None:
    run = probe(
        """
        try:
            job.event("ready")
            time.sleep(600)
        except BaseException:
            pass
        utils.notify_status("training", 1, 2, {"loss": 1})
        """
    )
    recorder.wait_for(lambda seen: seen.events("ready"))
    run.stop()
    assert run.end(60) == 143
    assert recorder.done()["status"] == "cancelled"


def test_a_full_disk_is_named(probe: MakeProbe, recorder: Recorder) -> None:
    run = probe(
        """
        with open("/dev/full", "w") as file:
            file.write("checkpoint")
        """
    )
    assert run.end(60) == 1
    assert recorder.done()["error"]["type"] == "DiskFull"
    assert "no space is left on the disk" in recorder.done()["error"]["message"]
