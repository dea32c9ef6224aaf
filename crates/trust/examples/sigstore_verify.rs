//! The library sigstore-verify from a command line, so that it can be run beside other verifiers: `cargo xtask interop`.
//!
//! `sigstore_verify KEY DIGEST BUNDLE...`: whether one of the bundles is a statement about that manifest which the key has signed. By the parts
//! of the library: its `verify` takes no bundle without an entry of a log of Sigstore or a timestamp, also where the policy asks for neither.
#![expect(clippy::print_stdout, reason = "it is a command")]
#![expect(clippy::disallowed_methods, reason = "a command with small files")]

use std::{env, error::Error, fs, process::ExitCode};

use sigstore_verify::{
    crypto::{SigningScheme, verify_signature},
    types::{Bundle, DerPublicKey, Sha256Hash, SignatureContent, Statement},
};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [key, digest, bundles @ ..] = &*arguments else {
        return Err("a key, a digest and bundles".into());
    };
    let key = DerPublicKey::from_pem(&fs::read_to_string(key)?)?;
    let digest = Sha256Hash::from_hex(digest.trim_start_matches("sha256:"))?;
    let mut code = ExitCode::FAILURE;
    for file in bundles {
        match verify(&fs::read_to_string(file)?, &key, &digest) {
            Ok(statement) => {
                println!("{}", statement.predicate_type);
                code = ExitCode::SUCCESS;
            }
            Err(why) => println!("{file}: {why}"),
        }
    }
    Ok(code)
}

fn verify(bundle: &str, key: &DerPublicKey, digest: &Sha256Hash) -> Result<Statement, Box<dyn Error>> {
    let bundle = Bundle::from_json(bundle)?;
    let SignatureContent::DsseEnvelope(envelope) = &bundle.content else {
        return Err("it holds no statement".into());
    };
    verify_signature(
        key,
        &envelope.pae(),
        &envelope.signature.sig,
        SigningScheme::EcdsaP256Sha256,
    )?;
    let statement: Statement = serde_json::from_slice(envelope.payload.as_bytes())?;
    if statement.matches_sha256(digest) {
        Ok(statement)
    } else {
        Err("it is about another artifact".into())
    }
}
