//! nginx in front of the server, configured as the how-to says, with TLS ending in it.

use std::{
    fs,
    net::{Ipv4Addr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    time::Instant,
};

use tempfile::TempDir;
use wreg_harness::{RegistryProcess, certificates::Certificates, fixtures::wat, note_not_run};

use crate::wreg::{User, read};

/// An nginx process; it ends when it is dropped.
struct Nginx {
    child: Child,
    port: u16,
    _folder: TempDir,
}

impl Nginx {
    /// Starts it with the `server` block of the how-to, for other addresses and files.
    fn start(program: &str, upstream: &str, certificates: &Certificates) -> Self {
        let page = read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/how-to/put-a-proxy-in-front.md"));
        let page = String::from_utf8(page).expect("text");
        let (_, rest) = page.split_once("```nginx\n").expect("a block");
        let (block, _) = rest.split_once("```").expect("its end");
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let port = free.local_addr().expect("it is bound").port();
        let folder = tempfile::tempdir().expect("a temporary folder");
        let files = certificates.folder().display();
        let mut server = block.to_owned();
        for (ours, theirs) in [
            ("listen 443", format!("listen 127.0.0.1:{port}")),
            ("/etc/nginx/", format!("{files}/")),
            ("127.0.0.1:5000", upstream.to_owned()),
        ] {
            assert!(server.contains(ours), "{ours} is not in the how-to");
            server = server.replace(ours, &theirs);
        }
        let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|name| format!("{name}_temp_path {}/{name};\n", folder.path().display()))
            .concat();
        let text = format!(
            "daemon off;\nmaster_process off;\npid {0}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{\naccess_log off;\n{temporary}{server}}}\n",
            folder.path().display()
        );
        let file = folder.path().join("nginx.conf");
        fs::write(&file, text).expect("a file can be written");
        drop(free);
        let mut command = Command::new(program);
        command.args(["-e", "stderr", "-c"]).arg(&file).stdin(Stdio::null());
        let child = command.spawn().expect("nginx starts");
        let mut nginx = Self {
            child,
            port,
            _folder: folder,
        };
        let began = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            let ended = nginx.child.try_wait().expect("a child can be asked");
            assert!(
                ended.is_none() && began.elapsed().as_secs() < 60,
                "nginx does not listen"
            );
            std::thread::yield_now();
        }
        nginx
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The component with a custom section of 24 MiB behind it.
fn large_component() -> Vec<u8> {
    let data = vec![b'x'; 24 << 20];
    let mut rest = u32::try_from(data.len() + 2).expect("it fits");
    let mut section = vec![0];
    while rest >= 0x80 {
        let [low, ..] = rest.to_le_bytes();
        section.push(low | 0x80);
        rest >>= 7;
    }
    section.push(u8::try_from(rest).expect("seven bits"));
    let name = vec![1, b'x'];
    [wat::component(), section, name, data].concat()
}

#[test]
fn components_go_through_nginx_with_tls_ending_there() {
    // Not on every user's path.
    let programs = ["nginx", "/usr/sbin/nginx"];
    let mut found = programs.into_iter();
    let Some(program) = found.find(|program| Command::new(program).arg("-v").output().is_ok()) else {
        return note_not_run("it needs nginx: run cargo xtask setup");
    };
    let certificates = Certificates::new();
    let registry = RegistryProcess::builder()
        .env("WREG_TRUSTED_PROXIES", "127.0.0.1")
        .start();
    let nginx = Nginx::start(program, &registry.address().to_string(), &certificates);
    let authority = certificates.authority();
    let authority = authority.to_str().expect("text");
    let host = format!("localhost:{}", nginx.port);
    let user = User::new();
    let token = registry.admin_token();
    // It takes a challenge whose realm lies on the proxy, over TLS: the command gives a token to no other.
    user.run_with_input(
        &["login", &host, "--token-stdin", "--ca-file", authority],
        token.as_bytes(),
    )
    .yes();
    for (name, component) in [("small", wat::component()), ("large", large_component())] {
        let reference = format!("{host}/acme/{name}:1.0.0");
        let file = user.file(&format!("{name}.wasm"), &component);
        let pushed = user
            .run(&["push", &file, &reference, "--ca-file", authority])
            .yes()
            .line();
        let output = format!("{name}.pulled");
        let pulled = user
            .run(&["pull", &reference, "-o", &output, "--ca-file", authority])
            .yes()
            .line();
        assert_eq!(pulled, pushed);
        assert!(user.read(&output) == component, "{name}");
    }
}
