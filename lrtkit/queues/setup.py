"""The whole set-up of a campaign: queues, bucket, users and what each may do, planned before anything changes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from lrtkit.queues import names, policies
from lrtkit.queues.admin import Admin
from lrtkit.queues.bucket import POLICY, TIDY, UPLOADS, BucketPart
from lrtkit.queues.holders import Holders
from lrtkit.queues.keyrings import AwsKeys, KeyRing, R2Tokens
from lrtkit.queues.pair import HIGH_THROUGHPUT, QUEUE, QueuePart, redrivable, redrive
from lrtkit.queues.parts import Facts, Part
from lrtkit.queues.patience import FIRST_S, LONGEST_S, Pause, told
from lrtkit.queues.plan import Made, Plan, clear, compare, settle
from lrtkit.queues.policies import Document, Role
from lrtkit.queues.rights import Rights
from lrtkit.queues.trials import refused
from lrtkit.queues.users import EnvFilePart, UserPart, check_folder, variables
from lrtkit.wire import keys
from lrtkit.wire.errors import BadInput
from lrtkit.wire.settings import CloudSettings, read_env_file, write_env_file

_SIZES = {"min_replicas": "0", "max_replicas": "4"}
"""What an autoscaler begins with; the rest of its file is of SaladCloud, and written by hand."""


@dataclass(frozen=True)
class Setup:
    """What is to be there, by its names, and the env files' ``folder``; nothing happens until it is asked to.

    Each role has a user of its own, without a policy: what it may do stands on the queues and, on S3,
    on the bucket. Running ``apply`` twice changes nothing the second time.
    """

    admin: Admin
    folder: str | Path
    queue: str = "lrt-jobs.fifo"
    dead_letter_queue: str = "lrt-jobs-dead.fifo"
    bucket: str = "lrt"
    users: Mapping[Role, str] = field(default_factory=lambda: {role: f"job-{role}" for role in Role})
    high_throughput: bool = False
    pause: Pause = field(default=told, repr=False)

    def __post_init__(self) -> None:
        """Take roles by their names too; raise BadInput where there is no such role, or a name is wrong."""
        object.__setattr__(self, "users", {Role(role): name for role, name in self.users.items()})
        names.check_pair(self.queue, self.dead_letter_queue)
        names.check_bucket(self.bucket)
        names.check_users(self.users)

    def plan(self) -> Plan:
        """Compare what is wanted with what is there, and change nothing; raise BadInput where it cannot be made so."""
        return compare(self._checked())

    def apply(self) -> Made:
        """Make everything as wanted, and return what was done, a line a part.

        Raises BadInput, before anything is changed, where a user is somebody else's, or an env file cannot
        be written, or would have to be written over. Any other error says what was done before it.
        """
        parts = self._checked()
        compare(parts)
        made = settle(parts)
        if not made.is_nothing:
            self._await_rights()
        return made

    def holders(self) -> Holders:
        """Return who holds which keys, and since when; a key of a quarter of a year should be rotated."""
        return Holders.of([key for role in self.users for key in self._env_file(role).keys(role)])

    def rotate(self, role: Role | str) -> list[str]:
        """Give a role new keys: made, tried and written into its env file; return their ids.

        The old ones go on working, so that workers under way are not cut off. Give the new file to
        whoever uses it, and then call ``retire``.
        """
        return self._env_file(self._in_use(role)).rotate()

    def retire(self, role: Role | str) -> list[str]:
        """Turn off and delete all keys of a role that are not in its env file; return their ids."""
        return self._env_file(self._in_use(role)).retire()

    def lend(self, experiment: str, *, seconds: int = 86_400) -> Path:
        """Write an env file for workers whose key of the bucket ends by itself, and is for one experiment alone.

        For machines of strangers, up to seven days, on R2 only. It stems from the worker's own token, and
        ends with it too. Returns where the file lies; one that was lent before is written over.
        """
        if "/" in experiment or not keys.is_inside(experiment):
            raise BadInput(f"an experiment cannot be called {experiment!r}. Try: the name that its Experiment has")
        if not self.admin.cloudflare:
            raise BadInput("only R2 lends temporary keys, and this bucket is on S3. Try: Admin with cloudflare=")
        values = read_env_file(self.env_file(Role.WORKER))
        parent = CloudSettings.from_env(values).bucket.access
        key = self.admin.cloudflare.temporary(parent, self.bucket, [f"{experiment}/"], seconds=seconds)
        path = Path(self.folder) / f"{Role.WORKER}-{experiment}.env"
        write_env_file(path, {**values, **variables("R2", key)})
        return path

    def teardown(self, queue: str, *, with_contents: bool = False) -> Made:
        """Remove everything, the env files too; ``queue`` is the queue's name once more, for safety.

        Raises BadInput, before anything is done, where the name is another, where a user is somebody
        else's, or where the queues or the bucket hold anything and ``with_contents`` does not let it go.
        """
        if queue != self.queue:
            raise BadInput(f"this is the set-up of {self.queue}, not of {queue!r}, and nothing was removed")
        self._check_owned()
        if not with_contents:
            self._refuse_contents()
        for path in self._lent():
            path.unlink()
        return clear([self._bucket, *reversed(self._queues), *map(self._env_file, self.users), *self._users])

    def env_file(self, role: Role | str) -> Path:
        """Return where a role's env file lies."""
        return Path(self.folder) / f"{Role(role)}.env"

    @property
    def rights(self) -> Rights:
        """Who may make which calls, as a table."""
        return Rights(tuple(self.users), on_s3=self.admin.cloudflare is None)

    @cached_property
    def documents(self) -> dict[str, Document]:
        """The policies as AWS takes them, by what they stand on."""
        account = self.admin.account
        users = {role: account.user(name) for role, name in self.users.items()}
        found = {
            "queue": policies.queue(account.queue(self.queue), users),
            "dead-letter queue": policies.dead_letter_queue(account.queue(self.dead_letter_queue), users),
        }
        if self.admin.cloudflare is None:
            found["bucket"] = policies.bucket(account.bucket(self.bucket), users)
        return found

    def admin_policy(self) -> Document:
        """Return what the keys that set this up have to be allowed, and no more."""
        account = self.admin.account
        queues = [account.queue(self.queue), account.queue(self.dead_letter_queue)]
        bucket = None if self.admin.cloudflare else account.bucket(self.bucket)
        return policies.admin(queues, map(account.user, self.users.values()), bucket)

    def _in_use(self, role: Role | str) -> Role:
        """Return a role whose user is there, and is ours."""
        if role not in self.users:
            raise BadInput(f"this set-up has no user for {Role(role)}. Try: one of {', '.join(self.users)}")
        if self._user(self.users[Role(role)]).found() is None:
            raise BadInput(f"there is no user {self.users[Role(role)]} yet, and nothing was changed. Try: apply")
        return Role(role)

    def _checked(self) -> list[Part]:
        check_folder(Path(self.folder))
        env_files = map(self._env_file, self.users)
        return [*self._users, *self._queues, self._bucket, *env_files]

    @property
    def _tags(self) -> dict[str, str]:
        return {"managed-by": "lrtkit", "queue": self.queue}

    @property
    def _users(self) -> list[Part]:
        return [self._user(name) for name in self.users.values()]

    def _user(self, name: str) -> UserPart:
        return UserPart(self.admin.users, name, self._tags)

    @property
    def _queues(self) -> list[QueuePart]:
        """The queue pair; whose messages the dead-letter queue takes can be said when the queue is there."""
        account, client = self.admin.account, self.admin.queues
        attributes = {**QUEUE, **(HIGH_THROUGHPUT if self.high_throughput else {})}
        dead = {**attributes, "Policy": json.dumps(self.documents["dead-letter queue"])}
        waits = {**attributes, **redrive(account.queue(self.dead_letter_queue))}
        waits["Policy"] = json.dumps(self.documents["queue"])
        allow = redrivable(account.queue(self.queue))
        return [
            QueuePart(client, "dead-letter queue", self.dead_letter_queue, dead, self._tags, pause=self.pause),
            QueuePart(client, "queue", self.queue, waits, self._tags, pause=self.pause),
            QueuePart(client, "dead-letter queue", self.dead_letter_queue, allow, pause=self.pause),
        ]

    @property
    def _bucket(self) -> BucketPart:
        wishes = {UPLOADS: TIDY}
        if policy := self.documents.get("bucket"):
            wishes[POLICY] = json.dumps(policy)
        region = self.admin.account.region
        elsewhere = not self.admin.cloudflare and region != "us-east-1"
        return BucketPart(
            self.admin.buckets, self.bucket, wishes, location=region if elsewhere else None, pause=self.pause
        )

    def _env_file(self, role: Role) -> EnvFilePart:
        user = self.users[role]
        admin = self.admin
        aws = AwsKeys(admin.users, user, admin.account.region, admin.endpoint_url, self.pause)
        rings: dict[tuple[str, ...], KeyRing] = {("SQS", "R2"): aws}
        if admin.cloudflare:
            rings = {("SQS",): aws, ("R2",): R2Tokens(admin.cloudflare, user, self.bucket, self.pause)}
        sizes = _SIZES if role is Role.AUTOSCALER else {}
        return EnvFilePart(self.env_file(role), user, self._settings(role), rings, sizes)

    def _settings(self, role: Role) -> Facts:
        account, endpoint = self.admin.account, self.admin.endpoint_url
        root = f"{endpoint or f'https://sqs.{account.region}.{account.domain}'}/{account.id}"
        return {
            "SQS_AWS_REGION": account.region,
            "SQS_QUEUE_URL": f"{root}/{self.queue}",
            "SQS_DLQ_URL": f"{root}/{self.dead_letter_queue}",
            "R2_S3_ENDPOINT_URL": self.admin.bucket_url,
            "R2_BUCKET_NAME": self.bucket,
            **({"AWS_ENDPOINT_URL_SQS": endpoint} if endpoint else {}),
            **({"queue_url": f"{root}/{self.queue}"} if role is Role.AUTOSCALER else {}),
        }

    def _lent(self) -> list[Path]:
        """Return the env files with temporary keys for this queue."""
        found = Path(self.folder).glob(f"{Role.WORKER}-*.env")
        return [path for path in found if read_env_file(path).get("SQS_QUEUE_URL", "").endswith(f"/{self.queue}")]

    def _await_rights(self) -> None:
        """Wait until each role is let in, for as long as SQS may take to spread a policy; later the doctor tells."""
        waited_s = 0.0
        while waited_s < LONGEST_S and any(refused(self.env_file(role), role) for role in self.users):
            self.pause(FIRST_S, "SQS does not know the new policies everywhere yet")
            waited_s += FIRST_S

    def _check_owned(self) -> None:
        """Raise BadInput where a user is somebody else's, or an env file cannot be told to be ours."""
        for user in self._users:
            user.found()
        for role in self.users:
            if self.env_file(role).exists():
                read_env_file(self.env_file(role))

    def _refuse_contents(self) -> None:
        counts = {part.name: part.messages() for part in self._queues}
        held = [f"{name} holds about {count:,} messages" for name, count in counts.items() if count]
        if self._bucket.holds_objects():
            held.append(f"the bucket {self.bucket} holds objects")
        if held:
            raise BadInput(f"{', '.join(held)}, and nothing was removed. Try: with_contents=True, which loses them")
