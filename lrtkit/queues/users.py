"""The users, and the env files with their keys, as parts of a set-up."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lrtkit.queues.administering import administered
from lrtkit.queues.holders import Key
from lrtkit.queues.keyrings import LIMIT, KeyRing
from lrtkit.queues.parts import Facts, tag_facts
from lrtkit.queues.places import is_here
from lrtkit.queues.policies import Role
from lrtkit.wire.errors import BadInput, NotFound
from lrtkit.wire.settings import Access, read_env_file, write_env_file


@dataclass(frozen=True)
class UserPart:
    """A user of IAM, whose tags say that the kit made it, and for which queue."""

    iam: Any = field(repr=False)
    name: str
    tags: Mapping[str, str]
    kind: str = "user"

    def wanted(self) -> Facts:
        """Return its tags."""
        return tag_facts(self.tags)

    def found(self) -> Facts | None:
        """Return its tags; None where there is no such user, BadInput where it is somebody else's."""
        try:
            with administered(f"cannot look for the user {self.name}"):
                user = self.iam.get_user(UserName=self.name)["User"]
        except NotFound:
            return None
        tags = {each["Key"]: each["Value"] for each in user.get("Tags", [])}
        if not self.tags.items() <= tags.items():
            raise BadInput(
                f"there is a user {self.name} already that was not made for this queue, and nothing was changed. "
                "Try: other names for the users"
            )
        return tag_facts(tags)

    def create(self) -> None:
        """Create it, without any policy."""
        with administered(f"cannot create the user {self.name}"):
            tags = [{"Key": name, "Value": value} for name, value in self.tags.items()]
            self.iam.create_user(UserName=self.name, Tags=tags)

    def change(self, facts: Facts) -> None:
        """Leave it: a user of other tags is somebody else's."""

    def remove(self) -> bool:
        """Delete it, whose keys have to be gone; tell whether it was there."""
        try:
            with administered(f"cannot delete the user {self.name}"):
                self.iam.delete_user(UserName=self.name)
        except NotFound:
            return False
        return True


@dataclass(frozen=True)
class EnvFilePart:
    """The env file of a user: where things are, and keys that are written here once and shown nowhere.

    ``rings`` has a key ring for the prefixes of variables, SQS and R2, that its keys are for; ``initially``
    is what a new file says too, and is whoever's who edits it from then on.
    """

    path: Path
    user: str
    settings: Facts
    rings: Mapping[tuple[str, ...], KeyRing]
    initially: Facts = field(default_factory=dict)
    kind: str = "env file"

    @property
    def name(self) -> str:
        """Where it lies."""
        return str(self.path)

    def wanted(self) -> Facts:
        """Return the settings other than keys."""
        return self.settings

    def found(self) -> Facts | None:
        """Return its settings other than keys; None where neither it nor a key of the user is there.

        Raises BadInput where only one of the two is: a secret is told once, and no file is written over.
        """
        listed = {prefix: ring.listed() for prefixes, ring in self.rings.items() for prefix in prefixes}
        if not self.path.exists() or self._is_of_a_gone_cloud():
            self._refuse_lost([key for found in listed.values() for key in found])
            return None
        values = read_env_file(self.path)
        for prefix, found in listed.items():
            self._refuse_strange(values.get(f"{prefix}_AWS_ACCESS_KEY_ID"), found)
        return {name: value for name, value in values.items() if "_AWS_" not in name or name in self.settings}

    def create(self) -> None:
        """Make keys and write the file; where it cannot be written, the keys are deleted again."""
        self._write_with_new_keys({**self.settings, **self.initially})

    def change(self, facts: Facts) -> None:
        """Write other settings into it; keys, and what else was written there by hand, stay."""
        write_env_file(self.path, {**read_env_file(self.path), **facts})

    def remove(self) -> bool:
        """Delete the user's keys, and the file where it holds one of them; tell whether there were any."""
        doomed = [(ring, key) for ring in self.rings.values() for key in ring.listed()]
        for ring, key in doomed:
            ring.delete(key)
        if self.path.exists() and self._holds({key for _, key in doomed}):
            self.path.unlink()
        return bool(doomed)

    def rotate(self) -> list[str]:
        """Make new keys, try them and write them in the place of the old ones, which go on working; return their ids.

        Raises BadInput, before anything is done, where the user has as many keys as IAM allows.
        """
        for ring in self.rings.values():
            if len(ring.listed()) >= LIMIT:
                raise BadInput(
                    f"{self.user} has {' and '.join(ring.listed())}, and IAM allows {LIMIT} keys. "
                    f"Try: retire first, which deletes those that are not in {self.path}"
                )
        values = read_env_file(self.path) if self.path.exists() else {}
        return self._write_with_new_keys({**self.settings, **values})

    def keys(self, role: Role) -> Iterator[Key]:
        """Yield the user's keys, and whether each is in the file."""
        values = read_env_file(self.path) if self.path.exists() else {}
        for prefixes, ring in self.rings.items():
            kept = values.get(f"{prefixes[0]}_AWS_ACCESS_KEY_ID")
            yield from (Key(role, key, made_at, key == kept) for key, made_at in ring.listed().items())

    def retire(self) -> list[str]:
        """Turn off all keys but those in the file, see that those still work, then delete the others; return their ids.

        Where the file's keys do not work, the others are turned on again and the error is raised.
        """
        values, retired = read_env_file(self.path), []
        for prefixes, ring in self.rings.items():
            kept = _access(values, prefixes[0])
            self._refuse_strange(kept.key_id, ring.listed())
            old = [key for key in ring.listed() if key != kept.key_id]
            _retire(ring, old, kept)
            retired += old
        return retired

    def _is_of_a_gone_cloud(self) -> bool:
        """Tell whether the file is of an earlier local cloud, whose keys are gone and opened nothing else."""
        url = read_env_file(self.path).get("SQS_QUEUE_URL", "")
        return is_here(url) and url != self.settings["SQS_QUEUE_URL"]

    def _holds(self, listed: Collection[str]) -> bool:
        values = read_env_file(self.path)
        return any(values.get(f"{prefixes[0]}_AWS_ACCESS_KEY_ID") in listed for prefixes in self.rings)

    def _write_with_new_keys(self, values: Facts) -> list[str]:
        """Make keys, try them, write them and return their ids; where any of that fails, none is left."""
        made: dict[tuple[str, ...], Access] = {}
        try:
            for prefixes, ring in self.rings.items():
                made[prefixes] = ring.make()
                ring.check(made[prefixes])
            self._write(values, made)
        except BaseException:
            for prefixes, access in made.items():
                self.rings[prefixes].delete(access.key_id)
            raise
        return [access.key_id for access in made.values()]

    def _write(self, values: Facts, made: Mapping[tuple[str, ...], Access]) -> None:
        pairs = {prefix: access for prefixes, access in made.items() for prefix in prefixes}
        outlived = {f"{prefix}_AWS_SESSION_TOKEN" for prefix in pairs}
        kept = {name: value for name, value in values.items() if name not in outlived}
        keys = {name: value for prefix, access in pairs.items() for name, value in variables(prefix, access).items()}
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_env_file(self.path, {**kept, **keys})
        except OSError as error:
            raise BadInput(
                f"{self.path} cannot be written ({error.strerror}), and its new keys were deleted again. "
                "Try: another folder"
            ) from error

    def _refuse_lost(self, listed: list[str]) -> None:
        if listed:
            raise BadInput(
                f"{self.user} has the key {listed[0]}, and there is no {self.path}; a secret is told once. "
                "Try: the folder with that file, or rotate, which makes a new key, and then retire"
            )

    def _refuse_strange(self, key: str | None, listed: Collection[str]) -> None:
        if key not in listed:
            raise BadInput(
                f"{self.path} holds the key {key or 'of nobody'}, which {self.user} does not have; it was left as it "
                "is. Try: move it away, or another folder"
            )


def _retire(ring: KeyRing, old: list[str], kept: Access) -> None:
    for key in old:
        ring.turn_off(key)
    try:
        ring.check(kept)
    except BaseException:
        for key in old:
            ring.turn_on(key)
        raise
    for key in old:
        ring.delete(key)


def _access(values: Facts, prefix: str) -> Access:
    return Access(values.get(f"{prefix}_AWS_ACCESS_KEY_ID", ""), values.get(f"{prefix}_AWS_SECRET_ACCESS_KEY", ""))


def variables(prefix: str, access: Access) -> dict[str, str]:
    """Return a key as the variables of an env file."""
    token = {f"{prefix}_AWS_SESSION_TOKEN": access.session_token} if access.session_token else {}
    pair = {f"{prefix}_AWS_ACCESS_KEY_ID": access.key_id, f"{prefix}_AWS_SECRET_ACCESS_KEY": access.secret}
    return {**pair, **token}


def check_folder(folder: Path) -> None:
    """Raise BadInput where no file could be made in a folder, or the folder not be made."""
    nearest = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        raise BadInput(f"no env file can be written into {folder}: {nearest} {_why_not(nearest)}. Try: another folder")


def _why_not(path: Path) -> str:
    return "is not yours to write in" if path.is_dir() else "is a file"
