"""The engine beyond one machine: workers are actors of a Ray cluster."""

import asyncio
import contextlib
from typing import Annotated, Any

from pydantic import Field

from tripletlab.sweeping.jobs import Died, Epoch, Event, Job, Work, perform
from tripletlab.system.parallel import connect

PATIENCE = 1.0  # seconds to wait for news


class Cluster:
    """Target of conf/engine/ray: `workers` actors with `cpus` cores and `gpus` GPUs each.

    `address` is that of a running cluster, `auto` for the one that this machine belongs to; without
    one, Ray starts here. Ray tells of a dead worker and of a dead node; a new worker takes the
    place, where Ray finds room for it. All machines need the same package and, under the same
    paths, the prepared faces and the folder of the tracking (checkpoints and logs lie there).
    """

    def __init__(
        self,
        *,
        address: str | None,
        workers: Annotated[int, Field(ge=1, le=4096)],
        cpus: Annotated[float, Field(gt=0)],
        gpus: Annotated[float, Field(ge=0)],
    ) -> None:
        self.address, self._workers, self.cpus, self.gpus = address, workers, cpus, gpus
        self.free: list[Any] = []  # actors without a job
        self.busy: dict[int, tuple[Any, Any]] = {}  # job -> its actor, and what it will return

    @property
    def workers(self) -> int:
        """How many jobs run at once."""
        return self._workers

    def open(self, work: Work) -> None:
        """Jobs are done by `work` from now on; InputError when there is no such cluster."""
        connect(self.address, key="engine.address")
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        self.work = ray.put(work)
        # Beside the driver: as long as there is a driver, there is its mailbox
        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        self.mailbox = ray.remote(_Mailbox).options(num_cpus=0, scheduling_strategy=here).remote()

    def start(self, job: Job) -> None:
        """Give a job to a free worker, or to a new one."""
        actor = self.free.pop() if self.free else self._hire()
        self.busy[job.number] = actor, actor.do.remote(self.work, job, self.mailbox)

    def events(self) -> list[tuple[int, Event]]:
        """See Engine."""
        import ray

        while self.free:  # no trial is left for them: their cores are for one that waits for room
            ray.kill(self.free.pop())
        returned = {result: number for number, (_, result) in self.busy.items()}
        ended, _ = ray.wait(list(returned), num_returns=len(returned), timeout=0)
        told: list[tuple[int, Event]] = ray.get(self.mailbox.take.remote(0 if ended else PATIENCE))
        for result in ended:
            number = returned[result]
            actor, _ = self.busy.pop(number)
            try:
                told.append((number, ray.get(result)))
                self.free.append(actor)
            except ray.exceptions.RayError as error:
                ray.kill(actor)  # one that is only out of reach must not go on with the run
                told.append((number, Died(f"worker lost: {type(error).__name__}")))
        return told

    def answer(self, number: int, reason: str | None) -> None:
        """Answer an Epoch."""
        self.mailbox.answer.remote(number, reason)

    def stop(self) -> None:
        """End the workers at once; the driver closes their runs."""
        import ray

        if ray.is_initialized():
            for actor in [*self.free, *(actor for actor, _ in self.busy.values())]:
                ray.kill(actor)
            ray.shutdown()
        self.free, self.busy = [], {}

    def _hire(self) -> Any:
        import ray

        threads = {"TF_NUM_INTRAOP_THREADS": str(max(1, int(self.cpus)))}
        return (
            ray.remote(_Worker)
            .options(num_cpus=self.cpus, num_gpus=self.gpus, runtime_env={"env_vars": threads})
            .remote()
        )


class _Worker:
    """An actor, warm from its first job on."""

    def __init__(self) -> None:
        self.work: Work | None = None

    def do(self, work: Work, job: Job, mailbox: Any) -> Event:
        import ray

        self.work = self.work or work  # the first copy: it keeps its data open

        def send(event: Event) -> str | None:
            answer: str | None = ray.get(mailbox.tell.remote(job.number, event))
            return answer

        return perform(self.work, job, send)


class _Mailbox:
    """An actor beside the driver: workers tell it of their jobs and wait for answers."""

    def __init__(self) -> None:
        self.events: asyncio.Queue[tuple[int, Event]] = asyncio.Queue()
        self.awaited: dict[int, asyncio.Future[str | None]] = {}

    async def tell(self, number: int, event: Event) -> str | None:
        """Pass an event on; of an Epoch wait for the driver's answer."""
        if not isinstance(event, Epoch):
            self.events.put_nowait((number, event))
            return None
        answered: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        self.awaited[number] = answered
        self.events.put_nowait((number, event))
        return await answered

    async def take(self, patience: float) -> list[tuple[int, Event]]:
        """What has been told since the last time; waits for the first."""
        taken = []
        with contextlib.suppress(TimeoutError):
            if patience:
                taken.append(await asyncio.wait_for(self.events.get(), patience))
        while not self.events.empty():
            taken.append(self.events.get_nowait())
        return taken

    async def answer(self, number: int, reason: str | None) -> None:
        """The driver's answer to an Epoch."""
        self.awaited.pop(number).set_result(reason)
