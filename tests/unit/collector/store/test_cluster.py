import pytest

from loopwatch_collector.store import migrate
from loopwatch_collector.store.client import Clients
from loopwatch_collector.store.cluster import SHARDING, adapt, create_statements
from loopwatch_collector.store.errors import StatementFailed, StoreAddressInvalid

RUNS = """-- One row per run.
CREATE TABLE runs (
    project String
)
ENGINE = ReplacingMergeTree(row_version, is_deleted)
ORDER BY project"""


def test_without_a_cluster_a_table_is_created_once() -> None:
    """The statement is the file's, but what is there already is left as it is."""
    assert create_statements(RUNS, "") == [RUNS.replace("CREATE TABLE", "CREATE TABLE IF NOT EXISTS")]


def test_on_a_cluster_a_table_is_a_replicated_part_and_one_over_all() -> None:
    """The part keeps the engine's arguments; the table over it has the sharding key."""
    local, spanning = create_statements(RUNS, "main")
    assert local.startswith("-- One row per run.\nCREATE TABLE IF NOT EXISTS runs_local ON CLUSTER 'main' (")
    assert "ENGINE = ReplicatedReplacingMergeTree(row_version, is_deleted)\n" in local
    assert spanning == (
        "CREATE TABLE IF NOT EXISTS runs ON CLUSTER 'main' AS runs_local\n"
        "ENGINE = Distributed('main', currentDatabase(), 'runs_local', cityHash64(run_id))"
    )


def test_a_new_column_is_added_to_both_tables() -> None:
    """A column must be in the parts and in the table over them; an index only where the data is."""
    added = "ALTER TABLE runs ADD COLUMN IF NOT EXISTS region String"
    assert create_statements(added, "main") == [
        "ALTER TABLE runs_local ON CLUSTER 'main' ADD COLUMN IF NOT EXISTS region String",
        "ALTER TABLE runs ON CLUSTER 'main' ADD COLUMN IF NOT EXISTS region String",
    ]
    assert len(create_statements("ALTER TABLE runs ADD INDEX IF NOT EXISTS i a TYPE minmax", "main")) == 1
    assert create_statements(added, "") == [added]


@pytest.mark.parametrize("sql", ["DROP TABLE runs", "CREATE TABLE unheard_of (\n a String\n)\nENGINE = MergeTree"])
def test_a_migration_that_a_cluster_cannot_run_is_refused(sql: str) -> None:
    """Neither create nor alter, or a table whose rows nobody said how to spread."""
    with pytest.raises(StatementFailed):
        create_statements(sql, "main")


def test_every_migration_is_repeatable_and_every_table_has_a_sharding_key() -> None:
    """A start that was killed between a statement and its note repeats the statement; all tables can be spread."""
    for migration in migrate.load():
        statements = create_statements(migration.sql, "main") + create_statements(migration.sql, "")
        # modifying a column or a setting again changes nothing, nor does making an index that is there
        repeatable = ("IF NOT EXISTS", "IF EXISTS", " MODIFY ", " MATERIALIZE INDEX ")
        assert all(any(word in sql for word in repeatable) for sql in statements), migration.name
    assert "spans" in SHARDING


def test_sharding_keys_are_parts_of_identities() -> None:
    """FINAL works within a shard: a row and its later version share what their shard is chosen by."""
    for migration in migrate.load():
        for sql in create_statements(migration.sql, "main"):
            if "ENGINE = Replicated" in sql:
                table = sql.split("EXISTS ")[1].split("_local")[0]
                columns = SHARDING[table].removeprefix("cityHash64(").rstrip(")")
                order = sql.split("ORDER BY ")[1].split("\n")[0]
                assert columns == "0" or columns in order, table


def test_data_is_altered_in_every_shard() -> None:
    """Mutations and dropped partitions go to the parts, with the cluster's name."""
    sql = "-- why\nALTER TABLE spans DELETE WHERE project = {project:String}"
    assert (
        adapt(sql, "main")
        == "-- why\nALTER TABLE spans_local ON CLUSTER 'main' DELETE WHERE project = {project:String}"
    )
    assert adapt(sql, "") == sql
    assert adapt("SELECT 1 FROM spans FINAL", "main") == "SELECT 1 FROM spans FINAL"


def test_parts_are_counted_over_all_shards_by_the_names_of_the_tables() -> None:
    """What reads system.parts sees every shard's, and no `_local`."""
    adapted = adapt("SELECT table\nFROM system.parts\nWHERE active", "main")
    assert "FROM cluster('main', system.parts)" in adapted
    assert "replaceRegexpOne(table, '_local$', '')" in adapted


@pytest.mark.parametrize(
    "options", ["?shard=1", "?cluster=x'; DROP", "?cluster=a&compress=1"], ids=["unknown", "hostile", "one too many"]
)
def test_an_address_says_nothing_but_its_cluster(options: str) -> None:
    """An option we do not know, or a name that is none, is refused before anything is opened."""
    with pytest.raises(StoreAddressInvalid, match="may end in \\?cluster=NAME"):
        Clients(f"clickhouse://h/db{options}")
