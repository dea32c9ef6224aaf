-- Manifests that are Wasm artifacts: what is in them. Not tied to manifests: it stays as long as a deleted one can come back.
CREATE TABLE components (
    repository TEXT COLLATE "C" NOT NULL,
    manifest TEXT COLLATE "C" NOT NULL,
    layer TEXT COLLATE "C" NOT NULL,
    size BIGINT NOT NULL,
    layout TEXT COLLATE "C" NOT NULL,
    config TEXT COLLATE "C",
    PRIMARY KEY (repository, manifest)
);
CREATE INDEX components_by_layer ON components (layer);

-- What a layer of WebAssembly is, whoever holds it. state: pending, analysed, invalid or failed. document: JSON, the analysis without its
-- WIT, or what is wrong. analyser: the version of what made it.
CREATE TABLE analyses (
    layer TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    state TEXT COLLATE "C" NOT NULL,
    document TEXT COLLATE "C" NOT NULL,
    wit TEXT COLLATE "C",
    analyser BIGINT NOT NULL,
    analysed_at BIGINT NOT NULL
);
