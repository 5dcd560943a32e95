"""Many pictures: run them, survive the bad ones and the machine, and account for every file.

`remend.album` says which become which; `outcome` does one, `work` also sees whether it is done already,
`crew` are the processes, `run` joins them with the `manifest`, in which the state of every picture stands;
`report`, `watch` and `forecast` are what people see of it.
"""

from remend.album import Job, plan_jobs
from remend.batch.outcome import BatchOptions, Failure, Outcome, Skipped, attempt, make_folder
from remend.batch.run import run_jobs

__all__ = [
    "BatchOptions",
    "Failure",
    "Job",
    "Outcome",
    "Skipped",
    "attempt",
    "make_folder",
    "plan_jobs",
    "run_jobs",
]
