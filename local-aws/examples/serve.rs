//! The endpoint by itself: `cargo run -p local-aws --example serve -- STATE_DIR [PORT]`.
//!
//! Prints the address once it listens and serves until it is killed; the tests that kill an endpoint start this.

use std::io::Write;
use std::path::PathBuf;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args_os().skip(1);
    let state_dir = PathBuf::from(arguments.next().ok_or("usage: serve STATE_DIR [PORT]")?);
    let port: u16 = arguments.next().and_then(|port| port.to_str()?.parse().ok()).unwrap_or(0);
    std::fs::create_dir_all(&state_dir)?;
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await?;
    writeln!(std::io::stdout(), "http://{}", listener.local_addr()?)?;
    local_aws::serve(listener, &state_dir, local_aws::Options::default(), std::future::pending()).await?;
    Ok(())
}
