"""`--on http://…`: the same command as a job of a cluster, which outlives this terminal."""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from estimators.cli.codes import FAILED, INTERRUPTED
from estimators.cli.streams import complain, tell
from estimators.cluster.reach import JOBS, advice, show_token
from estimators.errors import InputError, first_line

_LOOK_S = 1.0
_PATIENCE_S = 60.0


def is_remote(options: argparse.Namespace) -> bool:
    """Whether the command is to be submitted rather than run here.

    Raises:
        InputError: `--detach` of something that ends with this terminal.
    """
    address = getattr(options, "on", None) or ""
    remote = address.startswith(JOBS)
    if getattr(options, "detach", False) and not remote:
        raise InputError(
            "--detach needs a job that outlives this terminal.", "Give --on http://head:8265."
        )
    return remote


def submit(options: argparse.Namespace) -> int:
    """Submits this command and follows it, unless it is to be left alone; returns the exit code."""
    from estimators.cluster.on_ray import worker_environment  # with it comes all that workers do

    client = _client(options.on)
    command, until_s = entrypoint(options.arguments), time.monotonic() + _PATIENCE_S
    while True:
        try:
            job = client.submit_job(
                entrypoint=command, runtime_env={"env_vars": worker_environment()}
            )
            break
        except Exception as error:  # as above
            why = first_line(error)
            if "try again" not in why or time.monotonic() > until_s:  # a head that just started
                raise InputError(f"The job was not taken: {why}", "See the head's logs.") from error
            time.sleep(_LOOK_S)
    tell(f"job {job} on {options.on}\n{_ways(options.on, job)}")
    return 0 if options.detach else _follow(client, options.on, job)


def run(options: argparse.Namespace) -> int:
    """The command `job`: follows or ends one; returns the exit code."""
    client = _client(options.on)
    job = options.attach or options.cancel
    try:
        client.get_job_status(job)
    except Exception as error:  # as above
        raise InputError(f"There is no job {job} on {options.on}.", "Check its name.") from error
    if options.attach:
        return _follow(client, options.on, job)
    client.stop_job(job)
    tell(f"job {job} is being ended; what is done is kept")
    return 0


def entrypoint(arguments: Sequence[str]) -> str:
    """The command line of the job: from this folder, with this Python, on its own cluster."""
    kept: list[str] = []
    given = iter(arguments)
    for argument in given:
        if argument == "--on":
            next(given, None)
        elif argument != "--detach" and not argument.startswith("--on="):
            kept.append(argument)
    command = shlex.join([sys.executable, "-m", "estimators", *kept, "--on", "auto"])
    return f"cd {shlex.quote(str(Path.cwd()))} && {command}"


def _follow(client: Any, address: str, job: str) -> int:
    """Tells what the job tells until it has ended; without us, or its head, it goes on."""
    told, heard_s = 0, time.monotonic()
    try:
        while True:
            try:
                status, log = _heard(client, job)
            except ConnectionError as error:
                if time.monotonic() - heard_s >= _PATIENCE_S:
                    complain(f"error: {address} does not answer: {error}")
                    complain("As far as is known the job goes on.")
                    tell(_ways(address, job))
                    return FAILED
            else:
                heard_s = time.monotonic()
                sys.stdout.write(log[told:])
                sys.stdout.flush()
                told = len(log)
                if status in _ENDED:
                    return _ENDED[status]
            time.sleep(_LOOK_S)
    except KeyboardInterrupt:
        complain("detached: the job goes on")
        tell(_ways(address, job))
        return INTERRUPTED


def _heard(client: Any, job: str) -> tuple[str, str]:
    """A job's status, and all that it has told; ConnectionError where the head says nothing."""
    try:
        return str(client.get_job_status(job).value), client.get_job_logs(job)
    except Exception as error:  # Ray raises whatever it meets on the way
        raise ConnectionError(first_line(error)) from error


_ENDED = {"SUCCEEDED": 0, "FAILED": FAILED, "STOPPED": INTERRUPTED}


def _ways(address: str, job: str) -> str:
    command = f"python -m estimators job --on {address}"
    return f"Come back: {command} --attach {job}\nEnd it: {command} --cancel {job}"


def _client(address: str) -> Any:
    """What speaks to the head of a cluster.

    Raises:
        InputError: Ray is not installed as a whole, or nothing answers there.
    """
    show_token()
    from estimators.cluster.on_ray import imported

    imported()
    try:
        from ray.job_submission import JobSubmissionClient

        return JobSubmissionClient(address)
    except Exception as error:  # Ray raises whatever it meets on the way
        why = first_line(error, 200).rstrip(".")
        message = f"No Ray cluster takes jobs at {address}: {why}."
        raise InputError(message, advice(address, why)) from error
