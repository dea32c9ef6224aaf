//! The connection to an S3 server: credentials, deadlines, how often a request is tried.

use std::time::Duration;

use aws_config::BehaviorVersion;
use aws_sdk_s3::config::{
    Builder, Credentials, Region, RequestChecksumCalculation, ResponseChecksumValidation, retry::RetryConfig,
    timeout::TimeoutConfig,
};

use super::super::S3Settings;

/// How often a request is sent at most, with a random pause before each further attempt. The client has a budget besides: when most
/// requests fail, they are not repeated any more.
const ATTEMPTS: u32 = 4;
/// The pause before the second attempt at most; it doubles with each.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(3);
/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(5);
/// How long the server may be silent before its answer begins.
const SILENCE: Duration = Duration::from_secs(30);
/// How long one attempt may take up to the head of its answer: a part at 140 kB/s.
const ATTEMPT: Duration = Duration::from_mins(1);

/// A client for the server of these settings.
pub(super) async fn connect(settings: &S3Settings) -> aws_sdk_s3::Client {
    aws_sdk_s3::Client::from_conf(configuration(settings).await.build())
}

/// What the client is made of.
pub(super) async fn configuration(settings: &S3Settings) -> Builder {
    let mut builder = Builder::new()
        .behavior_version(BehaviorVersion::latest())
        .force_path_style(settings.path_style)
        // Checksums in trailers are what other servers than Amazon's often do not know.
        .request_checksum_calculation(RequestChecksumCalculation::WhenRequired)
        .response_checksum_validation(ResponseChecksumValidation::WhenRequired)
        .retry_config(
            RetryConfig::standard()
                .with_max_attempts(ATTEMPTS)
                .with_initial_backoff(FIRST_PAUSE)
                .with_max_backoff(LONGEST_PAUSE),
        )
        .timeout_config(
            TimeoutConfig::builder()
                .connect_timeout(CONNECT)
                .read_timeout(SILENCE)
                .operation_attempt_timeout(ATTEMPT)
                .build(),
        );
    let mut region = settings.region.clone();
    if let Some((id, secret)) = &settings.credentials {
        builder = builder.credentials_provider(Credentials::new(id, secret, None, None, "wreg's configuration"));
    } else {
        let environment = aws_config::load_defaults(BehaviorVersion::latest()).await;
        builder.set_credentials_provider(environment.credentials_provider());
        region = region.or_else(|| environment.region().map(ToString::to_string));
    }
    if let Some(endpoint) = &settings.endpoint {
        builder = builder.endpoint_url(endpoint);
        region = region.or_else(|| Some("us-east-1".to_owned()));
    }
    builder.region(region.map(Region::new))
}
