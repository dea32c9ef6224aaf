//! A registry that lies, as a program, so that verifiers can be run against it: `cargo xtask interop`.
//!
//! `lying_proxy REGISTRY` prints the address that it listens on. From then on each line that it reads, `LIE REPOSITORY TAG`, says what is told of
//! what is published there, until the next one; a line of its own says that it is so. Until the first, and after `nothing`, it is the truth.
//! It ends with its standard input.
#![expect(clippy::print_stdout, reason = "it is a command")]

mod lies;
mod published;

use std::{env, error::Error, io};

use wreg_harness::liar::{Liar, Lie};

use crate::published::Published;

fn main() -> Result<(), Box<dyn Error>> {
    let registry = env::args().nth(1).ok_or("the address of a registry")?.parse()?;
    let liar = Liar::before(registry);
    println!("{}", liar.address());
    for order in io::stdin().lines() {
        let order = order?;
        let [lie, repository, tag] = order.split(' ').collect::<Vec<_>>()[..] else {
            return Err("a lie, a repository and a tag".into());
        };
        let (about, told) = lies::make(lie, &Published::at(registry, repository, tag))?;
        liar.tell(move |target| {
            if target.contains(&about) {
                told.clone()
            } else {
                Lie::None
            }
        });
        println!("{lie}");
    }
    Ok(())
}
