//! Every setting, in words: the source of `docs/reference/config.md` and of the names of variables.

use std::fmt::Write as _;

/// One setting.
pub(super) struct Key {
    pub(super) name: &'static str,
    pub(super) default: &'static str,
    pub(super) example: &'static str,
    meaning: &'static str,
}

const fn key(name: &'static str, default: &'static str, example: &'static str, meaning: &'static str) -> Key {
    Key {
        name,
        default,
        example,
        meaning,
    }
}

/// All of them, in the order of the page.
pub(super) const KEYS: &[Key] = &[
    key(
        "listen",
        "127.0.0.1:5000",
        "\"127.0.0.1:5000\"",
        "Address and port. Beyond loopback it needs `tls_certificate` and `tls_key`, or `tls_in_front`.",
    ),
    key(
        "data_dir",
        "data",
        "\"/var/lib/wreg\"",
        "Folder of secrets and, by default, of blobs and the database. One server at a time uses it.",
    ),
    key(
        "database",
        "SQLite in the data folder",
        "\"postgres://user:password@host/database\"",
        "A PostgreSQL database instead.",
    ),
    key(
        "dev",
        "false",
        "true",
        "Everything public, anybody may push and delete, loopback only.",
    ),
    key(
        "public_url",
        "what a trusted proxy says, else the scheme of the connection and the host that the request names",
        "\"https://registry.example\"",
        "How clients reach the server: the realm of its challenges lies there.",
    ),
    key(
        "tls_certificate",
        "plain http",
        "\"/etc/wreg/tls.crt\"",
        "The server's certificate in PEM, then those that lead to an authority. Read again when it changes.",
    ),
    key(
        "tls_key",
        "plain http",
        "\"/etc/wreg/tls.key\"",
        "Its private key in PEM. Only the server may be able to read it (or, where root owns it, a group).",
    ),
    key(
        "tls_in_front",
        "false",
        "true",
        "A proxy ends TLS before this server, which may therefore listen beyond loopback.",
    ),
    key(
        "trusted_proxies",
        "none",
        "[\"127.0.0.1\", \"10.0.0.0/8\"]",
        "Addresses and networks of proxies in front: `X-Forwarded-For`, `-Proto` and `-Host` (or `Forwarded`) of theirs are believed, of others never. A variable lists them with commas.",
    ),
    key(
        "metrics_listen",
        "no metrics",
        "\"127.0.0.1:9500\"",
        "Address and port that serve `/metrics` for Prometheus, to everybody who can reach them.",
    ),
    key(
        "metrics_beyond_loopback",
        "false",
        "true",
        "Allows another address than loopback for metrics, where the network keeps others out.",
    ),
    key(
        "signing",
        "wasm",
        "\"all\"",
        "What the registry vouches for, where a namespace says nothing: `wasm` (WebAssembly that is pushed under a tag), `all` or `off`. Every change of a tag is in its log in any case.",
    ),
    key(
        "signing_keys_dir",
        "`signing-keys` in the data folder",
        "\"/etc/wreg/signing-keys\"",
        "Folder of the keys that sign artifacts and the log, made at the first start. Several servers that share a database sign if they share this folder too; one that has not the keys serves, and leaves signing to others.",
    ),
    key(
        "witnesses",
        "none",
        "[{ url = \"https://witness.example\", key = \"witness.example+4245df43+BB+mUkhTSxww73S6aW/MB5X0iyXHKWwNKxK/xXKKlpYp\" }]",
        "Servers of others that sign the checkpoints of the log too, each with its key, once the log has proved to them that it only grew (C2SP tlog-witness; `wreg witness` is one). One that does not answer within two seconds holds nothing up. A variable lists `URL KEY` with commas.",
    ),
    key(
        "witness_interval_seconds",
        "300",
        "60",
        "Seconds until a witness is asked again to sign a checkpoint though nothing has changed, so that whoever verifies can tell that it is fresh; at least 1.",
    ),
    key(
        "default_visibility",
        "private (public with `dev`)",
        "\"public\"",
        "Visibility of repositories that come to be by a push: `private` or `public`.",
    ),
    key(
        "default_immutable_tags",
        "none",
        "\"semver\"",
        "Which of their tags keep their manifest: `none`, `semver` or `all`.",
    ),
    key(
        "default_missing_references",
        "reject",
        "\"accept\"",
        "What happens to manifests that name content which is not there: `reject` or `accept`.",
    ),
    key(
        "default_deletable",
        "true",
        "false",
        "Whether their tags, manifests and blobs can be deleted.",
    ),
    key(
        "max_blob_size",
        "10737418240",
        "1073741824",
        "Bytes of the largest blob.",
    ),
    key(
        "small_blob_bytes",
        "4096",
        "0",
        "Blobs up to this size, 65535 at the most, are kept in the database, if they come in one piece: a file or an object would cost each of them flushes or a request of its own.",
    ),
    key(
        "upload_ttl_seconds",
        "86400",
        "3600",
        "Seconds that an unfinished upload may rest before it is thrown away.",
    ),
    key(
        "max_open_uploads",
        "100 (any number on loopback)",
        "20",
        "Uploads that one identity may have open; 0 for any number.",
    ),
    key(
        "max_failed_logins",
        "5 (any number on loopback)",
        "10",
        "Wrong credentials that are answered with 401 from one address with one user name in 15 minutes; more are answered with 429. 0 for any number.",
    ),
    key(
        "blob_lease_seconds",
        "86400",
        "3600",
        "Seconds that a blob is kept though no manifest names it, from when a client was last told that it is there. Longer than any push takes; at least 1.",
    ),
    key(
        "undelete_seconds",
        "604800",
        "86400",
        "Seconds that deleted manifests and tags can be brought back. They are kept for at least `blob_lease_seconds`.",
    ),
    key(
        "collection_interval_seconds",
        "3600",
        "0",
        "Seconds from the end of one collection to the next; 0 for no pause.",
    ),
    key(
        "s3_bucket",
        "files in the data folder",
        "\"wreg\"",
        "A bucket for the bytes of blobs. With `database` on PostgreSQL, several servers can share both; the data folder then holds secrets alone.",
    ),
    key(
        "s3_endpoint",
        "Amazon's, for the region",
        "\"https://s3.example\"",
        "URL of the object storage.",
    ),
    key(
        "s3_region",
        "what `AWS_REGION` says, or `us-east-1` with `s3_endpoint`",
        "\"eu-central-1\"",
        "Region of the bucket.",
    ),
    key(
        "s3_prefix",
        "none",
        "\"wreg/\"",
        "What the name of every object in the bucket begins with.",
    ),
    key(
        "s3_access_key_id",
        "`AWS_ACCESS_KEY_ID`, the profile, or the role of the machine",
        "\"AKIA…\"",
        "Who may read, write, list and delete in the bucket.",
    ),
    key(
        "s3_secret_access_key",
        "as before",
        "\"…\"",
        "The secret of `s3_access_key_id`.",
    ),
    key(
        "s3_path_style",
        "true with `s3_endpoint`",
        "true",
        "Whether the bucket stands in the path of URLs and not in their host.",
    ),
    key(
        "s3_redirect",
        "false",
        "true",
        "Whether clients fetch blobs from the bucket by themselves, by URLs that are good for five minutes.",
    ),
    key(
        "s3_memory",
        "201326592",
        "67108864",
        "Bytes of memory for parts on their way to the bucket, for all uploads together. Where it is used up, uploads wait.",
    ),
    key(
        "mapped_bytes",
        "1073741824",
        "0",
        "Bytes of blobs' files that may be mapped into memory at a time; 0 for none. They count as shared memory, and the system takes it back when it needs it.",
    ),
    key(
        "advisories",
        "no advisories",
        "\"/var/lib/advisory-db\"",
        "Folder with a clone of RustSec's advisory database, or with JSON files of the OSV schema: who pulls a component that lists a package which an advisory is about gets a `Warning`. Read again within a minute when it changes.",
    ),
    key(
        "shutdown_delay_seconds",
        "0",
        "10",
        "Seconds for which a server that was told to end still takes requests, while `/readyz` says that it is not ready: a balancer needs them to look elsewhere. A second signal cuts them short.",
    ),
    key(
        "log",
        "info",
        "\"wreg_registry=debug\"",
        "What is logged, to standard error: a level, or `target=level` pairs separated by commas.",
    ),
    key("log_format", "text", "\"json\"", "`text` or `json`."),
];

/// The page `docs/reference/config.md`.
pub fn config_reference() -> String {
    let mut page = String::from(
        "# Configuration of wreg-registry\n\nNothing has to be configured. Each setting can stand in a TOML file (`--config FILE` or `WREG_CONFIG`), in a variable (`WREG_` and its\nname in capitals) and, for `--data-dir`, `--listen` and `--dev`, in a flag. A flag wins over a variable, and a variable over the file. An\nunknown name or an impossible value is refused at start, with its place.\n\n<!-- Printed by `wreg-registry reference config`; `cargo xtask docs` writes it. -->\n\n| setting | variable | default | example | meaning |\n|---|---|---|---|---|\n",
    );
    for Key {
        name,
        default,
        example,
        meaning,
    } in KEYS
    {
        let variable = format!("WREG_{}", name.to_uppercase());
        let _ = writeln!(
            page,
            "| `{name}` | `{variable}` | {default} | `{example}` | {meaning} |"
        );
    }
    page
}
