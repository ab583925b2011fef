"""What `make run` starts."""

from pathlib import Path

from serving.members import members


def workers(tmp_path: Path, *, asks_a_provider: bool) -> dict[str, str]:
    made = members(port=8000, web_processes=1, data=tmp_path, valkey_socket=None, asks_a_provider=asks_a_provider)
    return {member.name: " ".join(map(str, member.command)) for member in made if "worker" in member.command}


def test_one_worker_draws_and_does_everything(tmp_path: Path) -> None:
    made = workers(tmp_path, asks_a_provider=False)
    assert list(made) == ["worker"]
    assert "-Q" not in made["worker"]


def test_a_provider_is_waited_for_by_a_worker_of_its_own(tmp_path: Path) -> None:
    made = workers(tmp_path, asks_a_provider=True)
    assert list(made) == ["worker", "studio"]
    assert "-Q images,large_images,upkeep" in made["worker"]
    assert "-Q studio -P threads --concurrency=4 -n studio@%h" in made["studio"]
