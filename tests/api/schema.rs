//! The two databases have the same shape: a statement that is written once must find the same tables in both.

use std::{collections::BTreeSet, path::Path};

use sqlx::{PgPool, SqlitePool, sqlite::SqliteConnectOptions};

use crate::registry::{Options, TestDatabase, TestRegistry};

/// What is compared, one line each: on SQLite, and on PostgreSQL. Each has the words of search in its own way.
const SHAPES: [[&str; 2]; 3] = [
    // Columns with their place, type, whether they may be empty, and the place in the primary key.
    [
        r#"SELECT m.name || ' ' || (c.cid + 1) || ' ' || c.name || ' ' || CASE c.type WHEN 'INTEGER' THEN 'BIGINT' WHEN 'BLOB' THEN 'BYTEA' ELSE c.type END
             || CASE c."notnull" WHEN 1 THEN ' NOT NULL' ELSE '' END || CASE c.pk WHEN 0 THEN '' ELSE ' KEY ' || c.pk END
           FROM sqlite_master m JOIN pragma_table_info(m.name) c
           WHERE m.type = 'table' AND m.name NOT IN ('sqlite_sequence', '_sqlx_migrations') AND m.name NOT LIKE 'head_words%'"#,
        r"SELECT c.table_name || ' ' || row_number() OVER (PARTITION BY c.table_name ORDER BY c.ordinal_position) || ' ' || c.column_name
             || ' ' || upper(c.data_type)
             || CASE c.is_nullable WHEN 'NO' THEN ' NOT NULL' ELSE '' END || COALESCE(' KEY ' || k.ordinal_position, '')
           FROM information_schema.columns c
           LEFT JOIN information_schema.table_constraints t
             ON t.table_schema = c.table_schema AND t.table_name = c.table_name AND t.constraint_type = 'PRIMARY KEY'
           LEFT JOIN information_schema.key_column_usage k
             ON k.constraint_schema = t.constraint_schema AND k.constraint_name = t.constraint_name AND k.column_name = c.column_name
           WHERE c.table_schema = current_schema() AND c.table_name NOT IN ('_sqlx_migrations', 'head_words')",
    ],
    // Indexes with their columns; those that a constraint makes have no name of their own.
    [
        r#"SELECT m.name || ' ' || CASE i.origin WHEN 'c' THEN i.name ELSE '' END || CASE i."unique" WHEN 1 THEN ' UNIQUE ' ELSE ' ' END
             || (SELECT group_concat(name) FROM (SELECT name FROM pragma_index_info(i.name) ORDER BY seqno))
           FROM sqlite_master m JOIN pragma_index_list(m.name) i
           WHERE m.type = 'table' AND m.name <> '_sqlx_migrations' AND m.name NOT LIKE 'head_words%' AND i.origin <> 'pk'"#,
        r"SELECT t.relname || ' ' || CASE WHEN c.oid IS NULL THEN x.relname ELSE '' END || CASE WHEN i.indisunique THEN ' UNIQUE ' ELSE ' ' END
             || (SELECT string_agg(a.attname, ',' ORDER BY k.place) FROM unnest(i.indkey::int[]) WITH ORDINALITY AS k (number, place)
                 JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = k.number)
           FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid JOIN pg_class x ON x.oid = i.indexrelid
           LEFT JOIN pg_constraint c ON c.conindid = x.oid AND c.contype = 'u'
           WHERE t.relnamespace = current_schema()::regnamespace AND t.relname NOT IN ('_sqlx_migrations', 'head_words') AND NOT i.indisprimary",
    ],
    // Columns that refer to another table's.
    [
        r#"SELECT m.name || '.' || f."from" || ' -> ' || f."table" || '.' || f."to"
           FROM sqlite_master m JOIN pragma_foreign_key_list(m.name) f WHERE m.type = 'table'"#,
        r"SELECT k.table_name || '.' || k.column_name || ' -> ' || u.table_name || '.' || u.column_name
           FROM information_schema.referential_constraints r
           JOIN information_schema.key_column_usage k ON k.constraint_schema = r.constraint_schema AND k.constraint_name = r.constraint_name
           JOIN information_schema.key_column_usage u ON u.constraint_schema = r.unique_constraint_schema
             AND u.constraint_name = r.unique_constraint_name AND u.ordinal_position = k.position_in_unique_constraint
           WHERE r.constraint_schema = current_schema()",
    ],
];

/// Columns of text that PostgreSQL would put into another order than SQLite does.
const OTHER_ORDER: &str = "SELECT table_name || '.' || column_name FROM information_schema.columns
    WHERE table_schema = current_schema() AND table_name <> '_sqlx_migrations' AND data_type = 'text' AND collation_name IS DISTINCT FROM 'C'";

#[test]
fn both_databases_have_the_same_migrations() {
    let files = |database: &str| -> BTreeSet<String> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../migrations")
            .join(database);
        let entries = folder.read_dir().expect("a folder");
        let names = entries.map(|entry| entry.expect("an entry").file_name().into_string());
        names.collect::<Result<_, _>>().expect("names are text")
    };
    let sqlite = files("sqlite");
    assert_eq!(sqlite, files("postgres"));
    let numbers: BTreeSet<_> = sqlite.iter().map(|name| name.split('_').next()).collect();
    assert_eq!(numbers.len(), sqlite.len(), "two have the same number: {sqlite:?}");
}

/// Runs with PostgreSQL only: there are two to compare.
#[tokio::test]
async fn both_databases_have_the_same_tables() {
    let other = TestRegistry::start().await;
    let TestDatabase::Postgres(url) = &other.database else {
        return;
    };
    let sqlite = TestRegistry::with(Options {
        database: Some(TestDatabase::Sqlite),
        ..Options::default()
    })
    .await;
    let file = SqliteConnectOptions::new()
        .filename(sqlite.data.path().join("wreg.db"))
        .read_only(true);
    let sqlite = SqlitePool::connect_with(file).await.expect("the file opens");
    let postgres = PgPool::connect(url).await.expect("the database answers");
    for [on_sqlite, on_postgres] in SHAPES {
        let mut ours: Vec<String> = sqlx::query_scalar(on_sqlite).fetch_all(&sqlite).await.expect("lines");
        let mut theirs: Vec<String> = sqlx::query_scalar(on_postgres)
            .fetch_all(&postgres)
            .await
            .expect("lines");
        assert!(!ours.is_empty());
        // Only columns have an order, and say it by their place.
        ours.sort_unstable();
        theirs.sort_unstable();
        assert_eq!(ours, theirs);
    }
    let unordered: Vec<String> = sqlx::query_scalar(OTHER_ORDER)
        .fetch_all(&postgres)
        .await
        .expect("lines");
    assert_eq!(unordered, Vec::<String>::new());
}
