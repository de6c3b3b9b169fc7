"""Which devices the workers of this machine compute on: one worker for each GPU, or one for each core.

PyTorch is asked in a process of its own, and only where something speaks for a GPU: neither Celery's processes nor web
processes ever import it, and asking takes seconds.
"""

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

AUTO, CPU, MPS = "auto", "cpu", "mps"
MOST = 256  # Workers of a machine.
ASK_SECONDS = 120.0
USED_SECONDS = 2.0

# Those of Nvidia, of Windows below Linux, and of AMD.
_SIGNS = ("/dev/nvidiactl", "/dev/nvidia0", "/dev/dxg", "/dev/kfd")
_QUESTION = """
import json, torch
memory = [torch.cuda.get_device_properties(each).total_memory for each in range(torch.cuda.device_count())]
print(json.dumps({"cuda": memory, "mps": torch.backends.mps.is_available()}))
"""
_CUDA = re.compile(r"cuda:([0-9]{1,3})")
_ORDER = {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"}  # Else PyTorch and nvidia-smi may count differently.


class NoSuchDevices(Exception):
    """What is wanted cannot be had here: a sentence."""


@dataclass(frozen=True, slots=True)
class Device:
    """name: as people read it. argument: as a trainer's PyTorch calls it, where `variables` are set before it starts.

    memory: bytes of its own; None for a CPU, and where nobody knows.
    """

    name: str = CPU
    argument: str = CPU
    variables: Mapping[str, str] = field(default_factory=dict)
    memory: int | None = None

    def told(self) -> dict[str, int | None]:
        """What rows say of its memory in place of the host's; nothing of a CPU."""
        if self.name == CPU:
            return {}
        return {"memory": self.memory, "memory_used": _used(self.variables.get("CUDA_VISIBLE_DEVICES", ""))}


def chosen(wanted: str, cpus: int) -> list[Device]:
    """The device of each worker. wanted: as `--devices` says it; cpus: how many where they compute on CPUs.

    Raises NoSuchDevices.
    """
    if wanted == AUTO:
        return list(found()) or [Device()] * _counted(cpus)
    if wanted == CPU:
        return [Device()] * _counted(cpus)
    if wanted.isascii() and wanted.isdigit():
        return [Device()] * _counted(int(wanted))
    return _named([word.strip() for word in wanted.split(",")])


def found() -> Sequence[Device]:
    """The GPUs of this machine that CUDA_VISIBLE_DEVICES does not hide."""
    if not may_have_some():
        return ()
    told = ask()
    return [_cuda(number, memory) for number, memory in enumerate(told["cuda"])]


def may_have_some() -> bool:
    """Whether asking PyTorch may be worth its seconds."""
    return os.environ.get("CUDA_VISIBLE_DEVICES") != "" and any(Path(sign).exists() for sign in _SIGNS)


def ask() -> dict[str, Any]:
    """What PyTorch says of this machine: the memory of each GPU of CUDA, and whether there is one of Apple's."""
    try:
        answer = subprocess.run(
            [sys.executable, "-c", _QUESTION], capture_output=True, text=True, timeout=ASK_SECONDS, check=True,
            env={**os.environ, **_ORDER},
        )  # fmt: skip
        told: dict[str, Any] = json.loads(answer.stdout)
        return told
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        said = getattr(error, "stderr", None) or str(error)
        raise NoSuchDevices(f"PyTorch does not tell which GPUs there are: {said.strip().splitlines()[-1]}") from error


def _named(words: list[str]) -> list[Device]:
    told = ask() if any(word != CPU for word in words) else {"cuda": [], "mps": False}
    devices = []
    for word in words:
        number = _CUDA.fullmatch(word)
        if number and int(number[1]) < len(told["cuda"]):
            devices.append(_cuda(int(number[1]), told["cuda"][int(number[1])]))
        elif word == CPU:
            devices.append(Device())
        elif word == MPS and told["mps"]:
            devices.append(Device(MPS, MPS))
        elif number or word == MPS:
            raise NoSuchDevices(f"There is no {word} here: PyTorch sees {_seen(told)}.")
        else:
            raise NoSuchDevices(
                f"Devices are {word!r}; must be auto, cpu, a number of CPU workers, or names such as cuda:0,cuda:1."
            )
    if len({device.name for device in devices if device.name != CPU}) < sum(each.name != CPU for each in devices):
        raise NoSuchDevices("A GPU is named twice: one worker computes on it.")
    _counted(len(devices))
    return devices


def _counted(workers: int) -> int:
    if not 1 <= workers <= MOST:
        raise NoSuchDevices(f"There are {workers} workers; must be between 1 and {MOST}.")
    return workers


def _seen(told: dict[str, Any]) -> str:
    names = [f"cuda:{number}" for number in range(len(told["cuda"]))] + [MPS] * told["mps"]
    return ", ".join(names) or "no GPU"


def _cuda(number: int, memory: int) -> Device:
    """Its trainer sees this one alone, so a child that goes wrong cannot touch another's, and calls it cuda:0.

    The workspace is what PyTorch asks for where matrices are to be multiplied deterministically.
    """
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")
    own = visible[number].strip() if number < len(visible) and visible[number].strip() else str(number)
    variables = {"CUDA_VISIBLE_DEVICES": own, "CUBLAS_WORKSPACE_CONFIG": ":4096:8", **_ORDER}
    return Device(f"cuda:{number}", "cuda:0", variables, memory)


def _used(visible: str) -> int | None:
    """Bytes of a GPU's memory that anybody uses, where Nvidia's own program tells."""
    program = shutil.which("nvidia-smi")
    if not program or not visible:
        return None
    question = [program, "--query-gpu=memory.used", "--format=csv,noheader,nounits", "-i", visible]
    with contextlib.suppress(OSError, subprocess.SubprocessError, ValueError):
        answer = subprocess.run(question, capture_output=True, text=True, timeout=USED_SECONDS, check=True)
        return int(answer.stdout.strip()) << 20
    return None
