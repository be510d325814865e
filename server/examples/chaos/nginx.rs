//! nginx in front of the nodes, as docs/operating.md says.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::{Failure, recipe};

/// The port of nginx.
pub const PORT: u16 = 8000;

/// The line of the recipe that restarts a node.
const RESTART: &str = "systemctl restart webchat@8081\n";

pub struct Nginx {
    child: Child,
    /// The file with the nodes.
    nodes: PathBuf,
    host: IpAddr,
}

/// The commands that take a node out of nginx, and those that put it back after its restart.
pub struct Drain {
    pub take_out: String,
    pub put_back: String,
}

impl Nginx {
    pub fn start(dir: &Path, host: IpAddr) -> Result<Self, Failure> {
        let file = |name: &str| dir.join(name).display().to_string();
        let ip = host.to_string();
        let upstream = recipe::read("nginx", "upstream webchat {\n    zone")?;
        let upstream = recipe::adapt(upstream, &[("127.0.0.1", ip.clone())])?;
        let nodes = dir.join("webchat.conf");
        std::fs::write(&nodes, upstream)?;

        // The rest is as in front of one node, without TLS.
        let single = recipe::read("nginx", "upstream webchat {\n    server")?;
        let (_, rest) = single.split_once("\n}\n").ok_or("no end of the upstream")?;
        let listen = format!("listen {ip}:{PORT};");
        let changes = [
            ("listen 443 ssl http2;", listen),
            (
                "    ssl_certificate     /etc/webchat/cert.pem;\n",
                String::new(),
            ),
            (
                "    ssl_certificate_key /etc/webchat/key.pem;\n",
                String::new(),
            ),
        ];
        let rest = recipe::adapt(rest.to_owned(), &changes)?;
        let paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"];
        let paths = paths.map(|kind| format!("{kind}_temp_path {};", file(kind)));
        let config = format!(
            "daemon off; worker_processes 1; pid {}; error_log {} warn;\nevents {{ worker_connections 2000; }}\n\
             http {{ access_log off; {}\ninclude {};\n{rest}\n}}\n",
            file("nginx.pid"),
            file("nginx.log"),
            paths.join(" "),
            nodes.display(),
        );
        std::fs::write(dir.join("nginx.conf"), config)?;
        let child = Command::new("nginx")
            .args([
                "-c",
                &file("nginx.conf"),
                "-p",
                &file(""),
                "-e",
                &file("nginx.log"),
            ])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("nginx does not start: {error}"))?;
        Ok(Self { child, nodes, host })
    }

    /// The recipe for a restart without a failed request, for the node of this port.
    pub fn drain(&self, port: u16) -> Result<Drain, Failure> {
        let block = recipe::read("sh", "sed -i 's/127.0.0.1:8081 /")?;
        let (take_out, put_back) = block
            .split_once(RESTART)
            .ok_or("no restart in the recipe")?;
        let adapt = |commands: &str| {
            let changes = [
                ("127.0.0.1:8081", format!("{}:{port}", self.host)),
                (
                    "/etc/nginx/conf.d/webchat.conf",
                    self.nodes.display().to_string(),
                ),
                ("nginx -s reload", format!("kill -HUP {}", self.child.id())),
            ];
            recipe::adapt(commands.to_owned(), &changes)
        };
        Ok(Drain {
            take_out: adapt(take_out)?,
            put_back: adapt(put_back)?,
        })
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // It ends its workers; it may have ended already.
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::TERM);
        }
        let _ = self.child.wait();
    }
}
