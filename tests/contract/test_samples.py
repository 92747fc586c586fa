"""Sample pictures: the same few each epoch, drawn, small, in the storage before they are told of."""

import io

import pytest
from PIL import Image

from tests.contract.conftest import MakeProbe, Storage
from tests.contract.running import JOB, Starter
from trainyard.conformance.gate import Gate
from trainyard.conformance.recorder import Call, Recorder, Reply

PREFIX = f"samples/job-{JOB}/"


def picture(storage: Storage, key: str) -> Image.Image:
    body = storage.client.get_object(Bucket=storage.bucket, Key=key)["Body"].read()
    assert len(body) < 100_000
    return Image.open(io.BytesIO(body))


def test_each_epoch_shows_the_same_pictures_with_what_was_found(
    start: Starter, recorder: Recorder, storage: Storage
) -> None:
    start(SAMPLE_COUNT=3).succeeds()
    told = [event["data"] for event in recorder.events("sample")]
    assert [(one["epoch"], one["index"]) for one in told] == [(e, k) for e in (1, 2, 3) for k in range(3)]
    assert {one["key"] for one in told} == {f"{PREFIX}epoch-{e}/{k}.jpg" for e in (1, 2, 3) for k in range(3)}
    assert storage.keys(PREFIX) == sorted({one[name] for one in told for name in ("key", "plain")})
    for one in told:
        assert one["truth"] == told[one["index"]]["truth"]
        assert one["found"][0].keys() == {"label", "confidence"}
        plain, drawn = picture(storage, one["plain"]), picture(storage, one["key"])
        assert (plain.format, drawn.format) == ("JPEG", "JPEG")
        assert drawn.height == plain.height + 22  # the caption


def test_sample_count_zero_shows_none(start: Starter, recorder: Recorder, storage: Storage) -> None:
    start(SAMPLE_COUNT=0).succeeds()
    assert not recorder.events("sample")
    assert not storage.keys(PREFIX)


def test_a_picture_that_cannot_be_drawn_is_a_warning_and_nothing_else(probe: MakeProbe, recorder: Recorder) -> None:
    probe(
        """
        import samples
        samples.send(1, [("nowhere.png", [], [])])
        samples.send(2, [("train.py", [], [])])
        """
    ).succeeds()
    assert "the sample pictures of epoch" in recorder.events("warning")[0]["message"]
    assert recorder.done()["status"] == "succeeded"


def test_boxes_are_told_as_shares_and_drawn_where_they_are(
    probe: MakeProbe, recorder: Recorder, storage: Storage
) -> None:
    probe(
        """
        import samples
        from PIL import Image
        mark = {"label": "고양이", "box": [160, 0, 320, 120]}
        samples.send(1, [(Image.new("RGB", (640, 480)), [mark], [mark | {"box": [-5, 240, 99, 999], "confidence": 1}])])
        """
    ).succeeds()
    (told,) = [event["data"] for event in recorder.events("sample")]
    assert told["truth"] == [{"label": "고양이", "box": [0.25, 0.0, 0.5, 0.25]}]
    assert told["found"][0]["box"] == [0.0, 0.5, pytest.approx(99 / 640, abs=1e-4), 1.0]
    drawn = picture(storage, told["key"]).convert("L")
    assert drawn.size == (320, 240)
    assert drawn.getpixel((81, 0)) > 100, "the dashed frame's corner"
    assert drawn.getpixel((300, 200)) < 30, "nothing is there"


def test_samples_of_a_storage_that_was_away_are_the_newest_ones(
    template: Starter, recorder: Recorder, storage: Storage, gate_to_storage: Gate
) -> None:
    def shut_for_a_while(call: Call) -> Reply:
        if call.body.get("type") == "dataset_ready":
            gate_to_storage.set("shut")
            gate_to_storage.upload_delay = 0.0
        if call.body.get("epoch") == 20:
            gate_to_storage.set("open")
        return Reply()

    gate_to_storage.upload_delay = 10.0  # nothing is stored before it is shut
    recorder.reply = shut_for_a_while
    template(MINIO_ENDPOINT=gate_to_storage.url, EPOCHS=20, IMAGE_SIZE=128, BATCH_SIZE=1).succeeds()
    epochs = {event["data"]["epoch"] for event in recorder.events("sample")}
    assert epochs >= set(range(11, 21))
    assert len(epochs) < 15, "what waits is bounded"
