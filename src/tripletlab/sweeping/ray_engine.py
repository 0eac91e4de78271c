"""The engine for several machines: workers are actors of a Ray cluster."""

import asyncio
import contextlib
from typing import Annotated, Any

from pydantic import Field

from tripletlab.sweeping.jobs import Died, Epoch, Event, Job, Work, perform
from tripletlab.system.parallel import connect

SECONDS_TO_WAIT = 1.0  # for the next event


class Cluster:
    """Target of conf/engine/ray: `workers` actors with `cpus` cores and `gpus` GPUs each.

    `address` is that of a running cluster, `auto` for the one that this machine belongs to; None
    starts Ray here. Ray reports a dead worker or node; a new worker takes its place, where Ray
    finds room for it. All machines need the same package and, under the same paths, the prepared
    faces and the tracking folder, which has checkpoints and logs.
    """

    def __init__(
        self,
        *,
        address: str | None,
        workers: Annotated[int, Field(ge=1, le=4096)],
        cpus: Annotated[float, Field(gt=0)],
        gpus: Annotated[float, Field(ge=0)],
    ) -> None:
        self.address, self.workers, self.cpus, self.gpus = address, workers, cpus, gpus
        self.free: list[Any] = []  # actors without a job
        self.busy: dict[int, tuple[Any, Any]] = {}  # job -> its actor, and what it will return

    def open(self, work: Work) -> None:
        """Jobs are done by `work` from now on; InputError where there is no such cluster."""
        connect(self.address, key="engine.address")
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        self.work = ray.put(work)
        # On the driver's node, so that the mailbox lives as long as the driver
        here = NodeAffinitySchedulingStrategy(ray.get_runtime_context().get_node_id(), soft=False)
        self.mailbox = ray.remote(_Mailbox).options(num_cpus=0, scheduling_strategy=here).remote()

    def start(self, job: Job) -> None:
        """Give a job to a free worker, or to a new one."""
        actor = self.free.pop() if self.free else self._start_actor()
        self.busy[job.number] = actor, actor.do.remote(self.work, job, self.mailbox)

    def events(self) -> list[tuple[int, Event]]:
        """The events since the last call; waits up to a second."""
        import ray

        while self.free:  # no trial is left for them; one that waits for room may need their cores
            ray.kill(self.free.pop())
        returned = {result: number for number, (_, result) in self.busy.items()}
        ended, _ = ray.wait(list(returned), num_returns=len(returned), timeout=0)
        seconds = 0 if ended else SECONDS_TO_WAIT
        events: list[tuple[int, Event]] = ray.get(self.mailbox.take.remote(seconds))
        for result in ended:
            number = returned[result]
            actor, _ = self.busy.pop(number)
            try:
                events.append((number, ray.get(result)))
                self.free.append(actor)
            except ray.exceptions.RayError as error:
                ray.kill(actor)  # one that is merely unreachable must not continue the run
                events.append((number, Died(f"worker lost: {type(error).__name__}")))
        return events

    def reply(self, number: int, reason: str | None) -> None:
        """Reply to an Epoch: the reason to stop, or None."""
        self.mailbox.reply.remote(number, reason)

    def stop(self) -> None:
        """End the workers at once; the driver closes their runs."""
        import ray

        if ray.is_initialized():
            for actor in [*self.free, *(actor for actor, _ in self.busy.values())]:
                ray.kill(actor)
            ray.shutdown()
        self.free, self.busy = [], {}

    def _start_actor(self) -> Any:
        import ray

        threads = {"TF_NUM_INTRAOP_THREADS": str(max(1, int(self.cpus)))}
        return (
            ray.remote(_WorkerActor)
            .options(num_cpus=self.cpus, num_gpus=self.gpus, runtime_env={"env_vars": threads})
            .remote()
        )


class _WorkerActor:
    """An actor that does jobs; it stays warm between them."""

    def __init__(self) -> None:
        self.work: Work | None = None

    def do(self, work: Work, job: Job, mailbox: Any) -> Event:
        import ray

        self.work = self.work or work  # the first copy keeps its data open

        def send(event: Event) -> str | None:
            reply: str | None = ray.get(mailbox.post.remote(job.number, event))
            return reply

        return perform(self.work, job, send)


class _Mailbox:
    """An actor on the driver's node: workers post events to it and wait for replies."""

    def __init__(self) -> None:
        self.events: asyncio.Queue[tuple[int, Event]] = asyncio.Queue()
        self.awaited: dict[int, asyncio.Future[str | None]] = {}

    async def post(self, number: int, event: Event) -> str | None:
        """Pass an event on; after an Epoch, wait for the driver's reply."""
        if not isinstance(event, Epoch):
            self.events.put_nowait((number, event))
            return None
        reply: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        self.awaited[number] = reply
        self.events.put_nowait((number, event))
        return await reply

    async def take(self, seconds: float) -> list[tuple[int, Event]]:
        """The events since the last call; waits so long for the first."""
        taken = []
        with contextlib.suppress(TimeoutError):
            if seconds:
                taken.append(await asyncio.wait_for(self.events.get(), seconds))
        while not self.events.empty():
            taken.append(self.events.get_nowait())
        return taken

    async def reply(self, number: int, reason: str | None) -> None:
        """Reply to a job's Epoch."""
        self.awaited.pop(number).set_result(reason)
