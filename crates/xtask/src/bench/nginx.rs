//! nginx twice: as the upstream that answers, and as the proxy to be compared with.

use std::path::{Path, PathBuf};
use std::time::Instant;

use super::gateway::SECRET;
use super::process::{Server, free_port};
use super::rounds::Served;
use crate::failure::{Failure, Outcome};
use crate::program::find;
use crate::setup;

/// A running nginx of one worker.
pub(super) struct Nginx {
    server: Server,
    port: u16,
}

impl Nginx {
    /// An upstream that answers `GET /` with `bytes` bytes, and `GET /__auth` with whether the secret arrived.
    pub(super) fn upstream(root: &Path, folder: &Path, core: Option<usize>, bytes: usize) -> Outcome<Self> {
        let port = free_port()?;
        let www = folder.join("www");
        let body = format!("{{\"ok\":true,\"fill\":\"{}\"}}", "x".repeat(bytes.saturating_sub(21)));
        std::fs::create_dir_all(&www)
            .and_then(|()| std::fs::write(www.join("body.json"), body))
            .map_err(|error| Failure::doing("write the body of the bench", &error))?;
        let server = format!(
            "open_file_cache max=8; sendfile on; root \"{}\";
             server {{ listen 127.0.0.1:{port} backlog=4096;
               location = / {{ rewrite ^ /body.json last; }}
               location = /body.json {{ internal; }}
               location = /__auth {{ default_type text/plain;
                 if ($http_authorization = \"Bearer {SECRET}\") {{ return 200 yes; }}
                 return 403 no; }} }}",
            www.display()
        );
        Self::start(root, folder, core, port, &server)
    }

    /// A proxy to the upstream on `upstream` that puts the secret on each request.
    pub(super) fn proxy(root: &Path, folder: &Path, core: Option<usize>, upstream: u16) -> Outcome<Self> {
        let port = free_port()?;
        let server = format!(
            "upstream it {{ server 127.0.0.1:{upstream}; keepalive 64; keepalive_requests 100000000; }}
             server {{ listen 127.0.0.1:{port} backlog=4096;
               location / {{ proxy_pass http://it; proxy_http_version 1.1; proxy_set_header Connection \"\";
                 proxy_set_header Authorization \"Bearer {SECRET}\"; }} }}"
        );
        Self::start(root, folder, core, port, &server)
    }

    pub(super) fn port(&self) -> u16 {
        self.port
    }

    fn start(root: &Path, folder: &Path, core: Option<usize>, port: u16, server: &str) -> Outcome<Self> {
        // The worker of a root nginx becomes `nobody`, who can't read the checkout.
        let user = if setup::is_root() { "user root;" } else { "" };
        let text = format!(
            "{user} worker_processes 1; daemon off; pid nginx.pid; error_log error.log warn;
             events {{ worker_connections 4096; }}
             http {{ access_log off; default_type application/json; keepalive_timeout 600s;
             keepalive_requests 100000000; client_body_temp_path tmp; proxy_temp_path tmp; fastcgi_temp_path tmp;
             uwsgi_temp_path tmp; scgi_temp_path tmp;
             {server} }}\n"
        );
        let config = folder.join("nginx.conf");
        std::fs::create_dir_all(folder)
            .and_then(|()| std::fs::write(&config, text))
            .map_err(|error| Failure::doing("write the configuration of nginx", &error))?;
        let program = find("nginx").unwrap_or_else(|| PathBuf::from("nginx"));
        let (prefix, config) = (folder.to_string_lossy(), config.to_string_lossy());
        let arguments = ["-p", &prefix, "-c", &config, "-e", "error.log"];
        let since = Instant::now();
        let mut server = Server::start(&program, &arguments, core, &folder.join("log"))?;
        server.ready(port, &[], since).map_err(|failure| {
            let where_to = folder.strip_prefix(root).unwrap_or(folder).display();
            Failure::new(format!("{failure} (`{where_to}`)"))
        })?;
        Ok(Self { server, port })
    }
}

impl Served for Nginx {
    fn process(&self) -> u32 {
        self.server.id()
    }
}
