"""Lists of shards: what they say, and what is said of shards that are gone."""

import hashlib
from pathlib import Path

import pytest

from codecfake.audio.shard_index import ShardError, read_index
from codecfake.audio.shard_lists import LIST, missing_shards, write_list
from codecfake.base.files import read_tsv


@pytest.fixture
def shards(tmp_path: Path) -> list[Path]:
    """Two shards: tars of 3 and 5 bytes, and their indexes."""
    for number, content in enumerate((b"one", b"three")):
        (tmp_path / f"{number:04d}.tar").write_bytes(content)
        (tmp_path / f"{number:04d}.parquet").write_bytes(content * 2)
    return sorted(tmp_path.iterdir())


def test_a_list_names_every_shard_with_the_size_of_its_tar_and_the_digest_of_its_index(shards: list[Path]) -> None:
    path = shards[0].with_name(LIST)
    write_list([shard for shard in reversed(shards) if shard.suffix == ".parquet"], path)
    assert read_tsv(path).to_dict("list") == {
        "shard": ["0000", "0001"],
        "num_bytes": ["3", "5"],
        "index_sha256": [hashlib.sha256(content).hexdigest() for content in (b"oneone", b"threethree")],
    }


def test_nothing_is_gone_while_all_shards_of_a_list_are_there(shards: list[Path]) -> None:
    assert missing_shards(shards[0].parent) == []
    write_list([shard for shard in shards if shard.suffix == ".parquet"], shards[0].with_name(LIST))
    assert missing_shards(shards[0].parent) == []


def test_a_shard_that_was_deleted_stops_its_readers_who_say_how_to_make_it_again(shards: list[Path]) -> None:
    folder = shards[0].parent
    write_list([shard for shard in shards if shard.suffix == ".parquet"], folder / LIST)
    (folder / "0001.parquet").unlink()
    assert missing_shards(folder) == [folder / "0001.parquet"]
    with pytest.raises(ShardError, match=r"1 of the shards in shards.tsv are missing.*snakemake -- .*/0001\.parquet"):
        read_index(folder.parents[1], [(folder.parent.name, folder.name)])
