-- Manifests that are Wasm artifacts: what is in them. Not tied to manifests: it stays as long as a deleted one can come back.
CREATE TABLE components (
    repository TEXT NOT NULL,
    manifest TEXT NOT NULL,
    layer TEXT NOT NULL,
    size BIGINT NOT NULL,
    layout TEXT NOT NULL,
    config TEXT,
    PRIMARY KEY (repository, manifest)
);
CREATE INDEX components_by_layer ON components (layer);

-- What a layer of WebAssembly is, whoever holds it. state: pending, analysed, invalid or failed. document: JSON, the analysis without its
-- WIT, or what is wrong. analyser: the version of what made it.
CREATE TABLE analyses (
    layer TEXT NOT NULL PRIMARY KEY,
    state TEXT NOT NULL,
    document TEXT NOT NULL,
    wit TEXT,
    analyser BIGINT NOT NULL,
    analysed_at BIGINT NOT NULL
);
