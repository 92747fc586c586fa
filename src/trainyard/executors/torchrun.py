"""A trainer as several processes of one machine, one a GPU: torchrun starts them and tells each its rank."""

from pathlib import PurePath


def in_processes(argv: list[str], count: int, logs: PurePath) -> list[str]:
    """`python train.py` as so many processes. What torchrun and they leave for each other goes to the folder `logs`."""
    python, *script = argv
    # the processes meet at this machine's own address: its name may lead elsewhere, or nowhere
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--local-addr=127.0.0.1"]
    return [python, *torchrun, f"--nproc-per-node={count}", f"--log-dir={logs}", *script]
