"""Files of checkpoints in the bucket."""

from __future__ import annotations

from hashlib import sha256

import pytest

from lrtkit.wire import keys
from lrtkit.wire.record import Cause, Saved, State, StoredFile
from tests.waiting import until
from tests.worker.lab import NOW, Lab, claimed


def sha_of(text: str) -> str:
    """Return the name under which a file's content is kept."""
    return sha256(text.encode()).hexdigest()


def stored(lab: Lab) -> set[str]:
    """Return the names of all files that are kept for the job."""
    return set(lab.objects("job/files/"))


def test_only_the_files_of_the_last_two_checkpoints_are_kept(lab: Lab) -> None:
    """Files lie by their content; those that no checkpoint needs any more are deleted, and none is left over."""
    lab.send(steps=3, gate="files")
    lab.worker("files")
    lab.saved(3)
    until(lambda: len(stored(lab)) == 3)
    lab.cloud.store.put(keys.file("job", sha_of("stray")), b"of an attempt that never saved it")
    lab.open("files")
    lab.drained()
    record = lab.record()
    assert (record.state, record.attempts[0].saves) == (State.DONE, 3)
    assert record.checkpoint
    assert {name: file.sha256 for name, file in record.checkpoint.files.items()} == {
        "same": sha_of("same"),
        "deep/er/step": sha_of("3"),
    }
    assert stored(lab) == {sha_of("same"), sha_of("2"), sha_of("3")}


@pytest.mark.parametrize(("end", "failures"), [("failed", 1), ("cancelled", 0)])
def test_a_job_that_fails_or_is_cancelled_leaves_nothing_over(lab: Lab, end: str, failures: int) -> None:
    """Files that an attempt has uploaded and never saved are deleted with the end of the job, however it comes."""
    lab.cloud.store.put(keys.file("job", sha_of("stray")), b"of an attempt that never saved it")
    lab.send(failures=failures)
    if end == "cancelled":
        lab.cancel()
    lab.serve("fails_at", max_failures=1)
    assert lab.record().state == end
    assert stored(lab) == set()


def test_the_end_of_a_job_leaves_others_alone(lab: Lab) -> None:
    """Record and result of a job whose id goes on where another's files lie outlive the other's end."""
    others = [keys.record("job/files/other"), keys.result("job/files/other")]
    for key in others:
        lab.cloud.store.put(key, b"{}")
    lab.send(steps=1)
    lab.serve()
    assert lab.record().state is State.DONE
    assert [each.key for each in lab.cloud.store.listed("job/files/")] == others


def test_an_unchanged_file_is_uploaded_once(lab: Lab) -> None:
    """Its object stays the same one from checkpoint to checkpoint."""
    lab.send(steps=3, gate="files")
    lab.worker("files")
    before = until(lambda: list(lab.cloud.store.listed(keys.file("job", sha_of("same")))))
    lab.saved(3)
    assert list(lab.cloud.store.listed(keys.file("job", sha_of("same")))) == before


def test_files_and_a_big_state_come_back(lab: Lab) -> None:
    """What a workload resumes from is what it had yielded; a state of more than 64 KiB lies in a file of its own."""
    lab.send(steps=2, state_bytes=100_000, gate="files")
    worker = lab.worker("files")
    record = lab.saved(2)
    assert record.checkpoint
    assert record.checkpoint.state_file
    assert dict(record.checkpoint.state) == {"step": 2}
    worker.vanish()
    lab.open("files")
    lab.serve("files")
    assert lab.traced() == ["resumed 2 2 100000"]
    assert lab.result() == 2


def test_a_folder_comes_back(lab: Lab) -> None:
    """Also one that a function has written, with the files in it whose names begin with a dot."""
    lab.send()
    lab.serve("folder")
    assert lab.result() == {"1.bin": "weights", ".config": "config"}


def test_a_big_result_lies_beside_the_record(lab: Lab) -> None:
    """More than 64 KiB do not swell the record; result.txt holds the whole value."""
    lab.send(bytes=100_000)
    lab.serve("big_result")
    record = lab.record()
    assert (record.result, lab.result()) == (None, "x" * 100_000)
    assert record.result_file
    assert stored(lab) == {record.result_file.sha256}


@pytest.mark.parametrize("damage", ["overwritten", "lost"])
def test_a_damaged_file_leads_back_to_the_checkpoint_before(lab: Lab, damage: str) -> None:
    """The workload resumes from the previous one, and never from a file that is not what was saved."""
    two_checkpoints(lab)
    harm(lab, sha_of("2"), damage)
    worker = lab.serve("files")
    assert lab.traced() == ["resumed 1 1 0"]
    assert worker.events("checkpoint-damaged")
    assert lab.result() == 2


def test_a_damaged_file_is_uploaded_again_when_its_content_comes_back(lab: Lab) -> None:
    """A workload computed anew makes the same files: what the record names, but nobody could read, is not relied on."""
    two_checkpoints(lab, gate="files")
    harm(lab, sha_of("2"), "overwritten")
    lab.worker("files")
    lab.seen(lambda record: record.generation == 2 and record.attempts[-1].saved_at)
    item = lab.cloud.store.get(keys.file("job", sha_of("2")))
    assert item
    assert item.body == b"2"
    lab.open("files")
    lab.drained()


def test_a_job_without_a_sound_checkpoint_fails_and_never_starts_from_zero(lab: Lab) -> None:
    """Where both are damaged it is for a human to say whether the work is to be thrown away."""
    two_checkpoints(lab)
    for step in ("1", "2"):
        harm(lab, sha_of(step), "overwritten")
    lab.serve("files", max_failures=2)
    record = lab.record()
    assert (record.state, record.counts.failures, lab.error().type) == (State.FAILED, 2, "DamagedFile")
    assert lab.traced() == []
    assert record.checkpoint
    assert record.checkpoint.step == 2
    assert "hash differs" in lab.letters(1)[0].reason


def test_an_unreadable_record_is_not_taken_for_none(lab: Lab) -> None:
    """A job whose record is no JSON is set aside with that reason, and the record left for a human."""
    lab.cloud.store.put(keys.record("job"), b"{torn")
    lab.send(steps=2)
    lab.serve()
    assert "the record is not readable" in lab.letters(1)[0].reason
    item = lab.cloud.store.get(keys.record("job"))
    assert item
    assert (item.body, lab.steps()) == (b"{torn", [])


def two_checkpoints(lab: Lab, **fields: str) -> None:
    """Put a job in the queue that somebody else has brought to its second and last step."""
    record = claimed(steps=2, **fields)
    for step in ("1", "2"):
        texts = {"same": "same", "deep/er/step": step}
        for text in texts.values():
            lab.cloud.store.put(keys.file("job", sha_of(text)), text.encode())
        files = {name: StoredFile(sha_of(text), len(text)) for name, text in texts.items()}
        record = record.saved(Saved({"step": int(step), "big": ""}, files, NOW), now=NOW)
    lab.change(lambda _: record.interrupted(Cause.STOPPED, now=NOW))
    lab.send(steps=2, **fields)


def harm(lab: Lab, name: str, damage: str) -> None:
    """Damage one file in the bucket."""
    if damage == "lost":
        lab.cloud.store.delete([keys.file("job", name)])
    else:
        lab.cloud.store.put(keys.file("job", name), b"?")
