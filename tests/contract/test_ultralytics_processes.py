"""trainer-ultralytics as two processes under torchrun. ultralytics wants a GPU for each: what of it asks CUDA is led to
the CPU and gloo here, all else is its own."""

import json
import zipfile
from io import BytesIO

import pytest

from tests.contract.conftest import MakeStarter, Storage
from tests.contract.running import JOB, MARK, ROOT, Starter
from trainyard.conformance.recorder import Recorder

PREFIX = f"checkpoints/job-{JOB}/"
TRAINER = ROOT / "trainer-ultralytics"
TORCHRUN = """
import os, sys
torchrun = [sys.executable, "-B", "-m", "torch.distributed.run", "--standalone", "--local-addr=127.0.0.1"]
os.execv(sys.executable, [*torchrun, "--nproc-per-node=2", "--log-dir=logs", {script!r}])
"""
ON_CPU = f"""
import sys
sys.path.insert(0, {str(TRAINER)!r})
import train
from job import Job

def lead_to_the_cpu(trainer, validator, torch):
    whole, backend, cpu = trainer.BaseTrainer._do_train, validator.AutoBackend, torch.device("cpu")

    class Parallel(torch.nn.parallel.DistributedDataParallel):
        def __init__(self, model, device_ids, **given):
            super().__init__(model, **given)

    def do_train(self):
        self.world_size = 2
        whole(self)

    torch.nn.parallel.DistributedDataParallel = Parallel
    torch.cuda.device_count, torch.cuda.current_device = lambda: 2, lambda: 0
    trainer.select_device = lambda *_, **__: cpu
    validator.AutoBackend = lambda **given: backend(**given | {{"device": cpu}})
    trainer.BaseTrainer._setup_ddp = lambda self: torch.distributed.init_process_group("gloo")
    trainer.BaseTrainer._do_train = do_train

def training(job):
    load = train.load_ultralytics
    def loaded(folder):
        found = load(folder)
        import torch
        from ultralytics.engine import trainer, validator
        lead_to_the_cpu(trainer, validator, torch)
        return found
    train.load_ultralytics = loaded
    train.train(job)

Job().run(training)
"""


@pytest.fixture
def start(starter: MakeStarter) -> Starter:
    made = starter("trainer-ultralytics")
    made.variables.update(EPOCHS="2", IMAGE_SIZE="64", DATASET_ID="boxes", OMP_NUM_THREADS="1")
    return made


def under_torchrun(start: Starter, script: str) -> None:
    launcher = start.folder / "torchrun.py"
    launcher.write_text(TORCHRUN.format(script=script))
    start.script = launcher


def test_two_processes_train_one_detector_and_one_of_them_speaks(
    start: Starter, recorder: Recorder, storage: Storage
) -> None:
    script = start.folder / "on_cpu.py"
    script.write_text(ON_CPU)
    under_torchrun(start, str(script))
    run = start()
    run.succeeds()
    assert [beat.body["epoch"] for beat in recorder.epochs()] == [1, 2]
    done = recorder.done()
    assert (done["status"], done["checkpoint"]) == ("succeeded", PREFIX + "best.pt")
    assert done["metrics"].keys() >= {"val/mAP50", "train/box_loss"}
    assert len([call for call in recorder.taken if call.kind == "done"]) == 1
    assert sorted(storage.keys(PREFIX)) == [PREFIX + "best.pt", PREFIX + "last.pt"]
    body = storage.client.get_object(Bucket=storage.bucket, Key=PREFIX + "best.pt")["Body"].read()
    assert zipfile.ZipFile(BytesIO(body)).testzip() is None


def test_without_a_gpu_for_each_it_says_so_and_ends(start: Starter, recorder: Recorder) -> None:
    under_torchrun(start, str(TRAINER / "train.py"))
    run = start(CUDA_VISIBLE_DEVICES="0,1")
    assert run.end() == 1, "torchrun's"
    error = recorder.done()["error"]
    assert error["type"] == "BadConfiguration"
    assert error["message"].startswith("WORLD_SIZE=2 is not valid: ultralytics trains with several processes on one")
    assert error["message"].endswith("a GPU each, and there are 0 GPUs")
    receipt = next(line for line in run.stdout.splitlines() if line.startswith(MARK + "DONE "))
    assert json.loads(receipt.removeprefix(MARK + "DONE "))["status"] == "failed"
