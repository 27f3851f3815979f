"""An external worker: it asks a carrier where parcels are. Here the carrier is made up.

HEJIE_TOKEN=hj_… python examples/worker/track.py http://127.0.0.1:8320
"""

import logging
import os
import signal
import socket
import sys
import time

from hejie_client import LOCK, BusinessError, Client, Job, Worker


def track(job: Job) -> dict[str, str]:
    """Where one parcel is. Asking twice is harmless, as a worker's act must be."""
    number = str(job.variables["parcel_no"])
    print(f"parcel {number}, attempt {job.attempt}", flush=True)
    time.sleep(float(os.environ.get("HEJIE_EXAMPLE_SECONDS", "1")))
    if number.startswith("LOST"):
        raise BusinessError("lost", f"The carrier has lost {number}.")
    return {"place": f"{number} 已到退货仓"}


def main() -> None:
    """Work until SIGTERM or Ctrl-C; the job in hand is finished first."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    client = Client(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:8320", os.environ["HEJIE_TOKEN"])
    worker = Worker(
        client,
        {"parcel.track": track},
        name=f"track@{socket.gethostname()}:{os.getpid()}",
        lock=int(os.environ.get("HEJIE_EXAMPLE_LOCK", LOCK)),
        wait=5,
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: worker.stop())
    worker.run()


if __name__ == "__main__":
    main()
