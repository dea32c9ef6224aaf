//! Compiles anew when a migration is added: they are built into the binary.
fn main() {
    println!("cargo:rerun-if-changed=../migrations");
}
