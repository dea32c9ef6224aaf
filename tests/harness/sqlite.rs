//! The database of a server that is down, changed as its operator could.

use std::path::Path;

use sqlx::{AssertSqlSafe, Connection as _, SqliteConnection, sqlite::SqliteConnectOptions};

/// Runs statements, with `;` between them.
pub fn change(file: &Path, statements: &str) {
    let changed = async {
        let options = SqliteConnectOptions::new().filename(file);
        let mut database = SqliteConnection::connect_with(&options).await?;
        sqlx::raw_sql(AssertSqlSafe(statements)).execute(&mut database).await?;
        database.close().await
    };
    tokio::runtime::Runtime::new()
        .expect("a runtime")
        .block_on(changed)
        .expect("the statements are right");
}
