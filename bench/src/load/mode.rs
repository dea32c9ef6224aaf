//! The kinds of load.

use anyhow::Result;

use super::{
    payload::Payload,
    prepare::Setting,
    size::Size,
    work::{How, Work},
};

/// What is asked of the registry.
#[derive(clap::Subcommand)]
pub(crate) enum Mode {
    /// Manifests, read
    Resolve {
        /// How they are asked for
        #[arg(long, value_enum, default_value_t = By::Tag)]
        by: By,
    },
    /// Blobs, read
    Blob {
        /// Bytes of each
        #[arg(long, default_value = "100KiB")]
        size: Size,
    },
    /// Artifacts, pulled: the manifest by tag (HEAD, as clients do), the manifest by digest, the layer
    Pull {
        /// Bytes of the layer
        #[arg(long, default_value = "100KiB")]
        size: Size,
    },
    /// Artifacts, pushed: config, layer, and the manifest by a new tag; no two are the same
    Push {
        /// Bytes of the layer
        #[arg(long, default_value = "100KiB")]
        size: Size,
        /// Send a blob with the request that opens its upload (end-4b)
        #[arg(long)]
        single: bool,
    },
    /// Blobs, pushed; no two are the same
    PushBlob {
        /// Bytes of each
        #[arg(long, default_value = "32MiB")]
        size: Size,
        /// Send a blob with the request that opens its upload (end-4b)
        #[arg(long)]
        single: bool,
    },
    /// New tags of one manifest in one repository
    Tag,
    /// A page of 100 tags
    Tags {
        /// How many tags there are; those that are missing are made first
        #[arg(long, default_value_t = 1000)]
        tags: usize,
        /// A page near the end, not the first
        #[arg(long)]
        deep: bool,
    },
    /// The referrers of a manifest
    Referrers {
        /// How many there are
        #[arg(long, default_value_t = 10)]
        count: usize,
    },
    /// Tokens, issued for credentials
    Token,
    /// Any paths, read in turn: what they are asked for is there already
    Get {
        /// Paths with their queries
        #[arg(required = true)]
        paths: Vec<String>,
    },
}

/// A way to ask for a manifest.
#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum By {
    Tag,
    Digest,
    /// HEAD, by tag
    Head,
}

impl Mode {
    /// What it is called in a table.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Resolve { by: By::Tag } => "manifest GET by tag".to_owned(),
            Self::Resolve { by: By::Digest } => "manifest GET by digest".to_owned(),
            Self::Resolve { by: By::Head } => "manifest HEAD by tag".to_owned(),
            Self::Blob { size } => format!("blob GET {size}"),
            Self::Pull { size } => format!("pull {size}"),
            Self::Push { size, .. } => format!("push {size}"),
            Self::PushBlob { size, .. } => format!("push of blobs {size}"),
            Self::Tag => "manifest PUT of tags".to_owned(),
            Self::Tags { tags, deep: false } => format!("first page of {tags} tags"),
            Self::Tags { tags, deep: true } => format!("deep page of {tags} tags"),
            Self::Referrers { count } => format!("{count} referrers"),
            Self::Token => "token".to_owned(),
            Self::Get { paths } => paths.first().cloned().unwrap_or_default(),
        }
    }

    /// The repository that it uses, of its own where others would be in the way.
    pub(super) fn repository(&self) -> &'static str {
        match self {
            Self::Push { .. } | Self::PushBlob { .. } => "bench/push",
            Self::Tag => "bench/tag",
            Self::Tags { .. } => "bench/tags",
            _ => "bench/read",
        }
    }

    /// The blobs that it moves.
    pub(super) fn payload(&self) -> Payload {
        let size = match self {
            Self::Blob { size } | Self::Pull { size } | Self::Push { size, .. } | Self::PushBlob { size, .. } => size.0,
            _ => 1024,
        };
        Payload::new(size)
    }

    /// Puts what is needed into the registry, and makes the requests.
    pub(super) fn prepare<'a>(&self, setting: &'a Setting<'a>, payload: &'a Payload) -> Result<Box<dyn Work + 'a>> {
        let how = |artifact, single| Box::new(setting.pushes(payload, How { artifact, single }));
        Ok(match *self {
            Self::Push { single, .. } => how(true, single),
            Self::PushBlob { single, .. } => how(false, single),
            Self::Tag => Box::new(setting.new_tags(payload)?),
            Self::Tags { tags, deep } => Box::new(setting.pages(payload, tags, deep)?),
            Self::Resolve { by } => Box::new(setting.resolves(payload, by)?),
            Self::Blob { .. } => Box::new(setting.blobs(payload)?),
            Self::Pull { .. } => Box::new(setting.pulls(payload)?),
            Self::Referrers { count } => Box::new(setting.referrers(payload, count)?),
            Self::Token => Box::new(setting.tokens()?),
            Self::Get { ref paths } => Box::new(setting.paths(paths)?),
        })
    }
}
